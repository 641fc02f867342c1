"""How two tensors that do not fit came by their shapes: where their paths part, and each step on the way."""

from __future__ import annotations

from cnndsl.passes.draft.flow import Draft, Entrance, Wire

_MOST_STEPS = 8


def derivation(first: Wire, other: Wire) -> tuple[str, ...]:
    """Notes for a merge: the common start, and both paths with the layers that change the shape."""
    one, two = _path(first), _path(other)
    places = {id(wire.source): index for index, wire in enumerate(one)}
    meeting = next((index for index, wire in enumerate(two) if id(wire.source) in places), None)
    if meeting is None:
        return ()
    start = two[meeting]
    steps = _steps(one[: places[id(start.source)]], start), _steps(two[:meeting], start)
    return (f"both paths start from {_what(start)}, {start.type}", f"the first: {steps[0]}", f"the other: {steps[1]}")


def _path(wire: Wire) -> list[Wire]:
    """The tensors behind one another, back to an input; through a merge, by its first branch."""
    path = [wire]
    while isinstance(path[-1].source, Draft):
        path.append(path[-1].source.inputs[0])
    return path


def _steps(path: list[Wire], start: Wire) -> str:
    said, shape = [], start.type
    for wire in reversed(path):
        if wire.type != shape and isinstance(wire.source, Draft):
            said.append(f"{wire.source.op.word} → {wire.type}")
        shape = wire.type
    if len(said) > _MOST_STEPS:
        said = [*said[: _MOST_STEPS // 2], "…", *said[-_MOST_STEPS // 2 :]]
    return ", ".join(said) or "unchanged"


def _what(wire: Wire) -> str:
    if isinstance(wire.source, Entrance):
        return f"the input `{wire.source.name}`"
    line, _ = wire.source.span.source.line_and_column(wire.source.span.start)
    return f"`{wire.source.op.word}` in line {line}"
