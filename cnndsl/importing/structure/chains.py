"""A graph as chains: by dominators, so that merges, shortcuts and gates need no pattern of their own.

From the output back, a merge begins where the paths of its branches part: at their nearest common dominator. A tensor
that is met a second time gets a name at its first place. What is no series-parallel graph is then still right.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from cnndsl.importing.match import Net, Piece
from cnndsl.importing.structure.elements import ID, Chain, Element, Group, Layer, Merge, Use, Word, everything
from cnndsl.importing.structure.regions import Region
from cnndsl.importing.structure.words import number, word_of
from cnndsl.importing.trace import ModuleCall
from cnndsl.ir.shared.elementwise import Elementwise
from cnndsl.ir.tensor import TensorType

_ROOT = ""


def statements(net: Net, whole: Region) -> tuple[tuple[str, Chain], ...]:
    """The chains of a network, one for each output."""
    types = dict(net.inputs) | {piece.name: piece.type for piece in net.pieces}
    inputs = tuple(name for name, _ in net.inputs)
    counts = Counter(piece.scope[-1] for piece in net.pieces if piece.scope)
    walk = _Walk(whole, inputs, types, {call for call, count in counts.items() if count == 1})
    found = []
    for label, value in net.outputs:
        start = inputs[0] if len(inputs) == 1 else _ROOT
        chain = walk.until(value, start) or (Use(name="in"),)
        found.append((label, chain))
    names = walk.named
    return tuple((label, _tapped(chain, names)) for label, chain in found)


def _tapped(chain: Chain, names: dict[str, str]) -> Chain:
    """Tensors that are used by name get it where they are made. Until now a `tap` is the value an element makes."""
    done: list[Element] = []
    for element in chain:
        element = replace(element, tap=names.get(element.tap, ""))
        if isinstance(element, Merge):
            element = replace(element, branches=tuple(_tapped(branch, names) for branch in element.branches))
        done.append(element)
    return tuple(done)


def _begins(item: Piece | Region) -> bool:
    """Whether an item makes its tensor anew."""
    return isinstance(item, Piece) and item.op.begins


def _is_short(branch: Chain) -> bool:
    """Whether a branch is a shortcut: `id`, or one layer without weights, such as a crop."""
    if branch == (ID,):
        return True
    (first, *more) = branch
    return not more and isinstance(first, Layer) and not first.weighty


class _Walk:
    """One region's graph, walked from its results back to where it begins."""

    def __init__(
        self, region: Region, sources: tuple[str, ...], types: dict[str, TensorType], alone: set[ModuleCall]
    ) -> None:
        self.region = region
        self.alone = alone
        """Calls of modules that are one layer."""
        self.types = types
        self.items: dict[str, Piece | Region] = {item.name: item for item in region.items}
        self.parent: dict[str, str] = {}
        """The nearest dominator of each value; `_ROOT` above several inputs."""
        self.depth: dict[str, int] = {_ROOT: 0}
        self.emitted: set[str] = set()
        self.named: dict[str, str] = {}
        single = len(sources) == 1
        for source in sources:
            self.parent[source] = _ROOT
            self.depth[source] = 0 if single else 1
        self.sources = set() if single else set(sources)
        self.free: set[str] = set()
        """What depends on no tensor that flows: a layer that begins a chain, and what is computed from it alone."""
        for item in region.items:
            bound = [name for name in item.inputs if name not in self.free]
            if _begins(item) or not bound:
                self.free.add(item.name)
                bound = bound or [item.inputs[0]]
            above = bound[0]
            for name in bound[1:]:
                above = self.common(above, name)
            self.parent[item.name] = above
            self.depth[item.name] = self.depth[above] + 1

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
        if value in self.sources:
            return value
        self.named.setdefault(value, f"t{len(self.named) + 1}")
        return self.named[value]

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
            skipped = self.skip(made, start) if isinstance(made, Merge) else None
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
            (Use(name=number(n)),) if n is not None else self.until(next(sources), start) or (ID,) for n in numbers
        )
        entering = self.types.get(start)
        return Merge(word=Word(item.op.word), branches=branches, entering=entering, leaving=item.type)

    def skip(self, merge: Merge, start: str) -> list[Element] | None:
        """A way to another size and back beside a shortcut, as U-Nets have it: the way, then a merge with the tensor named
        where it began."""
        if merge.word.name != "cat" or len(merge.branches) != 2 or start in (_ROOT, *self.region.inputs):
            return None
        places = [n for n, branch in enumerate(merge.branches) if _is_short(branch)]
        if len(places) != 1 or start not in self.items:
            return None
        long = merge.branches[1 - places[0]]
        nested = any(isinstance(e, Merge) and e.word.name == "cat" for e in everything(long))
        sizes = {e.leaving.size for e in everything(long) if e.leaving is not None}
        if isinstance(long[0], Use) or not (nested or len(sizes) > 1):
            return None
        branches: list[Chain] = [(ID,), (ID,)]
        way = () if merge.branches[places[0]] == (ID,) else merge.branches[places[0]]
        branches[places[0]] = (Use(name=self.name(start)), *way)
        return [*long, replace(merge, branches=tuple(branches), entering=long[-1].leaving)]

    def label(self, item: Piece) -> str:
        if item.label.startswith("#"):
            # The source has no name for it: its position in the program gives it one.
            return ""
        return item.label[len(self.region.path) + 1 :] if self.region.path and item.label else item.label

    def element(self, item: Piece | Region) -> Element:
        entering = self.types[item.inputs[0]]
        if isinstance(item, Piece):
            label = self.label(item) or self.attribute(item)
            return Layer(
                word=word_of(item.op, entering),
                label=label,
                entering=entering,
                leaving=item.type,
                weighty=bool(item.label),
            )
        inner = _Walk(item, (item.source,), self.types, self.alone)
        body = _tapped(inner.until(item.result, item.source), inner.named)
        path = item.path[len(self.region.path) + 1 :] if self.region.path else item.path
        assert item.call is not None
        return Group(body=body, label=path, kind=item.call.kind, entering=entering, leaving=self.types[item.result])

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
