"""Which module calls stay together: those that take one tensor, give one, and hold weights of their own alone.

All others are dissolved into the module that called them; their weights then have dotted labels, so that a correct text
always exists.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from cnndsl.importing.match import Net, Piece
from cnndsl.importing.trace import ModuleCall


@dataclass(frozen=True)
class Region:
    """A module call that stays: its items in order, each a layer or a smaller region, the one value it reads and the one
    it makes. The whole network is one, too, with "" for what it reads and makes."""

    call: ModuleCall | None
    items: tuple[Piece | Region, ...]
    source: str
    result: str

    @property
    def name(self) -> str:
        return self.result

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.source,)

    @property
    def path(self) -> str:
        return self.call.path if self.call else ""


def regions(net: Net) -> Region:
    """The network as nested regions."""
    pieces = _hoisted(net)
    kept = _kept(pieces, {name for _, name in net.outputs})
    return _nested(None, pieces, kept, "", "")


def _hoisted(net: Net) -> list[Piece]:
    """A merge without weights that begins a module which reads several tensors belongs to the caller."""
    pieces = list(net.pieces)
    for _ in range(4):
        inside = _by_call(pieces)
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


def _by_call(pieces: list[Piece]) -> dict[ModuleCall, list[Piece]]:
    inside: dict[ModuleCall, list[Piece]] = {}
    for piece in pieces:
        for call in piece.scope:
            inside.setdefault(call, []).append(piece)
    return inside


def _kept(pieces: list[Piece], leaving: set[str]) -> set[ModuleCall]:
    readers: dict[str, list[Piece]] = {}
    for piece in pieces:
        for name in piece.inputs:
            readers.setdefault(name, []).append(piece)
    inside = _by_call(pieces)
    paths = Counter(call.path for call in inside)
    return {
        call for call, members in inside.items() if paths[call.path] == 1 and _is_whole(call, members, readers, leaving)
    }


def _is_whole(call: ModuleCall, members: list[Piece], readers: dict[str, list[Piece]], leaving: set[str]) -> bool:
    labels = [piece.label for piece in members if piece.label]
    if not labels or any(not label.startswith(f"{call.path}.") for label in labels):
        return False
    made = {piece.name for piece in members}
    reads = {name for piece in members for name in piece.inputs} - made
    gives = {name for name in made if name in leaving or any(r.name not in made for r in readers.get(name, ()))}
    return len(reads) == 1 and len(gives) == 1


def _nested(call: ModuleCall | None, pieces: list[Piece], kept: set[ModuleCall], source: str, result: str) -> Region:
    depth = 0
    items: list[Piece | Region] = []
    inner: dict[ModuleCall, list[Piece]] = {}
    order: list[Piece | ModuleCall] = []
    for piece in pieces:
        behind = piece.scope.index(call) + 1 if call is not None else depth
        smaller = next((c for c in piece.scope[behind:] if c in kept), None)
        if smaller is None:
            order.append(piece)
        else:
            if smaller not in inner:
                order.append(smaller)
            inner.setdefault(smaller, []).append(piece)
    for item in order:
        if isinstance(item, Piece):
            items.append(item)
            continue
        members = inner[item]
        made = {piece.name for piece in members}
        (reads,) = {name for piece in members for name in piece.inputs} - made
        read = {name for p in pieces if p.name not in made for name in p.inputs}
        gives = next((p.name for p in reversed(members) if p.name in read), members[-1].name)
        items.append(_nested(item, members, kept, reads, gives))
    return Region(call, tuple(_sorted(items)), source, result)


def _sorted(items: list[Piece | Region]) -> list[Piece | Region]:
    """In an order in which each comes after what it reads; else as they were called."""
    made = {item.name for item in items}
    done: set[str] = set()
    ordered: list[Piece | Region] = []
    pending = items
    while pending:
        waiting = []
        for item in pending:
            if all(name in done or name not in made for name in item.inputs):
                ordered.append(item)
                done.add(item.name)
            else:
                waiting.append(item)
        pending = waiting
    return ordered
