"""Variants built on all cores of this machine, in processes that stay."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.sweeping.program import Program
from cnndsl.sweeping.rows import Row
from cnndsl.sweeping.variants import Variant
from cnndsl.sweeping.worker import work_of

FEW = 64
"""Variants that are built sooner here than processes start."""
AT_A_TIME = 16
"""Variants in one line of work, a tenth of a second."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def built(program: Program, variants: Sequence[Variant], figures: tuple[str, ...], jobs: int) -> Iterator[Row]:
    """A row for each variant, as soon as it is known: in no order where there are several processes. Raises `MissingPart`."""
    if jobs == 1 or len(variants) <= FEW:
        for variant in variants:
            yield program.row(variant, figures)
        return
    yield from _Crew(program, variants, figures, jobs).rows()


class _Crew:
    """A thread for each process: it hands over a line of work and waits for the rows."""

    def __init__(self, program: Program, variants: Sequence[Variant], figures: tuple[str, ...], jobs: int) -> None:
        self._program = program.to_json()
        self._figures = figures
        self._waiting = iter(range(0, len(variants), AT_A_TIME))
        self._variants = variants
        self._lock = threading.Lock()
        self._found: queue.Queue[list[Row] | BaseException | None] = queue.Queue(maxsize=4 * jobs)
        self._stopped = threading.Event()
        self._processes: set[subprocess.Popen[str]] = set()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(jobs)]

    def rows(self) -> Iterator[Row]:
        """The rows as they come; whoever stops asking stops the processes, too."""
        for thread in self._threads:
            thread.start()
        running = len(self._threads)
        try:
            while running:
                found = self._found.get()
                if found is None:
                    running -= 1
                elif isinstance(found, BaseException):
                    raise found
                else:
                    yield from found
        finally:
            self._stop()

    def _stop(self) -> None:
        self._stopped.set()
        with self._lock:
            for process in self._processes:
                process.kill()
        # A thread that waits for room in the queue must see that nobody reads on.
        while any(thread.is_alive() for thread in self._threads):
            with suppress(queue.Empty):
                self._found.get(timeout=0.02)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        process: subprocess.Popen[str] | None = None
        try:
            while not self._stopped.is_set() and (some := self._next()):
                process = process or self._started()
                rows = self._asked(process, some)
                if rows is None:
                    self._end(process)
                    process = None
                    rows = [] if self._stopped.is_set() else self._one_by_one(some)
                self._found.put(rows)
        except BaseException as error:  # noqa: BLE001  (raised again where the rows are read)
            self._found.put(error)
        finally:
            if process is not None:
                self._end(process)
            self._found.put(None)

    def _next(self) -> list[Variant]:
        with self._lock:
            start = next(self._waiting, None)
        return [] if start is None else list(self._variants[start : start + AT_A_TIME])

    def _one_by_one(self, variants: list[Variant]) -> list[Row]:
        """The rows of variants of which one ended the process, as memory that runs out does: the others are not lost."""
        rows = []
        process: subprocess.Popen[str] | None = None
        for variant in variants:
            if self._stopped.is_set():
                break
            process = process or self._started()
            found = self._asked(process, [variant])
            if found is None:
                code = process.wait()
                self._end(process)
                process = None
                found = [Row(variant, {}, f"the process that built it ended with {code}", "process-ended")]
            rows += found
        if process is not None:
            self._end(process)
        return rows

    def _started(self) -> subprocess.Popen[str]:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "cnndsl.sweeping.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        except OSError as error:
            raise MissingPart(f"cannot start a process: {error.strerror}", "give --jobs 1") from error
        with self._lock:
            self._processes.add(process)
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(self._program + "\n")
        return process

    def _asked(self, process: subprocess.Popen[str], variants: list[Variant]) -> list[Row] | None:
        """The rows of some variants; None where the process ended before it said them."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(work_of(self._figures, variants) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return None
        line = process.stdout.readline()
        return [Row.from_json(row) for row in json.loads(line)] if line.endswith("\n") else None

    def _end(self, process: subprocess.Popen[str]) -> None:
        with self._lock:
            self._processes.discard(process)
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):
                assert stream is not None
                stream.close()
