"""Variants built by the workers of a Dask cluster.

What is sent are texts: the program and some variants as JSON, and rows as JSON come back. A worker that dies loses the variants
that it was building, and the scheduler gives them to another.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.diagnostics.extras import how_to_install
from cnndsl.sweeping.program import Program
from cnndsl.sweeping.rows import Row
from cnndsl.sweeping.variants import Variant
from cnndsl.sweeping.worker import rows_of, work_of
from cnndsl.version import __version__

AT_A_TIME = 32
"""Variants in one task: half a second, beside which what a task costs the scheduler is small."""
TASKS_PER_CORE = 4
"""Tasks that wait at the scheduler for each core of the cluster, so that none is idle and a large sweep fits in memory."""
SECONDS = 10
"""How long a scheduler is waited for."""


def built_on_cluster(
    address: str, program: Program, variants: Sequence[Variant], figures: tuple[str, ...]
) -> Iterator[Row]:
    """A row for each variant, in no order. Raises `MissingPart` without Dask, without a scheduler at `address` (such as
    `tcp://10.0.0.1:8786`), without workers, and where these have another version of cnndsl or none."""
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise MissingPart("--scheduler takes Dask, which is not installed", how_to_install("cluster")) from None
    try:
        # Rows come as texts; only errors are pickled, by Dask itself.
        client = Client(address, timeout=SECONDS, set_as_default=False, deserializers=["msgpack"])
    except (OSError, TimeoutError, ValueError) as error:
        raise MissingPart(f"no scheduler answers at {address}: {error}", "start one with `dask scheduler`") from error
    with _quiet(), client:
        yield from _rows(client, address, program, variants, figures)


def _rows(
    client: Any, address: str, program: Program, variants: Sequence[Variant], figures: tuple[str, ...]
) -> Iterator[Row]:
    from distributed import as_completed
    from distributed.client import FutureCancelledError, FuturesCancelledError
    from distributed.comm import CommClosedError
    from distributed.scheduler import KilledWorker

    cores = sum(client.ncores().values())
    if not cores:
        raise MissingPart(f"the scheduler at {address} has no workers", f"start some with `dask worker {address}`")
    _refuse_other_version(client)
    # Sent with every task: what is scattered is lost with the workers that hold it.
    text = program.to_json()
    starts = iter(range(0, len(variants), AT_A_TIME))

    def submit(start: int) -> Any:
        work = work_of(figures, list(variants[start : start + AT_A_TIME]))
        # Equal work of another sweep may be remembered by the scheduler: the same answer.
        return client.submit(rows_of, text, work, retries=2)

    running = as_completed([submit(start) for start in islice(starts, TASKS_PER_CORE * cores)], loop=client.loop)
    try:
        for future in running:
            for told in json.loads(future.result()):
                yield Row.from_json(told)
            start = next(starts, None)
            if start is not None:
                running.add(submit(start))
    except KilledWorker as error:
        raise MissingPart(
            f"one worker of {address} after the other dies of the same variants",
            "their logs say why; less memory is taken by --input of a smaller size",
        ) from error
    except (CommClosedError, FutureCancelledError, FuturesCancelledError, OSError, TimeoutError) as error:
        raise MissingPart(
            f"the scheduler at {address} is gone",
            "run the same command again; with --into FILE it goes on where it was",
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps to itself what Dask's client logs when a scheduler goes: it is raised as an error, too."""
    logger = logging.getLogger("distributed.client")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _version() -> str:
    """The version of cnndsl that a worker has."""
    from cnndsl.version import __version__

    return __version__


def _refuse_other_version(client: Any) -> None:
    try:
        found = client.run(_version)
    except (ModuleNotFoundError, AttributeError) as error:
        raise MissingPart(
            f"the workers cannot run cnndsl: {error}", "install this version of cnndsl beside them"
        ) from error
    others = sorted({str(version) for version in found.values()} - {__version__})
    if others:
        raise MissingPart(
            f"workers have cnndsl {', '.join(others)}, and this is {__version__}",
            "install the same version beside them",
        )
