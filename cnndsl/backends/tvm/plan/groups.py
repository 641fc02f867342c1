"""Which steps run as one kernel: a layer, and on its way out what needs one element of each tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cnndsl.backends.tvm.plan.routes import Route, find_routes
from cnndsl.backends.tvm.program.steps import Program, Step
from cnndsl.ir.op import Op
from cnndsl.ops.avg_pool import AvgPool
from cnndsl.ops.conv import Conv
from cnndsl.ops.fc import FC
from cnndsl.ops.gn import GN
from cnndsl.ops.in_ import IN
from cnndsl.ops.max_pool import MaxPool

Tail = tuple[Op | None, ...]
"""What is done to each element of a result before it is stored, in order: a pointwise layer, or None for the sum with
the next residual."""

_TAILED = (Conv, FC, GN, IN, AvgPool, MaxPool)
"""Layers with a kernel of their own that does a tail on its way out. That of convolutions also adds residuals."""


@dataclass(frozen=True, eq=False)
class Group:
    """An anchor and its tail, which one kernel computes; `residuals` are the tensors that the tail adds, in order.

    A step that only moves channels has a `route` instead, and stands for the steps `before` it that only moved
    channels, too: the route begins at the inputs of these."""

    anchor: Step
    tail: tuple[Step, ...] = ()
    residuals: tuple[str, ...] = ()
    before: tuple[Step, ...] = ()
    route: Route | None = None

    @property
    def last(self) -> Step:
        return (self.anchor, *self.tail)[-1]

    @property
    def ops(self) -> Tail:
        return tuple(None if step.op.combines == "add" and step.op.is_plain else step.op for step in self.tail)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The tensors that the group reads, residuals included."""
        return (*(self.route.sources if self.route else self.anchor.inputs), *self.residuals)

    def describe(self) -> str:
        """One line: the result, what is computed, and of what."""
        words = " → ".join(step.op.word for step in (*self.before, self.anchor, *self.tail))
        return f"{self.last.name}: {self.last.type} = {words} of {', '.join(self.inputs)}"


def plan(program: Program) -> tuple[Group, ...]:
    """Every step in exactly one group, or in one for each reader where it only moves channels. A group is
    placed at its last step: by then everything it reads has been computed.

    Of two convolutions that meet in a sum the later one adds, when the result of the earlier one is ready.
    """
    readers = program.readers()
    following: dict[str, Step] = {name: step for step in program.steps for name in step.inputs}
    # Convolutions have the first claim on what follows them, then the other layers, then lone activations.
    sums = [step for step in reversed(program.steps) if isinstance(step.op, Conv)]
    others = [step for step in program.steps if not isinstance(step.op, Conv) and _has_tail(step)]
    rest = [step for step in program.steps if not _has_tail(step)]
    routing = find_routes(program)
    taken = routing.dissolved
    groups: dict[str, Group] = {}
    for step in (*sums, *others, *rest):
        if step.name in taken:
            continue
        if step.name in routing.routes:
            groups[step.name] = Group(step, before=routing.through[step.name], route=routing.routes[step.name])
            continue
        grows = _has_tail(step) or step.is_pointwise
        group = _grown(Group(step), readers, following, taken) if grows else Group(step)
        taken.update(s.name for s in group.tail)
        groups[group.last.name] = group
    return tuple(groups[step.name] for step in program.steps if step.name in groups)


def _has_tail(step: Step) -> bool:
    """Whether the step's kernel can do pointwise ops on its way out."""
    joins = step.op.combines is not None and not step.is_pointwise
    return isinstance(step.op, _TAILED) or joins or step.op.scales_channels


def _grown(group: Group, readers: Mapping[str, int], following: Mapping[str, Step], taken: set[str]) -> Group:
    while (
        readers[group.last.name] == 1
        and (step := following.get(group.last.name)) is not None
        and step.name not in taken
    ):
        if step.is_pointwise:
            group = Group(group.anchor, (*group.tail, step), group.residuals)
        elif isinstance(group.anchor.op, Conv) and _is_plain_sum(step):
            (other,) = set(step.inputs) - {group.last.name}
            group = Group(group.anchor, (*group.tail, step), (*group.residuals, other))
        else:
            break
    return group


def _is_plain_sum(step: Step) -> bool:
    same = len(step.xs) == 2 and step.xs[0] == step.xs[1]
    return step.op.combines == "add" and step.op.is_plain and same and step.inputs[0] != step.inputs[1]
