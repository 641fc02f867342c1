"""Which names stand for one tensor, and which are parts of another: what is written into one is read through all of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from cnndsl.importing.trace import Node, Ref


@dataclass(eq=False)
class Place:
    """A tensor in memory: the operation that makes what it holds by now, and the tensor that it is a view of."""

    value: str
    parent: Place | None = None
    how: Node | None = None
    """The operation that cuts the view out of its parent, or lays it out in other axes."""
    views: list[Place] = field(default_factory=list)

    def way(self) -> tuple[Place, tuple[object, ...]]:
        """The tensor at the root, and how to come from there."""
        if self.parent is None or self.how is None:
            return self, ()
        root, before = self.parent.way()
        told = {k: v for k, v in self.how.arguments.items() if k != "self"}
        return root, (*before, (self.how.target, self.how.shape, tuple(told.items())))


class Places:
    """The tensors of a trace by name. `shapes` are those of what operations make, `still` what depends on no input."""

    def __init__(self, shapes: dict[str, tuple[int, ...]], still: set[str]) -> None:
        self.shapes = shapes
        self.still = still
        self.by_name: dict[str, Place] = {}
        self.count = 0

    def at(self, name: str) -> Place:
        return self.by_name.setdefault(name, Place(name))

    def seen(self, name: str) -> str:
        """The operation that makes what this name stands for by now."""
        found = self.by_name.get(name)
        return name if found is None else found.value

    def same(self, name: str, other: str) -> None:
        """One tensor with two names."""
        self.by_name[name] = self.at(other)

    def copied(self, name: str, other: str) -> None:
        """A tensor of its own that holds what the other does."""
        self.by_name[name] = Place(self.at(other).value)

    def view(self, name: str, other: str, how: Node) -> None:
        """A part of another tensor, or all of it along other axes."""
        made = Place(name, self.at(other), how)
        self.at(other).views.append(made)
        self.by_name[name] = made

    def one_place(self, name: str, other: str) -> bool:
        """Whether two names are the same part of one tensor."""
        a, b = (self.at(n) for n in (name, other))
        (root_a, way_a), (root_b, way_b) = a.way(), b.way()
        return root_a is root_b and way_a == way_b

    def write(self, name: str, value: str, added: Ref | None = None) -> Iterator[Node]:
        """What changes where an operation writes into a tensor: those it is a part of, and the other parts of those.

        `added` is what was added to it, where that is all that the operation did.
        """
        here = self.at(name)
        here.value = value
        yield from self._down(here, None)
        while here.parent is not None and here.how is not None:
            parent = here.parent
            added = yield from self._up(parent, here.how, here.value, added)
            yield from self._down(parent, here)
            here = parent

    def batched(self, name: str) -> int:
        """How many axes there are before those that operations count."""
        return 0 if name in self.still else 1

    def _name(self, how: Node, end: str) -> str:
        self.count += 1
        return f"{how.name}.{end}{self.count}"

    def _made(self, how: Node, end: str, target: str, arguments: dict[str, object], shape: tuple[int, ...]) -> Node:
        made = Node(self._name(how, end), target, arguments, shape, how.dtype, how.scope)
        self.shapes[made.name] = shape
        if all(ref.name in self.still for ref in made.refs()):
            self.still.add(made.name)
        return made

    def _up(self, parent: Place, how: Node, value: str, added: Ref | None) -> Generator[Node, None, Ref | None]:
        """The tensor with its part replaced; gives what was added to it."""
        whole = Ref(parent.value)
        shape = self.shapes[parent.value]
        given = how.arguments
        if how.target == "slice" and given["step"] == 1:
            axis = given["axis"] + self.batched(parent.value)
            length = shape[axis]
            before, after = given["start"], length - given["stop"]
            if added is not None and len(shape) > 3 and axis > 1:
                pads = [0, 0] * (len(shape) - axis - 1) + [before, after]
                padded = {"self": added, "pad": pads, "mode": "constant", "value": None}
                wide = self._made(how, "wide", "pad", padded, shape)
                total = self._made(how, "sum", "add", {"self": whole, "other": Ref(wide.name)}, shape)
                yield wide
                yield total
                parent.value = total.name
                return Ref(wide.name)
            parts = []
            for start, stop in ((0, before), (length - after, length)):
                if start == stop:
                    continue
                cut = {"self": whole, "axis": given["axis"], "start": start, "stop": stop, "step": 1}
                size = (*shape[:axis], stop - start, *shape[axis + 1 :])
                part = self._made(how, "rest", "slice", cut, size)
                yield part
                parts.append((start, Ref(part.name)))
            tensors = [ref for _, ref in sorted([*parts, (before, Ref(value))], key=lambda pair: pair[0])]
            made = self._made(how, "whole", "cat", {"tensors": tensors, "axis": given["axis"]}, shape)
        elif how.target == "permute":
            axes = given["axes"]
            back = tuple(axes.index(n) for n in range(len(axes)))
            made = self._made(how, "whole", "permute", {"self": Ref(value), "axes": back}, shape)
        elif how.target == "reshape":
            made = self._made(how, "whole", "reshape", {"self": Ref(value)}, shape)
        else:
            made = self._made(how, "whole", "writing at steps of an axis", {"self": whole}, shape)
        yield made
        parent.value = made.name
        return None

    def _down(self, place: Place, apart: Place | None) -> Iterator[Node]:
        """The views of a tensor that has changed, one of them aside."""
        for view in place.views:
            if view is apart or view.how is None:
                continue
            shape = self.shapes.get(view.how.name, view.how.shape)
            arguments = {**view.how.arguments, "self": Ref(place.value)}
            made = self._made(view.how, "now", view.how.target, arguments, shape)
            yield made
            view.value = made.name
            yield from self._down(view, None)
