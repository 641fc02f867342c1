"""Takes repeats apart: their rounds become items of the part around the repeat, and alike rounds become runs."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.backends.drawing.diagram.alike import Rounds
from cnndsl.backends.drawing.diagram.parts import Part


def unfold(part: Part, rounds: Rounds | None) -> Part:
    """The part without repeats and rounds, except for runs of alike ones; `rounds` is None to draw every round."""
    items: list[int | Part] = []
    for item in part.items:
        if not isinstance(item, Part) or item.kind == "run":
            # A run comes from a repeat in a repeat, and is taken apart already.
            items.append(item)
        elif item.kind == "repeat":
            items += _repeat(item, rounds)
        else:
            items.append(unfold(item, rounds))
    if rounds is not None:
        items = rounds.runs(items)
    spliced: list[int | Part] = []
    for item in items:
        spliced += item.items if isinstance(item, Part) and item.kind == "round" else [item]
    return replace(part, items=spliced)


def _repeat(repeat: Part, rounds: Rounds | None) -> list[int | Part]:
    bodies = [unfold(item, rounds) for item in repeat.items if isinstance(item, Part)]
    if repeat.name:
        # `layer1: Bottleneck(64)×3` opens a scope: a cluster of its own around the rounds.
        group = Part(repeat.key, "group", repeat.name.rpartition(".")[2], repeat.name, [])
        group.items = [item for body in bodies for item in _body(body, repeat.key)]
        return [unfold(group, rounds)]
    if len(bodies) == 1:
        return bodies[0].items
    return [item for body in bodies for item in _body(body, repeat.key)]


def _body(body: Part, origin: str) -> list[int | Part]:
    """A round as one part: the block, where the round is nothing but one block, else the round itself."""
    if len(body.items) == 1 and isinstance(body.items[0], Part) and body.items[0].kind != "run":
        return [replace(body.items[0], origin=origin)]
    return [replace(body, kind="round", origin=origin)]
