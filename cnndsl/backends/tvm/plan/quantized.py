"""Which steps of a network run on whole numbers, and which of them are one kernel.

The plan follows from the program and from the layers that are kept in float32, and from nothing else: a network that was
calibrated on one machine means the same on every other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, prod
from typing import Literal

from cnndsl.backends.tvm.plan.groups import Group, plan
from cnndsl.backends.tvm.plan.routes import find_routes
from cnndsl.backends.tvm.plan.taps import find_positions
from cnndsl.backends.tvm.program.steps import Program, Step
from cnndsl.ir.op import Op
from cnndsl.ops.adaptive_avg_pool import AdaptiveAvgPool
from cnndsl.ops.avg_pool import AvgPool
from cnndsl.ops.clip import Clip
from cnndsl.ops.conv import Conv
from cnndsl.ops.fc import FC
from cnndsl.ops.flatten import Flatten
from cnndsl.ops.global_avg_pool import GlobalAvgPool
from cnndsl.ops.global_max_pool import GlobalMaxPool
from cnndsl.ops.max_pool import MaxPool
from cnndsl.ops.pixel_shuffle import PixelShuffle
from cnndsl.ops.relu import ReLU
from cnndsl.ops.relu6 import ReLU6
from cnndsl.quantization.arithmetic import MOST_PRODUCTS

Kind = Literal["product", "sum", "scaled", "norm", "mean", "max", "table", "move", "float"]
"""What a group computes: products with weights; the sum of two maps; their product; a lone batch norm; means or maxima of
windows; a table of a pointwise layer; a map in another order; or something in float32."""


@dataclass(frozen=True, eq=False)
class QuantizedGroup:
    """Steps that one kernel computes on whole numbers, or, of kind float, in float32."""

    group: Group
    """Its tail holds sums with residuals (of kind product alone), and behind them at most one layer that clamps."""
    kind: Kind
    rounds: bool = True
    """Whether the result is a map of whole numbers; else it is real numbers, float32."""

    @property
    def name(self) -> str:
        """The tensor that the group makes."""
        return self.group.last.name

    def describe(self) -> str:
        """One line: the kind, the result, what is computed, and of what."""
        return f"{self.kind}{'' if self.rounds else ', to real numbers'}: {self.group.describe()}"

    @property
    def clamp(self) -> tuple[float, float]:
        """Between which real numbers the result lies."""
        bounds = [found for step in self.group.tail if (found := clamp_of(step.op)) is not None]
        return bounds[0] if bounds else (-inf, inf)


def clamp_of(op: Op) -> tuple[float, float] | None:
    """The bounds of a layer that does nothing but clamp; None for all others."""
    if isinstance(op, ReLU):
        return (0.0, inf)
    if isinstance(op, ReLU6):
        return (0.0, 6.0)
    return (op.low, op.high) if isinstance(op, Clip) else None


def plan_quantized(program: Program, keep: frozenset[str] = frozenset()) -> tuple[QuantizedGroup, ...]:
    """Every step in one group, or in one for each reader where it only moves channels; groups in the order in which
    they can run. `keep` names layers that stay in float32."""
    groups = _grouped(program, keep)
    groups = _settled(program, groups)
    read_as_numbers = {name for g in groups if g.kind != "float" for name in g.group.inputs}
    return tuple(
        replace(g, rounds=g.kind != "float" and (g.name in read_as_numbers or g.kind != "product")) for g in groups
    )


def with_tails(program: Program, groups: Sequence[QuantizedGroup]) -> tuple[QuantizedGroup, ...]:
    """The same groups, but that a layer in float32 has its tail in float32 with it, as one kernel computes them, where nothing
    between the two is rounded."""
    rounded = set(rounded_tensors(program, groups))
    real = {g.name for g in groups if g.kind == "float" and g.group.route is None}
    whole: dict[str, QuantizedGroup] = {}
    inner: set[str] = set()
    for group in plan(program):
        *before, last = (step.name for step in (group.anchor, *group.tail))
        if before and real.issuperset((*before, last)) and not rounded.intersection(before):
            whole[last] = QuantizedGroup(group, "float", rounds=False)
            inner.update(before)
    return tuple(whole.get(g.name, g) for g in groups if g.name not in inner)


def left_real(groups: Sequence[QuantizedGroup]) -> tuple[str, ...]:
    """The layers with weights that are computed in float32, in order."""
    return tuple(
        step.name
        for g in groups
        if g.kind == "float"
        for step in (g.group.anchor, *g.group.tail)
        if "weight" in step.weights
    )


def rounded_tensors(program: Program, groups: Sequence[QuantizedGroup]) -> tuple[str, ...]:
    """The tensors that are rounded, in order: what groups on whole numbers read, and what they make. Every reader of such
    a tensor reads the rounded numbers, one that computes in float32, too."""
    names = {name for g in groups if g.kind != "float" for name in g.group.inputs}
    names |= {g.name for g in groups if g.rounds}
    order = [*program.inputs, *(g.name for g in groups)]
    return tuple(name for name in order if name in names)


def tied(program: Program, groups: Sequence[QuantizedGroup]) -> tuple[tuple[str, ...], ...]:
    """The tensors that have one scale: the parts of a concatenation and their whole, a map and what is the same numbers
    in another order, and a map and the maxima of its windows. Only sets of two and more are told."""
    rounded = rounded_tensors(program, groups)
    parent = {name: name for name in rounded}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for g in groups:
        if g.kind in ("move", "max"):
            for source in g.group.inputs:
                parent[root(source)] = root(g.name)
    sets: dict[str, list[str]] = {}
    for name in rounded:
        sets.setdefault(root(name), []).append(name)
    return tuple(tuple(names) for names in sets.values() if len(names) > 1)


def _grouped(program: Program, keep: frozenset[str]) -> list[QuantizedGroup]:
    readers = program.readers()
    following: dict[str, Step] = {name: step for step in program.steps for name in step.inputs}
    routing = find_routes(program)
    taken = set(routing.dissolved)
    made: dict[str, QuantizedGroup] = {}
    products = [step for step in reversed(program.steps) if _kind(step, keep) == "product"]
    for step in (*products, *(step for step in program.steps if step not in products)):
        if step.name in taken:
            continue
        if step.name in routing.routes:
            route = routing.routes[step.name]
            found = QuantizedGroup(Group(step, before=routing.through[step.name], route=route), "move")
        else:
            kind = _kind(step, keep)
            group = Group(step)
            if kind in ("product", "sum", "scaled", "norm", "mean"):
                group = _grown(group, kind == "product", readers, following, taken)
                taken.update(s.name for s in group.tail)
            found = QuantizedGroup(group, kind)
        made[found.name] = found
    return [made[step.name] for step in program.steps if step.name in made]


def _grown(
    group: Group, sums: bool, readers: Mapping[str, int], following: Mapping[str, Step], taken: set[str]
) -> Group:
    """The group with what follows it: sums with residuals, where it may have them, and then one layer that clamps."""
    while readers[group.last.name] == 1:
        step = following.get(group.last.name)
        if step is None or step.name in taken:
            break
        if clamp_of(step.op) is not None and step.type.dtype == "float32":
            return Group(group.anchor, (*group.tail, step), group.residuals)
        if not sums or not isinstance(group.anchor.op, Conv) or not _adds_two(step):
            break
        (other,) = set(step.inputs) - {group.last.name}
        group = Group(group.anchor, (*group.tail, step), (*group.residuals, other))
    return group


def _settled(program: Program, groups: list[QuantizedGroup]) -> list[QuantizedGroup]:
    """With groups of other kinds than product in float32 where rounding would gain nothing: those that read no result of
    whole numbers, and those whose result only groups in float32 read."""
    inputs_read = {name for g in groups if g.kind == "product" for name in g.group.inputs if name in program.inputs}
    kinds = {g.name: g.kind for g in groups}
    changed = True
    while changed:
        changed = False
        numbers = {name for name, kind in kinds.items() if kind != "float"} | inputs_read
        read = {name for g in groups if kinds[g.name] != "float" for name in g.group.inputs}
        for g in groups:
            if kinds[g.name] in ("float", "product"):
                continue
            if g.name not in read or not numbers.intersection(g.group.inputs):
                kinds[g.name], changed = "float", True
    return [replace(g, kind=kinds[g.name]) for g in groups]


def _kind(step: Step, keep: frozenset[str]) -> Kind:
    op = step.op
    if step.name in keep or any(t.dtype != "float32" for t in (*step.xs, step.type)):
        return "float"
    if isinstance(op, Conv | FC):
        return "product" if _has_products(step) else "float"
    if isinstance(op, Flatten):
        return "move" if step.xs[0].channel_axis == 0 else "float"
    if step.is_pointwise:
        return "table"
    if not step.is_image:
        return "float"
    return _kind_of_image(step)


def _kind_of_image(step: Step) -> Kind:
    op = step.op
    if isinstance(op, MaxPool | GlobalMaxPool):
        return "max"
    if isinstance(op, GlobalAvgPool) or (isinstance(op, AvgPool | AdaptiveAvgPool) and _means_alike(step, op)):
        return "mean"
    if _adds_two(step):
        return "sum"
    if op.combines == "mul" and op.is_plain and _multiplies_two(step):
        return "scaled"
    if find_positions(step) is not None or (isinstance(op, PixelShuffle) and op.order == "crd"):
        return "move"
    return "norm" if op.scales_channels else "float"


def _has_products(step: Step) -> bool:
    """Whether all sums of the layer are exact in int32, and its kernel takes its form."""
    if isinstance(step.op, FC):
        return step.xs[0].kind == "vector" and step.weights["weight"].shape[1] <= MOST_PRODUCTS
    weight = step.weights["weight"]
    zeros = isinstance(step.op, Conv) and step.op.pad_mode == "zeros"
    return step.is_image and zeros and prod(weight.shape[1:]) <= MOST_PRODUCTS


def _means_alike(step: Step, op: AvgPool | AdaptiveAvgPool) -> bool:
    """Whether all windows have the same number of positions in the map, or count the zeros around it."""
    (x,) = step.xs
    window = op.window_over(x)
    if window is None:
        return False
    filled = window.after_filled(x.size)
    return not any(window.before + filled) or (isinstance(op, AvgPool) and op.count_pad and filled == window.after)


def _adds_two(step: Step) -> bool:
    """Whether the step adds two maps of one size."""
    same = len(step.xs) == 2 and step.xs[0] == step.xs[1]
    return step.is_image and step.op.combines == "add" and step.op.is_plain and same and len(set(step.inputs)) == 2


def _multiplies_two(step: Step) -> bool:
    """Whether the step multiplies a map by another, or by a number for each channel."""
    a, *others = sorted(step.xs, key=lambda x: -x.elements)
    return len(others) == 1 and (others[0] == a or (others[0].channels == a.channels and prod(others[0].size) == 1))
