"""What part of the input each position of a tensor sees.

An interval analysis over the graph, in exact numbers, one axis at a time. On an axis, output position `o` sees the
input's positions from `start + stride·o` to `start + stride·o + size - 1`; some may lie in the padding. One pass
over the nodes, in the sense of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019.

- Branches that join see the hull of what each sees. Where centres or strides differ they are `unaligned`; so is
  everything after. With other strides, the interval holds what any position of that map sees.
- Behind an upsampling neighbours see different amounts: `unaligned`, and the interval holds what either sees.
- What sees the whole input is `global`, and stays so. Joined with others by `add` or `cat` it makes the result
  global, as in the image pooling of ASPP. A global branch of `mul` is a gate (squeeze-and-excitation) and is left out,
  unless `strict` is asked for. Normalisations' statistics and channel-wise layers count as seeing their own position alone.
- Where several inputs reach a tensor, its field is that in the first of them, in the graph's order.
- A tensor whose axes are not the input's any more (tokens of a map) has no field until something sees all of it; nor has one
  behind a layer that changes sizes and says neither `window_over` nor `reach`.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Literal, NamedTuple

from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.reach import Number, Reach
from cnndsl.ir.tensor import TensorType

State = Literal["exact", "unaligned", "global"]
WORSE: tuple[State, ...] = ("exact", "unaligned", "global")


class View(NamedTuple):
    """One axis: position `o` sees the input from `stride·o + first` to `stride·o + last`, in pixels of the input."""

    stride: Number
    first: Number
    last: Number
    state: State

    @property
    def center(self) -> Number:
        """Twice the middle of what position 0 sees."""
        return self.first + self.last


class Field(NamedTuple):
    """A view of one input along each axis; the tensor's axes, or the input's where the tensor has none left."""

    input: str
    views: tuple[View, ...]

    @property
    def size(self) -> tuple[int, ...]:
        """Pixels that a position sees, the largest number of them where positions differ."""
        return tuple(floor(v.last - v.first) + 1 for v in self.views)

    @property
    def stride(self) -> tuple[Number, ...]:
        """Pixels from one position to the next; 0 where all see the same, below 1 behind upsampling."""
        return tuple(_plain(v.stride) for v in self.views)

    @property
    def start(self) -> tuple[int, ...]:
        """The first pixel that position 0 sees: minus the padding."""
        return tuple(ceil(v.first) for v in self.views)

    @property
    def state(self) -> State:
        return max((v.state for v in self.views), key=WORSE.index)


class _Lost(NamedTuple):
    """Depends on an input, but on axes of its own."""

    input: str


_Known = Field | _Lost | None


def receptive_fields(graph: Graph, *, strict: bool = False) -> dict[str, Field | None]:
    """What a position of every tensor sees of the input, by the tensor's name; the inputs are among them.

    Each has `.size`, `.stride` and `.start` in pixels, an entry for each axis of the input, and `.state`: `exact`,
    `unaligned` or `global`. None stands for a tensor that depends on no input with axes (a constant, a vector of numbers),
    or whose axes are rearranged. With `strict` also what gates (squeeze-and-excitation) see is counted."""
    types = graph.types
    rank = {i.name: n for n, i in enumerate(graph.inputs)}
    whole = {i.name: _whole(i.name, _size(i.type)) for i in graph.inputs}
    known: dict[str, _Known] = {}
    for given in graph.inputs:
        size = _size(given.type)
        known[given.name] = Field(given.name, (View(1, 0, 0, "exact"),) * len(size)) if size else None
    for node in graph.nodes:
        xs = tuple([types[name] for name in node.inputs])
        # Of an input beside the first, a layer that is no merge takes the size alone.
        arriving = [known[name] for name in (node.inputs if node.op.merges else node.inputs[:1])]
        reached = [field.input for field in arriving if field]
        if not reached:
            known[node.name] = None
            continue
        source = reached[0] if len(reached) == 1 else min(reached, key=rank.__getitem__)
        if node.op.begins:
            known[node.name] = None
            continue
        alone = node.op.merges and len(reached) == 1
        if node.op.sees_all(xs[0]) and not (alone and _mixes_an_axis(node, xs, arriving)):
            known[node.name] = whole[source]
            continue
        seen = [
            _through(node, xs, index, field, whole[source])
            for index, field in enumerate(arriving)
            if field and field.input == source
        ]
        known[node.name] = seen[0] if len(seen) == 1 else _join(seen, node, whole[source], strict=strict)
    return {name: field if isinstance(field, Field) else None for name, field in known.items()}


def last_map(graph: Graph, fields: dict[str, Field | None]) -> tuple[str, Field] | None:
    """The field of the last feature map before a global operation: of the last node on the way to the main output that
    has a field and is not global; else of the first input with axes. With the tensor's name."""
    for node in reversed(_main(graph)):
        field = fields[node.name]
        if field and field.state != "global":
            return node.name, field
    return _first_input(graph, fields)


def network_receptive_field(graph: Graph, fields: dict[str, Field | None]) -> tuple[str, Field] | None:
    """What the network's main output is made of: the field of the last feature map on the way to it. Where that map sees
    the whole input (attention, a graph's convolution), or there is none before everything is seen (a fully connected
    network), it is `global`. With the tensor's name. None where a layer behind that map looks further along axes that are not the input's
    any more, and where no input has axes."""
    lost = _lost(graph, fields)
    nodes = _main(graph)
    for node in reversed(nodes):
        field = fields[node.name]
        if node.name in lost:
            if _looks_further(graph, node):
                return None
            continue
        if field and (field.state != "global" or max(node.type.size, default=1) > 1):
            return node.name, field
    if nodes and (field := fields[nodes[-1].name]):
        return nodes[-1].name, field
    return _first_input(graph, fields)


