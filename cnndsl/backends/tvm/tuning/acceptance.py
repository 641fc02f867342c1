"""What the search found is taken only where the whole network gets faster.

A kernel by itself is not the kernel in the network: there other code shares its caches, and the measured gain may have
been luck. All winners are tried together first; where they bring less than half of what they promised, each half of
them is tried by itself, on top of what has been accepted, and so on down to single kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from cnndsl.backends.tvm.kernels.choices import UNTUNED, Choices
from cnndsl.backends.tvm.tuning.events import Raced
from cnndsl.backends.tvm.tuning.ledger import Ledger
from cnndsl.backends.tvm.tuning.problems import Problem, Subject, text_of
from cnndsl.backends.tvm.tuning.timer import Timer
from cnndsl.backends.tvm.tuning.worker import Ports

_LEAST_GAIN = 0.002
_MOST_BLOCKS = 0.75
_MOST_RACES = 12

Winner = tuple[Problem, str, float]
"""A problem, the setting to try, and the seconds per run that it should save."""


class Course:
    """Where a network runs against itself by other choices; what has been built stays."""

    def __init__(self, subject: Subject, timer: Timer) -> None:
        self.subject = subject
        self._timer = timer
        self._built: dict[str, tuple[str, Ports]] = {}

    def race(self, first: Choices, second: Choices) -> tuple[float, float, bool]:
        """Seconds per run of the network by two choices, and whether the second is faster beyond doubt.

        Raises `MissingPart` when it cannot be measured.
        """
        names = [text_of(dict(choices.settings)) for choices in (first, second)]
        lowered = {
            name: self.subject.lowered(choices)
            for name, choices in zip(names, (first, second), strict=True)
            if name not in self._built
        }
        libraries = self._timer.build([network for network, _, _ in lowered.values()])
        for (name, (_, ports, _)), library in zip(lowered.items(), libraries, strict=True):
            self._built[name] = (library, ports)
        built = [self._built[name] for name in names]
        times = self._timer.race([library for library, _ in built], [ports for _, ports in built])
        ratios = [b / a for a, b in zip(*times, strict=True)]
        faster = sum(ratio < 1 for ratio in ratios) >= _MOST_BLOCKS * len(ratios)
        before = median(times[0])
        return before, before * median(ratios), faster and median(ratios) < 1 - _LEAST_GAIN


def accept(course: Course, winners: Sequence[Winner], ledger: Ledger, tell: Callable[[Raced], None]) -> None:
    """Races the winners that this network has no verdict on, and keeps the verdicts. Raises `MissingPart` when the
    network cannot be measured."""
    subject = course.subject
    new = [(p, text, saved) for p, text, saved in winners if not ledger.judged(subject.name, p.key, p.ways[text][0])]
    pending, races = [new] if new else [], 0
    while pending and races < _MOST_RACES:
        group, races = pending.pop(0), races + 1
        base = ledger.choices()
        chosen = {problem.key: problem.ways[text][0] for problem, text, _ in group}
        before, after, sure = course.race(base, Choices({**base.settings, **chosen}))
        if len(group) > 1 and not (sure and before - after >= sum(saved for _, _, saved in group) / 2):
            half = len(group) // 2
            pending[:0] = [group[:half], group[half:]]
            continue
        ledger.judge(subject.name, chosen, before, after, sure)
        tell(Raced(tuple(problem for problem, _, _ in group), before, after, sure))


def final(course: Course, keys: Sequence[str], ledger: Ledger) -> tuple[Choices, float, float]:
    """What is chosen of `keys` in the end, and seconds per run of the network by the rules and so. Where all choices
    together do not make it faster, as when several small gains were luck, none is left."""
    choices = ledger.choices(keys)
    before, after, _ = course.race(UNTUNED, choices)
    if choices.settings and after >= before:
        ledger.judge(course.subject.name, dict(choices.settings), before, after, False)
        return UNTUNED, before, before
    return choices, before, after
