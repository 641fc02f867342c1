"""A measurement is nobody else's affair."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_REPORTER = "openvino_telemetry"


@contextmanager
def untold() -> Iterator[None]:
    """OpenVINO and NNCF, where they are imported here, do without the package that reports their use over the network.

    Both take a stand-in of their own where that package is missing. It sends from a forked process, too, which a process with
    threads had better not have.
    """
    absent = _REPORTER not in sys.modules
    if absent:
        sys.modules[_REPORTER] = None  # type: ignore[assignment]  # this is how an import is made to fail
    try:
        yield
    finally:
        if absent:
            del sys.modules[_REPORTER]
