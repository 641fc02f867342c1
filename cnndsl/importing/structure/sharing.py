"""Weights that are used more than once: which module calls, and which single layers, are uses of one `share`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from cnndsl.importing.match import Piece
from cnndsl.importing.trace import ModuleCall


@dataclass(frozen=True)
class Sharing:
    """What is shared: calls of modules that do the same each time, and labels of layers outside of these."""

    calls: frozenset[ModuleCall]
    labels: frozenset[str]
    above: dict[str, list[tuple[ModuleCall, ...]]]
    """The calls around each use, by the path of what is shared."""

    def without_between(self, kept: set[ModuleCall]) -> set[ModuleCall]:
        """The calls to keep without those that hold some of the uses of a share, and not all."""
        for scopes in self.above.values():
            holding = set.intersection(*(set(scope) for scope in scopes))
            kept = kept - ({call for scope in scopes for call in scope} - holding)
        return kept

    def holding(self, kinds: set[str] | None) -> set[ModuleCall]:
        """The calls of modules of these kinds, or of all, around what is shared: a share is a line, and a bracket has none."""
        calls = {call for scopes in self.above.values() for scope in scopes for call in scope}
        return {call for call in calls if kinds is None or call.kind in kinds} - self.calls


def sharing(pieces: list[Piece], inside: dict[ModuleCall, list[Piece]], single: set[ModuleCall]) -> Sharing:
    """The largest modules that are called several times, take one tensor, give one, and do the same each time; and what
    layers are shared besides. `single` are the calls that take one tensor and give one."""
    times: dict[str, list[ModuleCall]] = {}
    for call in inside:
        times.setdefault(call.path, []).append(call)
    chosen: set[ModuleCall] = set()
    above: dict[str, list[tuple[ModuleCall, ...]]] = {}
    for path, calls in sorted(times.items(), key=lambda item: len(item[0])):
        if len(calls) < 2 or any(c in chosen for call in calls for c in inside[call][0].scope):
            continue
        members = [inside[call] for call in calls]
        labels = {piece.label for piece in members[0] if piece.label}
        if not labels or any(not label.startswith(f"{path}.") for label in labels):
            continue
        if all(call in single for call in calls) and len({_build(own) for own in members}) == 1:
            chosen.update(calls)
            above[path] = [own[0].scope[: own[0].scope.index(call)] for call, own in zip(calls, members, strict=True)]
    loose = [piece for piece in pieces if piece.label and not any(call in chosen for call in piece.scope)]
    counts = Counter(piece.label for piece in loose)
    shared = frozenset(label for label, count in counts.items() if count > 1)
    for piece in loose:
        if piece.label in shared:
            above.setdefault(piece.label, []).append(piece.scope)
    return Sharing(frozenset(chosen), shared, above)


def _build(members: list[Piece]) -> Any:
    """What pieces do and how they hang together, for comparison."""
    places = {piece.name: n for n, piece in enumerate(members)}
    return tuple(
        (piece.op.model_dump_json(), piece.op.word, piece.label, tuple(places.get(name, -1) for name in piece.inputs))
        for piece in members
    )
