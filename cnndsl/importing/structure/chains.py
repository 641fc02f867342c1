"""A graph as chains: by dominators, so that merges, shortcuts and gates need no pattern of their own.

From the output back, a merge begins where the paths of its branches part: at their nearest common dominator. A tensor
that is met a second time gets a name at its first place. What is no series-parallel graph is then still right.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from cnndsl.importing.match import Net, Piece
from cnndsl.importing.structure.elements import (
    ID,
    Chain,
    Element,
    Group,
    Layer,
    Line,
    Merge,
    Number,
    Output,
    Shared,
    Tensors,
    Use,
    Word,
)
from cnndsl.importing.structure.regions import Region
from cnndsl.importing.structure.skips import longest, skip
from cnndsl.importing.structure.words import word_of
from cnndsl.importing.trace import ModuleCall
from cnndsl.ir.shared.elementwise import Elementwise
from cnndsl.ir.tensor import TensorType

_ROOT = ""


def body_of(net: Net, whole: Region) -> Chain:
    """The network's body: its lines, then the chain of its one output or the names of its several."""
    types = dict(net.inputs) | {piece.name: piece.type for piece in net.pieces}
    counts = Counter(piece.scope[-1] for piece in net.pieces if piece.scope)
    walk = _Walk(whole, types, {call for call, count in counts.items() if count == 1})
    used = len(net.outputs) if net.inference is None else net.inference
    return walk.body(len(net.outputs) - used)


def _tapped(chain: Chain, named: set[str]) -> Chain:
    """Tensors that are used by name get it where they are made. Until now a `tap` is the value an element makes."""
    done: list[Element] = []
    for element in chain:
        element = replace(element, tap=element.tap if element.tap in named else "")
        if isinstance(element, Merge):
            element = replace(element, branches=tuple(_tapped(branch, named) for branch in element.branches))
        if isinstance(element, Line):
            # What a line makes has its name from the line.
            element = replace(element, body=_tapped(element.body, named - {*element.names}))
        done.append(element)
    return tuple(done)


def _begins(item: Piece | Region) -> bool:
    """Whether an item makes its tensor anew."""
    return isinstance(item, Piece) and item.op.begins


