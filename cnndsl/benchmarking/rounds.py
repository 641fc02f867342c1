"""Engines take turns in blocks of runs, in one process.

In turns, because a machine's speed drifts by more than engines differ. In blocks, because each engine keeps a pool of
threads that go on spinning for a while after a run: called one by one in turn they take the cores from one another.
Each block begins with runs that are not counted, in which the pools of the others fall asleep and caches fill; and
each round begins with another engine, so that none always comes after the same.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median

Samples = dict[str, list[list[float]]]
"""Seconds of each run, by engine and round."""

LEAST = 3
"""Runs of a block, however long they take."""
_WARM = 0.4
"""How long a block warms up, as a part of its measured time."""


def take_turns(works: Mapping[str, Callable[[], object]], rounds: int, seconds: float) -> Samples:
    """Runs every work in `rounds` blocks of about `seconds`."""
    names = list(works)
    samples: Samples = {name: [] for name in names}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for number in range(rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                _block(works[name], _WARM * seconds, 2)
                samples[name].append(_block(works[name], seconds, LEAST))
            gc.collect()
    finally:
        if collecting:
            gc.enable()
    return samples


def _block(work: Callable[[], object], seconds: float, least: int) -> list[float]:
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < least or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return taken


def ratio(ours: list[list[float]], theirs: list[list[float]]) -> float:
    """The median over rounds of our median by theirs: what slows a whole round slows both."""
    return median(median(a) / median(b) for a, b in zip(ours, theirs, strict=True))


def percentile(samples: list[list[float]], share: float) -> float:
    """The smallest time that `share` of all runs do not exceed."""
    ordered = sorted(seconds for block in samples for seconds in block)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
