"""A machine that was measured once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cnndsl.latency.kernels import digest
from cnndsl.latency.machine import Machine, read_machine

FILE = Path(__file__).resolve().parents[2] / "docs" / "machines" / "xeon.json"


def stored() -> Machine:
    return read_machine(FILE)


def of_kernels(path: Path, *, these: bool) -> str:
    """The file of that machine as if it was measured with the kernels that there are now, or with others."""
    replace(stored(), kernels=digest() if these else "0123456789abcdef").save(path)
    return str(path)
