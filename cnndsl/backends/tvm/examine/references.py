"""How the machine is at this moment, in about a millisecond: the same four things, each time they are asked for.

Two threads of a virtual machine may lie on two cores that share a cache, on one core, or on cores of different caches, and that
changes from second to second. One thread alone then multiplies as fast as ever; only both together tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from cnndsl.backends.tvm.examine.limits import compiled
from cnndsl.backends.tvm.kernels.words.nest import Nest
from cnndsl.backends.tvm.target import Cpu

_SHORT = 1 << 12
"""Steps of a chain of multiply-adds: about 15 µs."""
_ROWS = 1 << 12
"""Vectors that each thread copies."""
_TIMES = 5

STATES = {
    "near": "the threads have cores of their own, which share a cache",
    "half": "the threads share one core: each has half of it",
    "apart": "the threads are on cores of different caches",
}


@dataclass(frozen=True)
class Reading:
    """Seconds: a chain of multiply-adds on one thread, and on all; a region that does nothing; a copy of what the same thread wrote,
    and of what another wrote."""

    alone: float
    together: float
    empty: float
    own: float
    exchanged: float

    @property
    def state(self) -> str:
        """One of `STATES`."""
        if self.together > 1.5 * self.alone:
            return "half"
        return "apart" if self.exchanged > 3.5 * self.own else "near"


class References:
    """The kernels that a reading takes, compiled once."""

    def __init__(self, cpu: Cpu, threads: int) -> None:
        self._alone, self._together = _chain(cpu, 1), _chain(cpu, threads)
        self._empty = _empty(cpu, threads)
        copy = _copy(cpu, threads)
        self._own, self._exchanged = partial(copy, 0), partial(copy, 1)

    def read(self) -> Reading:
        """A reading now."""
        return Reading(*(_best(run) for run in (self._alone, self._together, self._empty, self._own, self._exchanged)))


def _best(run: Callable[[], object]) -> float:
    found = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def _chain(cpu: Cpu, threads: int) -> Callable[[], object]:
    import numpy as np

    n, many = Nest(cpu.lanes), 8
    with n.function():
        factors = n.argument("factors", (2, cpu.lanes))
        result = n.argument("result", (threads, many, cpu.lanes))
        with n.parallel(threads) as thread:
            sums = n.local((many, cpu.lanes))
            n.clear([sums])
            with n.serial(_SHORT):
                for i in range(many):
                    with n.vector() as lane:
                        n.store(sums, sums[i, lane] * factors[0, lane] + factors[1, lane], (i, lane))
            for i in range(many):
                with n.vector() as lane:
                    n.store(result, sums[i, lane], (thread, i, lane))
    values = np.full((2, cpu.lanes), 0.5, np.float32)
    return compiled(cpu, n, [values, np.zeros((threads, many, cpu.lanes), np.float32)])


def _empty(cpu: Cpu, threads: int) -> Callable[[], object]:
    import numpy as np

    n = Nest(cpu.lanes)
    with n.function():
        result = n.argument("result", (threads, cpu.lanes))
        with n.parallel(threads) as thread, n.vector() as lane:
            n.store(result, n.number(1), (thread, lane))
    return compiled(cpu, n, [np.zeros((threads, cpu.lanes), np.float32)])


def _copy(cpu: Cpu, threads: int) -> Callable[[int], object]:
    """A function of 0 or 1: each thread adds one to its part, or to that of the thread that comes after it."""
    import numpy as np

    shape, runs = (threads, _ROWS, cpu.lanes), []
    memory = np.zeros(shape, np.float32)
    for turn in range(max(1, threads)):
        n = Nest(cpu.lanes)
        with n.function():
            a = n.argument("a", shape)
            with n.parallel(threads) as thread, n.serial(_ROWS) as row, n.vector() as lane:
                whose = (thread + turn) % threads
                n.store(a, a[whose, row, lane] + n.number(1), (whose, row, lane))
        runs.append(compiled(cpu, n, [memory]))
    taken = [0]

    def copy(step: int) -> Any:
        taken[0] = (taken[0] + step) % len(runs)
        return runs[taken[0]]()

    return copy
