"""What an expression computes more than once is computed once, in a step of its own."""

from __future__ import annotations

from collections import Counter

from cnndsl.backends.pytorch.expression import Call, Expression, Operation, Value, everywhere, substituted
from cnndsl.backends.pytorch.writing.template import Assignment


def steps_of(expression: Expression, inputs: int) -> tuple[Assignment, ...]:
    """The steps that give the expression's value, which is the last one's result, over that many numbered inputs."""
    # Until the order of all steps is known, their results have numbers below zero. The expression itself is the last step.
    steps: list[tuple[int, Expression]] = [(0, expression)]
    while (again := _repeated([whole for _, whole in steps])) is not None:
        mark = -len(steps)
        first = next(index for index, (_, whole) in enumerate(steps) if again in everywhere(whole))
        steps = [(number, _exchanged(whole, {again: Value(mark)})) for number, whole in steps]
        steps.insert(first, (mark, again))
    names: dict[Expression, Expression] = {
        Value(mark): Value(inputs + index) for index, (mark, _) in enumerate(steps) if mark < 0
    }
    return tuple(Assignment(_exchanged(whole, names), (inputs + index,)) for index, (_, whole) in enumerate(steps))


def _repeated(expressions: list[Expression]) -> Expression | None:
    """The largest piece of work that occurs more than once."""
    counts = Counter(part for whole in expressions for part in everywhere(whole) if isinstance(part, Call | Operation))
    several = [part for part, count in counts.items() if count > 1]
    return max(several, key=lambda part: sum(1 for _ in everywhere(part)), default=None)


def _exchanged(whole: Expression, others: dict[Expression, Expression]) -> Expression:
    return substituted(whole, others.get)
