"""Which module calls stay together: those that hold weights of their own alone, and take and give few tensors.

All others are dissolved into the module that called them; their weights then have dotted labels, so that a correct text
always exists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cnndsl.importing.match import Net, Piece
from cnndsl.importing.refuse import Unproved
from cnndsl.importing.structure.prefixes import called
from cnndsl.importing.structure.sharing import Sharing, sharing
from cnndsl.importing.trace import ModuleCall

_MOST_ENDS = 24
"""Tensors at an end of a module that is a block."""
_LEAST_LAYERS = 2
"""Layers with weights of a module that takes several tensors, for a block of its own."""
_CONTAINERS = {"", "Sequential", "ModuleList", "ModuleDict"}


@dataclass(frozen=True)
class Region:
    """A module call that stays: its items in order, each a layer or a smaller region, the values it reads and those it
    makes, both in the order in which they are made. The whole network is one, too."""

    call: ModuleCall | None
    items: tuple[Piece | Region, ...]
    sources: tuple[str, ...]
    results: tuple[str, ...]
    uses: Mapping[str, str] = field(default_factory=dict)
    """Items whose weights others use, too: the path of what is shared, by the item's name."""

    @property
    def name(self) -> str:
        return self.results[0]

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.sources

    @property
    def path(self) -> str:
        return self.call.path if self.call else ""

    @property
    def several(self) -> bool:
        """Whether it takes or gives several tensors, and so is a statement and no element of a chain."""
        return len(self.sources) != 1 or len(self.results) != 1


def unstructured(net: Net) -> Region:
    """The network as one region of layers alone."""
    labels = Counter(piece.label for piece in net.pieces if piece.label)
    uses = {piece.name: piece.label for piece in net.pieces if labels[piece.label] > 1}
    sources, results = (tuple(name for name, _ in net.inputs), tuple(name for _, name in net.outputs))
    return Region(None, net.pieces, sources, results, uses)


def regions(net: Net, *, several: bool = True, shares: bool = True) -> Region:
    """The network as nested regions; without `several` each takes one tensor and gives one, and without `shares` none has
    layers that it shares among its own."""
    pieces = _hoisted(called(net.pieces, {name for _, name in net.outputs}))
    nesting = _Nesting(net, pieces, several, shares)
    return nesting.region(None, pieces)


def _hoisted(pieces: list[Piece]) -> list[Piece]:
    """A merge without weights that begins a module which reads several tensors belongs to the caller."""
    for _ in range(4):
        inside = by_call(pieces)
        moved: dict[str, ModuleCall] = {}
        for call, members in inside.items():
            made = {piece.name for piece in members}
            readers = [p for p in members if any(name not in made for name in p.inputs)]
            outside = {name for p in members for name in p.inputs if name not in made}
            if len(outside) > 1 and len(readers) == 1 and readers[0].op.merges and len(members) > 1:
                moved[readers[0].name] = call
        if not moved:
            return pieces
        pieces = [replace(p, scope=p.scope[: p.scope.index(moved[p.name])]) if p.name in moved else p for p in pieces]
    return pieces


def by_call(pieces: list[Piece]) -> dict[ModuleCall, list[Piece]]:
    """The pieces in each module call, those in calls inside of it among them."""
    inside: dict[ModuleCall, list[Piece]] = {}
    for piece in pieces:
        for call in piece.scope:
            inside.setdefault(call, []).append(piece)
    return inside


