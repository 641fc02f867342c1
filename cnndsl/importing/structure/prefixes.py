"""Module calls for networks that tell of none and use weights more than once: they follow from the keys.

Of a part of the keys all of whose weights are used equally often, each use is one call, where that takes one tensor and
gives one; else the part is a module that is called once and calls its parts as often. A part that has a layer which is used several
times, beside others that are used once, is a module that is called once, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from cnndsl.importing.match import Piece
from cnndsl.importing.trace import ModuleCall


def called(pieces: Iterable[Piece], leaving: set[str]) -> list[Piece]:
    """The pieces with calls of modules around the uses of shared weights; as they are where they tell of modules."""
    pieces = list(pieces)
    counts = Counter(piece.label for piece in pieces if piece.label)
    shared = {label for label, count in counts.items() if count > 1}
    told = any(p.label.startswith(f"{call.path}.") for p in pieces for call in p.scope if p.label)
    return pieces if told or not shared else _Calls(pieces, counts, leaving).pieces_now()


class _Calls:
    def __init__(self, pieces: list[Piece], counts: Counter[str], leaving: set[str]) -> None:
        self.pieces = pieces
        self.counts = counts
        self.leaving = leaving
        self.scopes: dict[str, tuple[ModuleCall, ...]] = {piece.name: () for piece in pieces}
        self.producer = {piece.name: piece for piece in pieces}
        self.readers: dict[str, list[str]] = {}
        for piece in pieces:
            for name in piece.inputs:
                self.readers.setdefault(name, []).append(piece.name)
        self.turn: dict[str, int] = {}
        """Which use of its weights a piece is."""
        seen: Counter[str] = Counter()
        for piece in pieces:
            if piece.label:
                self.turn[piece.name] = seen[piece.label]
                seen[piece.label] += 1

    def pieces_now(self) -> list[Piece]:
        self.within("", [piece for piece in self.pieces if self.counts[piece.label] > 1])
        return [replace(piece, scope=(*self.scopes[piece.name], *piece.scope)) for piece in self.pieces]

    def within(self, prefix: str, members: list[Piece]) -> None:
        """Gives calls to the parts of one part of the keys."""
        start = len(prefix) + 1 if prefix else 0
        parts: dict[str, list[Piece]] = {}
        for piece in members:
            first, dot, _ = piece.label[start:].partition(".")
            if dot:
                parts.setdefault((prefix and f"{prefix}.{first}") or first, []).append(piece)
        for path, own in parts.items():
            whole = [p for p in self.pieces if p.label.startswith(f"{path}.")]
            if any(self.counts[p.label] < 2 for p in whole):
                # Some of it is used once: what is shared in it is found further inside. Where that is a layer of its own, it is a
                # module, whose body has a line for the share.
                if any("." not in p.label[len(path) + 1 :] for p in own):
                    for name in self.between({p.name for p in whole}):
                        self.scopes[name] = (*self.scopes[name], ModuleCall(path, _kind(path)))
                self.within(path, own)
                continue
            uses = self.uses(own)
            if uses is not None:
                for turn, use in enumerate(uses):
                    for name in use:
                        self.scopes[name] = (*self.scopes[name], ModuleCall(path, "", turn))
                self.inside(path, own, uses)
                continue
            for name in self.filled({p.name for p in own}):
                self.scopes[name] = (*self.scopes[name], ModuleCall(path, _kind(path)))
            self.within(path, own)

    def inside(self, prefix: str, members: list[Piece], uses: list[set[str]]) -> None:
        """Calls of the parts of what is called several times, each as often as that."""
        parts: dict[str, list[Piece]] = {}
        for piece in members:
            first, dot, _ = piece.label[len(prefix) + 1 :].partition(".")
            if dot:
                parts.setdefault(f"{prefix}.{first}", []).append(piece)
        for path, own in parts.items():
            found = []
            for turn, use in enumerate(uses):
                made = self.filled({p.name for p in own} & use) & use
                found.append(made)
                for name in made:
                    self.scopes[name] = (*self.scopes[name], ModuleCall(path, "", turn))
            self.inside(path, own, found)

    def uses(self, members: list[Piece]) -> list[set[str]] | None:
        """The pieces of each use, where each takes one tensor and gives one."""
        counts = {self.counts[piece.label] for piece in members}
        if len(counts) != 1:
            return None
        found = []
        for turn in range(counts.pop()):
            made = self.filled({p.name for p in members if self.turn[p.name] == turn})
            reads = {n for name in made for n in self.producer[name].inputs} - made
            gives = {n for n in made if n in self.leaving or any(r not in made for r in self.readers.get(n, ()))}
            if len(reads) != 1 or len(gives) != 1:
                return None
            found.append(made)
        return found

    def filled(self, made: set[str]) -> set[str]:
        """These pieces, and the ones without weights that take nothing but what these make."""
        made = set(made)
        for piece in self.pieces:
            if not piece.label and piece.inputs and all(name in made for name in piece.inputs):
                made.add(piece.name)
        return made

    def between(self, made: set[str]) -> set[str]:
        """These pieces, all that lie on a way from one of them to another, and the ones behind that only these lead to."""
        after, before = set(made), set(made)
        for piece in self.pieces:
            if any(name in after for name in piece.inputs):
                after.add(piece.name)
        for piece in reversed(self.pieces):
            if piece.name in before:
                before.update(name for name in piece.inputs if name in self.producer)
        return self.filled(after & before)


def _kind(path: str) -> str:
    """What the class of a module at these keys may be called."""
    return "".join(word.capitalize() for word in path.rpartition(".")[2].split("_"))