def _looks_further(graph: Graph, node: Node) -> bool:
    """Whether an output position may see more than one position of an input, wherever that lies."""
    xs = graph.input_types(node)
    return node.op.category in ("pooling", "attention") or node.op.macs(xs, node.type) > 0


def _main(graph: Graph) -> list[Node]:
    """The nodes on the way to the first output of inference, in order."""
    wanted = {next(output.node for output in graph.outputs if not output.training)}
    found = []
    for node in reversed(graph.nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
            found.append(node)
    return found[::-1]


def _first_input(graph: Graph, fields: dict[str, Field | None]) -> tuple[str, Field] | None:
    return next(((given.name, field) for given in graph.inputs if (field := fields[given.name])), None)


def _lost(graph: Graph, fields: dict[str, Field | None]) -> set[str]:
    """The nodes that depend on an input with axes, and on which of its positions is not known."""
    lost: set[str] = set()
    for node in graph.nodes:
        arriving = node.inputs if node.op.merges else node.inputs[:1]
        if fields[node.name] is None and any(fields[name] is not None or name in lost for name in arriving):
            lost.add(node.name)
    return lost


def _size(x: TensorType) -> tuple[int, ...]:
    """The axes along which positions are counted; in a vector of indices, such as words, the vector itself."""
    return x.shape if x.kind == "vector" and not x.dtype.startswith(("float", "bfloat")) else x.size


def _whole(name: str, size: tuple[int, ...]) -> Field:
    return Field(name, tuple(View(0, 0, n - 1, "global") for n in size))


def _through(node: Node, xs: tuple[TensorType, ...], index: int, field: Field | _Lost, whole: Field) -> Field | _Lost:
    """What the output sees through one of the inputs."""
    if isinstance(field, _Lost):
        return field
    x, y = xs[index], node.type
    if len(field.views) != len(_size(x)):
        # All of the input is seen, by a tensor with more or fewer axes than the input: so it is by what it is made into.
        return whole
    reaches = node.op.reach(xs, y, index)
    if reaches is None:
        window = None if node.op.merges else node.op.window_over(x)
        if window:
            reaches = tuple(map(_slide, window.stride, window.before, window.extent, range(x.rank)))
        elif (x.shape == y.shape and x.channel_axis == y.channel_axis) or _size(x) == _size(y):
            return field
        elif node.op.merges and x.rank == y.rank:
            reaches = tuple(map(_stretch, _size(x), _size(y), range(y.rank)))
        else:
            return whole if all(view.state == "global" for view in field.views) else _Lost(field.input)
    return Field(field.input, tuple(_compose(field.views[reach.axis], reach) for reach in reaches))


def _mixes_an_axis(node: Node, xs: tuple[TensorType, ...], arriving: list[_Known]) -> bool:
    """Whether a merge of one tensor and constants, such as a product with a trained matrix, says what it sees of that one."""
    return any(field and node.op.reach(xs, node.type, index) is not None for index, field in enumerate(arriving))


def _slide(stride: int, before: int, extent: int, axis: int) -> Reach:
    return Reach(stride, -before, extent - 1 - before, axis)


def _stretch(size: int, stretched: int, axis: int) -> Reach:
    """A branch at the same position; on an axis of size 1 that stretches, all see the one there is."""
    return Reach(0 if size < stretched else 1, 0, 0, axis)


def _compose(view: View, reach: Reach) -> View:
    stride, first, last, state = view
    if reach.stride == 0 or stride == 0:
        state = "global"
    elif not reach.even and state == "exact":
        state = "unaligned"
    return View(stride * reach.stride, first + stride * reach.first, last + stride * reach.last, state)


def _join(seen: list[Field | _Lost], node: Node, whole: Field, *, strict: bool) -> Field | _Lost:
    fields = [field for field in seen if isinstance(field, Field)]
    every = [field for field in fields if field.state == "global"]
    if node.op.gates and not strict and len(every) < len(seen):
        seen = [field for field in seen if field not in every]
        fields = [field for field in fields if field not in every]
        every = []
    if len(fields) < len(seen):
        return whole if every else seen[0] if isinstance(seen[0], _Lost) else _Lost(whole.input)
    if all(field == fields[0] for field in fields):
        return fields[0]
    if len({len(field.views) for field in fields}) > 1:
        return whole
    size = _size(node.type) or tuple(1 for _ in whole.views)
    return Field(
        whole.input,
        tuple(
            _hull([field.views[axis] for field in fields], positions, whole.views[axis])
            for axis, positions in enumerate(size)
        ),
    )


def _hull(views: list[View], positions: int, whole: View) -> View:
    every = [view.state == "global" for view in views]
    if any(every) and not all(every):
        return whole
    stride = views[0].stride
    drifts = [(view.stride - stride) * (positions - 1) for view in views]
    first = min(view.first + min(drift, 0) for view, drift in zip(views, drifts, strict=True))
    last = max(view.last + max(drift, 0) for view, drift in zip(views, drifts, strict=True))
    state = max((view.state for view in views), key=WORSE.index)
    if state == "exact" and len({(view.stride, view.center) for view in views}) > 1:
        state = "unaligned"
    return View(stride, first, last, state)


def _plain(number: Number) -> Number:
    return number.numerator if isinstance(number, Fraction) and number.denominator == 1 else number