class _Nesting:
    """Which calls are kept, and the regions that follow."""

    def __init__(self, net: Net, pieces: list[Piece], several: bool, shares: bool) -> None:
        self.place = {name: n for n, name in enumerate((*(n for n, _ in net.inputs), *(p.name for p in pieces)))}
        self.readers: dict[str, list[Piece]] = {}
        for piece in pieces:
            for name in piece.inputs:
                self.readers.setdefault(name, []).append(piece)
        self.leaving = {name for _, name in net.outputs}
        self.results = tuple(name for _, name in net.outputs)
        self.sources = tuple(name for name, _ in net.inputs)
        inside = by_call(pieces)
        self.ends = {call: self.ends_of(members) for call, members in inside.items()}
        single = {call for call, (reads, gives) in self.ends.items() if len(reads) == len(gives) == 1}
        self.sharing: Sharing = sharing(pieces, inside, single)
        self.kept = self.kept_of(inside, single, several) - self.sharing.holding(_CONTAINERS if shares else None)
        self.ordered(inside)

    def ordered(self, inside: dict[ModuleCall, list[Piece]]) -> None:
        """Puts what a kept module gives in the order in which others first read it, and what one takes in the order in which
        another gives it: levels of a pyramid then stand alike everywhere. Several modules of one class give it in the order in
        which it is made, so that all of them do alike."""
        first = {name: self.place[readers[0].name] for name, readers in self.readers.items()}
        rank: dict[str, float] = dict(self.place)
        kept = [call for call in inside if call in self.kept and len(self.ends[call][1]) > 1]
        kinds = Counter(call.kind for call in kept)
        for call in sorted(kept, key=lambda c: -len(c.path)):
            if kinds[call.kind] > 1:
                continue
            made = {piece.name for piece in inside[call]}
            for name in self.ends[call][1]:
                outside = [r for r in self.readers.get(name, ()) if r.name not in made]
                first[name] = self.place[outside[0].name] if outside else len(self.place) + self.results.index(name)
            gives = sorted(self.ends[call][1], key=first.__getitem__)
            rank |= dict(zip(gives, sorted(rank[name] for name in gives), strict=True))
        for call in self.kept:
            enter, leave = (tuple(sorted(names, key=rank.__getitem__)) for names in self.ends[call])
            self.ends[call] = (enter, leave)

    def ends_of(self, members: list[Piece]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The tensors that enter and leave some pieces, in the order in which they are made."""
        made = {piece.name for piece in members}
        reads = {name for piece in members for name in piece.inputs} - made
        gives = {n for n in made if n in self.leaving or any(r.name not in made for r in self.readers.get(n, ()))}
        return (tuple(sorted(reads, key=self.place.__getitem__)), tuple(sorted(gives, key=self.place.__getitem__)))

    def kept_of(self, inside: dict[ModuleCall, list[Piece]], single: set[ModuleCall], several: bool) -> set[ModuleCall]:
        # What stands in a shared module is called as often as that.
        times = Counter(call.path for call in inside)
        paths: dict[str, float] = dict(times)
        for call, members in inside.items():
            above = members[0].scope[: members[0].scope.index(call)]
            outer = [c for c in above if c in self.sharing.calls]
            if outer:
                paths[call.path] = times[call.path] / times[outer[0].path]
        kinds = Counter(call.kind for call in inside)
        kept = set(self.sharing.calls)
        for call, members in inside.items():
            labels = {piece.label for piece in members if piece.label}
            if paths[call.path] != 1 or not labels or any(not label.startswith(f"{call.path}.") for label in labels):
                continue
            reads, gives = self.ends[call]
            if call in single:
                kept.add(call)
            elif several and call.kind not in _CONTAINERS and max(len(reads), len(gives)) <= _MOST_ENDS and reads:
                instances = kinds[call.kind] > 1
                if instances or (len(reads) > 1 and len(labels) >= _LEAST_LAYERS):
                    kept.add(call)
        return self.sharing.without_between(kept)

    def region(self, call: ModuleCall | None, pieces: list[Piece]) -> Region:
        inner: dict[ModuleCall, list[Piece]] = {}
        order: list[Piece | ModuleCall] = []
        for piece in pieces:
            behind = piece.scope.index(call) + 1 if call is not None else 0
            smaller = next((c for c in piece.scope[behind:] if c in self.kept), None)
            if smaller is None:
                order.append(piece)
            else:
                if smaller not in inner:
                    order.append(smaller)
                inner.setdefault(smaller, []).append(piece)
        items: list[Piece | Region] = []
        uses: dict[str, str] = {}
        for item in order:
            if isinstance(item, Piece):
                items.append(item)
                if item.label in self.sharing.labels:
                    uses[item.name] = item.label
                continue
            smaller_region = self.region(item, inner[item])
            items.append(smaller_region)
            if item in self.sharing.calls:
                uses[smaller_region.name] = item.path
        sources, results = self.ends[call] if call is not None else (self.sources, self.results)
        if call is not None and call in self.sharing.calls:
            uses = {}
        return Region(call, tuple(_sorted(items)), sources, results, uses)


def _sorted(items: list[Piece | Region]) -> list[Piece | Region]:
    """In an order in which each comes after what it reads; else as they were called."""
    made = {name for item in items for name in made_by(item)}
    done: set[str] = set()
    ordered: list[Piece | Region] = []
    pending = items
    while pending:
        waiting = []
        for item in pending:
            if all(name in done or name not in made for name in item.inputs):
                ordered.append(item)
                done.update(made_by(item))
            else:
                waiting.append(item)
        if len(waiting) == len(pending):
            raise Unproved("its modules need each other's results")
        pending = waiting
    return ordered


def made_by(item: Piece | Region) -> tuple[str, ...]:
    """What an item makes, by name."""
    return item.results if isinstance(item, Region) else (item.name,)