class _Walk:
    """One region's graph, walked from its results back to where it begins."""

    def __init__(self, region: Region, types: dict[str, TensorType], alone: set[ModuleCall]) -> None:
        self.region = region
        self.alone = alone
        """Calls of modules that are one layer."""
        self.types = types
        self.items: dict[str, Piece | Region] = {item.name: item for item in region.items}
        self.parent: dict[str, str] = {}
        """The nearest dominator of each value; `_ROOT` above several inputs and what modules with several ends give."""
        self.depth: dict[str, int] = {_ROOT: 0}
        self.emitted: set[str] = set()
        self.named: set[str] = set()
        self.lines: list[Element] = []
        self.shares: dict[str, Line] = {}
        apart = [item for item in region.items if isinstance(item, Region) and item.several]
        self.apart = {name: item for item in apart for name in item.results}
        single = len(region.sources) == 1 and not apart
        self.start = region.sources[0] if single else _ROOT
        for source in region.sources:
            self.parent[source] = _ROOT
            self.depth[source] = 0 if single else 1
        self.sources = set() if single else set(region.sources)
        self.free: set[str] = set()
        """What depends on no tensor that flows: a layer that begins a chain, and what is computed from it alone."""
        for item in region.items:
            if isinstance(item, Region) and item.several:
                for name in item.results:
                    self.parent[name], self.depth[name] = _ROOT, 1
                continue
            bound = [name for name in item.inputs if name not in self.free]
            if _begins(item) or not bound:
                self.free.add(item.name)
                bound = bound or list(item.inputs)
            above = bound[0]
            for name in bound[1:]:
                above = self.common(above, name)
            self.parent[item.name] = above
            self.depth[item.name] = self.depth[above] + 1

    def body(self, training: int = 0) -> Chain:
        """The lines of the region, and what ends it: a chain, or the names of several results."""
        region = self.region
        for item in region.items:
            if isinstance(item, Region) and item.several:
                self.bind_call(item)
        if len(region.results) == 1:
            (result,) = region.results
            chain = self.until(result, self.start)
            last: Chain = chain or (Use(name=self.arriving(result)),)
            ending = self.lines and last == (Use(name=result),)
            if ending and isinstance(self.lines[-1], Line) and self.lines[-1].names == (result,):
                last = self.lines.pop().body  # type: ignore[attr-defined]
        else:
            self.bound(region.results)
            last = (Output(names=tuple(self.arriving(n) for n in region.results), training=training),)
        return _tapped((*self.shares.values(), *self.lines, *last), self.named)

    def bind_call(self, item: Region) -> None:
        """A module with several ends as a line: `(p3, p4) = (c3, c4) → fpn: FPN`."""
        self.bound(item.sources)
        names = tuple(self.arriving(name) for name in item.sources)
        entering: Element = Tensors(names=names) if len(names) > 1 else Use(name=names[0])
        chain = (entering, self.group(item))
        self.lines.append(Line(names=item.results, body=chain))
        self.emitted.update(item.results)
        self.named.update(item.results)

    def bound(self, values: tuple[str, ...]) -> None:
        """Makes all these values, and gives them names: the one that most has to be made for comes first, so that the others
        may lie on its way."""
        left = [v for v in dict.fromkeys(values) if v != self.start and v not in self.sources]
        while left := [v for v in left if v not in self.emitted]:
            sizes = {value: len(self.needed(value)) for value in left}
            value = max(left, key=sizes.__getitem__)
            chain = self.until(value, self.start)
            self.lines.append(Line(names=(value,), body=chain))
        self.named.update(values)

    def needed(self, value: str) -> set[str]:
        """What is still to be made for a value."""
        found: set[str] = set()
        pending = [value]
        while pending:
            name = pending.pop()
            if name in found or name in self.emitted or name not in self.items or name in self.apart:
                continue
            found.add(name)
            pending += self.items[name].inputs
        return found

    def arriving(self, value: str) -> str:
        """The name of a value, `in` for the one that enters."""
        return "in" if self.region.sources == (value,) else value

    def common(self, a: str, b: str) -> str:
        while a != b:
            if self.depth[a] >= self.depth[b]:
                a = self.parent[a]
            else:
                b = self.parent[b]
        return a

    def until(self, value: str, start: str) -> Chain:
        """The elements from `start`, which has arrived, to `value`; none where they are the same tensor."""
        spine: list[str] = []
        here = value
        begin: Chain = ()
        while here != start:
            if here in self.emitted or here in self.sources:
                begin = (Use(name=self.name(here), leaving=self.types[here]),)
                break
            spine.append(here)
            if _begins(self.items[here]):
                break
            here = self.parent[here]
        chain = list(begin)
        for name in reversed(spine):
            chain += self.step(name, here)
            here = name
        return tuple(chain)

    def name(self, value: str) -> str:
        if value not in self.sources:
            self.named.add(value)
        return self.arriving(value)

    def step(self, name: str, start: str) -> list[Element]:
        """The item that makes a value, where `start` has arrived."""
        item = self.items[name]
        made: Element
        if isinstance(item, Piece) and isinstance(item.op, Elementwise) and item.op.numbers:
            made = self.with_numbers(item, item.op.numbers, start)
        elif len(item.inputs) == 1:
            made = self.element(item)
        else:
            assert isinstance(item, Piece)
            branches = tuple(self.until(source, start) or (ID,) for source in item.inputs)
            made = Merge(
                word=word_of(item.op, self.types[item.inputs[0]]),
                branches=branches,
                label=self.label(item),
                entering=self.types.get(start),
                leaving=item.type,
            )
            skipped = None
            if isinstance(made, Merge) and start in self.items and start not in self.region.inputs:
                skipped = skip(made, self.types[start].size, start)
                if skipped is not None:
                    self.named.add(start)
            if isinstance(made, Merge) and skipped is None:
                skipped = longest(made)
            if skipped is not None:
                self.emitted.add(name)
                *way, last = skipped
                return [*way, replace(last, tap=name)]
        self.emitted.add(name)
        return [replace(made, tap=name)]

    def with_numbers(self, item: Piece, numbers: tuple[float | None, ...], start: str) -> Merge:
        """A merge some of whose branches are numbers."""
        sources = iter(item.inputs)
        branches = tuple(
            (Number(value=n),) if n is not None else self.until(next(sources), start) or (ID,) for n in numbers
        )
        entering = self.types.get(start)
        return Merge(word=Word(item.op.word), branches=branches, entering=entering, leaving=item.type)

    def label(self, item: Piece) -> str:
        if item.label.startswith("#"):
            # The source has no name for it: its position in the program gives it one.
            return ""
        return item.label[len(self.region.path) + 1 :] if self.region.path and item.label else item.label

    def element(self, item: Piece | Region) -> Element:
        entering = self.types[item.inputs[0]]
        if isinstance(item, Piece):
            label = self.label(item) or self.attribute(item)
            made = Layer(
                word=word_of(item.op, entering),
                label=label,
                called=label,
                entering=entering,
                leaving=item.type,
                weighty=bool(item.label),
            )
            return self.shared(item, made) if item.name in self.region.uses else made
        return self.shared(item, self.group(item)) if item.name in self.region.uses else self.group(item)

    def group(self, item: Region) -> Group:
        """A region as a labelled bracket, or what becomes a block."""
        assert item.call is not None
        single = not item.several
        return Group(
            body=_Walk(item, self.types, self.alone).body(),
            label=item.path[len(self.region.path) + 1 :] if self.region.path else item.path,
            kind=item.call.kind,
            takes=item.sources if len(item.sources) > 1 else (),
            entering=self.types[item.sources[0]] if len(item.sources) == 1 else None,
            leaving=self.types[item.results[0]] if single else None,
        )

    def shared(self, item: Piece | Region, made: Layer | Group) -> Element:
        """A use of what is shared; the first one writes the `share`."""
        path = self.region.uses[item.name]
        if path not in self.shares:
            self.shares[path] = Line(names=(path,), body=(made,), share=True)
        return Shared(name=path, entering=made.entering, leaving=made.leaving)

    def attribute(self, item: Piece) -> str:
        """The place of a layer without weights among its module's children: its attribute, unless it is an activation's;
        a number in a `Sequential` always."""
        if not item.scope or item.scope[-1] not in self.alone:
            return ""
        path = item.scope[-1].path
        if self.region.path:
            if not path.startswith(f"{self.region.path}."):
                return ""
            path = path[len(self.region.path) + 1 :]
        last = path.rpartition(".")[2]
        if item.scope[-1].times or (item.op.category == "activation" and not last.isdigit()):
            return ""
        return path
