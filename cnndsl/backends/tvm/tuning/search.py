"""Which candidates are measured: those of the kernels that take the most time, in the order that each kernel gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil

from cnndsl.backends.tvm.tuning.events import Trial
from cnndsl.backends.tvm.tuning.ledger import Ledger
from cnndsl.backends.tvm.tuning.problems import KernelProblem, Problem
from cnndsl.backends.tvm.tuning.timer import Timer

AT_ONCE = 8
"""Candidates of a problem that are built and measured together; a problem ends when as many bring nothing."""
_GAIN = 0.01
_WORTH_IT = 0.03
"""A candidate must be this much faster to be measured again, and then tried in the network."""
_CONFIRMATIONS = 3


@dataclass
class _Queue:
    """The candidates of a problem that are still to be measured."""

    problem: KernelProblem
    left: list[str] = field(default_factory=list)
    idle: int = 0
    """Candidates since the last gain."""


def search(
    problems: Sequence[KernelProblem], ledger: Ledger, timer: Timer, trials: int, tell: Callable[[Trial], None]
) -> None:
    """Measures up to `trials` candidates that the ledger does not know yet, beside the rule's own, and the best
    again."""
    unknown = [p for p in problems if not ledger.measured(p, p.rule)]
    _measure(unknown, [p.rule for p in unknown], ledger, timer, tell)
    queues = [_Queue(p, [text for text in p.ways if not ledger.measured(p, text)]) for p in problems]
    while trials > 0 and (live := [queue for queue in queues if queue.left and queue.idle < AT_ONCE]):
        shares = {queue.problem.key: _share(queue.problem, ledger) for queue in live}
        total = sum(shares.values()) or 1.0
        for queue in sorted(live, key=lambda queue: -shares[queue.problem.key]):
            allowance = ceil(trials * shares[queue.problem.key] / total)
            count = min(AT_ONCE, max(1, allowance), trials)
            trials -= _advance(queue, count, ledger, timer, tell)
    _confirm(problems, ledger, timer, tell)


def winners(problems: Sequence[Problem], ledger: Ledger) -> list[tuple[Problem, str, float]]:
    """Problems for which a candidate beats the rule's: its setting, and the seconds per run that it should save in the
    network, the most first."""
    faster = []
    for problem in problems:
        best, rule = ledger.best(problem), ledger.seconds(problem, problem.rule)
        if best is not None and rule is not None and best[1] < rule * (1 - _WORTH_IT):
            faster.append((problem, best[0], problem.calls * (rule - best[1])))
    return sorted(faster, key=lambda entry: -entry[2])


def _share(problem: KernelProblem, ledger: Ledger) -> float:
    best = ledger.best(problem)
    return problem.calls * best[1] if best else 0.0


def _advance(queue: _Queue, count: int, ledger: Ledger, timer: Timer, tell: Callable[[Trial], None]) -> int:
    """Measures the next candidates; returns how many."""
    batch, queue.left = queue.left[:count], queue.left[count:]
    before = ledger.best(queue.problem)
    _measure([queue.problem] * len(batch), batch, ledger, timer, tell)
    after = ledger.best(queue.problem)
    gained = after is not None and (before is None or after[1] < before[1] * (1 - _GAIN))
    queue.idle = 0 if gained else queue.idle + len(batch)
    return len(batch)


def _confirm(problems: Sequence[KernelProblem], ledger: Ledger, timer: Timer, tell: Callable[[Trial], None]) -> None:
    """Measures rules and their winners again, by turns: the fastest of many is often only the luckiest."""
    for _ in range(_CONFIRMATIONS - 1):
        again = [
            (problem, setting)
            for problem, best, _ in winners(problems, ledger)
            for setting in (problem.rule, best)
            if ledger.measured(problem, setting) < _CONFIRMATIONS
        ]
        _measure([problem for problem, _ in again], [setting for _, setting in again], ledger, timer, tell)


def _measure(
    problems: Sequence[Problem], texts: Sequence[str], ledger: Ledger, timer: Timer, tell: Callable[[Trial], None]
) -> None:
    pairs = list(zip(problems, texts, strict=True))
    for start in range(0, len(pairs), AT_ONCE):
        some = pairs[start : start + AT_ONCE]
        timings = timer.time([problem.ways[text][1].prim_func() for problem, text in some])
        for (problem, text), timing in zip(some, timings, strict=True):
            ledger.note(problem, text, timing)
            best = ledger.best(problem)
            tried = sum(ledger.measured(problem, way) > 0 for way in problem.ways)
            rule_s = ledger.seconds(problem, problem.rule)
            tell(Trial(problem, text, timing, tried, rule_s, best[1] if best else None))
