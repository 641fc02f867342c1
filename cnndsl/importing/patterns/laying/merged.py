"""Every so many-th position along axes, cut out by steps: neighbours become channels, or all but one of them go away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

from cnndsl.importing.patterns.attending.channels import channels_of
from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web, common
from cnndsl.ir.tensor import MOST_AXES

TARGETS = ("cat", "slice")


def rewrite(web: Web, node: Node) -> Node | None:
    """Changes of layout instead of steps."""
    return _merged(web, node) if node.target == "cat" else _thinned(web, node)


@dataclass(frozen=True)
class _Steps:
    """What is cut out of a tensor: by axis, the step and the position at which it begins."""

    x: Ref
    steps: dict[int, int]
    starts: dict[int, int]
    slices: tuple[Node, ...]


def _steps(web: Web, value: Any, *, alone: bool = True) -> _Steps | None:
    """The steps along each axis, where each takes a whole number of times what it steps over."""
    here, steps, starts, slices = value, {}, {}, []
    find = web.alone if alone else web.made
    while (cut := find(here, "slice")) is not None and cut.arguments["step"] > 1:
        given = cut.arguments
        axis, length = given["axis"], web.shape(given["self"])[1 + given["axis"]]
        if axis in steps or length % given["step"] or given["start"] >= given["step"]:
            return None
        if cut.shape[1 + axis] * given["step"] != length:
            return None
        steps[axis], starts[axis] = given["step"], given["start"]
        slices.append(cut)
        here, find = given["self"], web.made
    return _Steps(here, steps, starts, tuple(slices)) if steps else None


def _neighbours(web: Web, node: Node) -> tuple[list[_Steps], tuple[int, ...]] | None:
    """The parts of a concatenation that are all neighbours of each position, and the axes along which they lie: the last of
    these changes fastest."""
    parts = [_steps(web, ref) for ref in node.arguments["tensors"]]
    found = [part for part in parts if part is not None]
    if len(found) < 2 or len(found) != len(parts):
        return None
    first = found[0]
    if any(part.x != first.x or part.steps != first.steps for part in found) or node.arguments["axis"] in first.steps:
        return None
    if len(web.shape(first.x)) - 1 + len(first.steps) > MOST_AXES:
        return None
    for order in permutations(first.steps):
        wanted: list[dict[int, int]] = [{}]
        for stepped in order:
            wanted = [{**one, stepped: n} for one in wanted for n in range(first.steps[stepped])]
        if [part.starts for part in found] == wanted:
            return found, order
    return None


def _merged(web: Web, node: Node) -> Node | None:
    """All neighbours side by side in the channels: each axis apart in blocks of neighbours, those put before the channels."""
    neighbours = _neighbours(web, node)
    if neighbours is None:
        return None
    (found, order), axis = neighbours, node.arguments["axis"]
    first = found[0]
    shape = web.shape(first.x)
    apart, places = _apart(shape[1:], first.steps)
    scope = common(node, *(cut for part in found for cut in part.slices))
    blocks = Node(f"{node.name}.blocks", "reshape", {"self": first.x}, (shape[0], *apart), scope=scope)
    inner = [places[stepped] + 1 for stepped in order]
    axes = [n for n in range(len(apart)) if n not in inner]
    axes[axes.index(places[axis]) : axes.index(places[axis])] = inner
    turned = Node(
        f"{node.name}.neighbours",
        "permute",
        {"self": Ref(blocks.name), "axes": tuple(axes)},
        (shape[0], *(apart[n] for n in axes)),
        scope=scope,
    )
    web.insert(blocks, before=node.name)
    web.insert(turned, before=node.name)
    return replace(node, target="reshape", arguments={"self": Ref(turned.name)}, scope=scope)


def _apart(shape: tuple[int, ...], steps: dict[int, int]) -> tuple[list[int], dict[int, int]]:
    """The shape with an axis of neighbours behind each axis that is stepped along, and where each axis then is."""
    apart: list[int] = []
    places = {}
    for axis, length in enumerate(shape):
        places[axis] = len(apart)
        apart += [length // steps[axis], steps[axis]] if axis in steps else [length]
    return apart, places


def _goes_on(web: Web, reader: Node) -> bool:
    """Whether a step is part of more: of steps along another axis, or of neighbours."""
    if reader.target == "slice":
        return bool(reader.arguments["step"] > 1)
    return reader.target == "cat" and _neighbours(web, reader) is not None


def _thinned(web: Web, node: Node) -> Node | None:
    """One of each block of neighbours."""
    if any(_goes_on(web, reader) for reader in web.readers(node.name)):
        return None
    found = _steps(web, Ref(node.name), alone=False)
    if found is None:
        return _pooled(web, node)
    if web.still(found.x):
        return None
    shape = web.shape(found.x)
    apart, places = _apart(shape[1:], found.steps)
    if len(apart) > MOST_AXES:
        return None
    made = Node(f"{node.name}.blocks", "reshape", {"self": found.x}, (shape[0], *apart), scope=node.scope)
    web.insert(made, before=node.name)
    for axis, start in found.starts.items():
        place = places[axis] + 1
        cut = {"self": Ref(made.name), "axis": place, "start": start, "stop": start + 1, "step": 1}
        shape = (*made.shape[: place + 1], 1, *made.shape[place + 2 :])
        made = Node(f"{node.name}.one{axis}", "slice", cut, shape, scope=node.scope)
        web.insert(made, before=node.name)
    return replace(node, target="reshape", arguments={"self": Ref(made.name)})


def _pooled(web: Web, node: Node) -> Node | None:
    """Every so many-th position from the first on, where the last step goes beyond the end: a pool that sees one position."""
    here, steps = Ref(node.name), {}
    while (cut := web.made(here, "slice")) is not None and cut.arguments["step"] > 1:
        given = cut.arguments
        if given["axis"] in steps or given["start"] or given["stop"] < web.shape(given["self"])[1 + given["axis"]]:
            return None
        steps[given["axis"]] = given["step"]
        here = given["self"]
    shape = web.shape(here)
    rank, channels = len(shape) - 1, channels_of(web, here)
    if not steps or web.still(here) or channels in steps or not 2 <= rank <= 4 or channels not in (0, rank - 1):
        return None
    stride = [steps.get(axis, 1) for axis in range(rank) if axis != channels]
    arguments = {
        "self": here, "kernel_size": [1] * (rank - 1), "stride": stride, "padding": [0] * (rank - 1), "ceil_mode": False,
        "count_include_pad": True, "divisor_override": None,
    }  # fmt: skip
    if channels == 0:
        return replace(node, target=f"avg_pool{rank - 1}d", arguments=arguments)
    first = (channels, *range(rank - 1))
    turned = Node(
        f"{node.name}.first",
        "permute",
        {"self": here, "axes": first},
        (shape[0], *(shape[1 + n] for n in first)),
        scope=node.scope,
    )
    web.insert(turned, before=node.name)
    thin = (shape[0], shape[-1], *node.shape[1:-1])
    pool = Node(
        f"{node.name}.thin", f"avg_pool{rank - 1}d", {**arguments, "self": Ref(turned.name)}, thin, scope=node.scope
    )
    web.insert(pool, before=node.name)
    return replace(node, target="permute", arguments={"self": Ref(pool.name), "axes": (*range(1, rank), 0)})
