"""Which instances of a class one block can say, and their bodies made alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnndsl.importing.structure.blocks.alike import NONE, Unlike, unified
from cnndsl.importing.structure.elements import (
    ID,
    Call,
    Chain,
    Choice,
    Cut,
    Group,
    Layer,
    Line,
    Merge,
    Output,
    Shared,
    Tensors,
    Use,
    Vector,
    Word,
    everything,
    has_lines,
    inner,
    local_names,
)
from cnndsl.importing.structure.repeats import folded
from cnndsl.ir.op import find

_MOST_CHOICES = 0.4
"""The share of a block's elements that may be there only if: above it the class is two blocks."""


_TOO_MANY_CHOICES = 0.6
"""The same for a class that would be many blocks."""
_FEW_BUILDS = 2
"""How many blocks a class may become instead."""


def families(groups: list[Group], *, mixed: bool = True) -> list[list[Group]]:
    """Instances that one block can say: all of a class where they go together, else those of one build; without `mixed`,
    those of one build alone."""
    must = any(is_statement(group) for group in groups)
    if len(groups) < 2 or must or not mixed:
        kinds = _by_build(groups)
        return [family for family in kinds if len(family) > 1 or must]
    try:
        together = _share_of_choices(unified(alike_bodies(groups)))
    except Unlike:
        together = 1.0
    kinds = _by_build(groups)
    if together <= _MOST_CHOICES or (together <= _TOO_MANY_CHOICES and len(kinds) > _FEW_BUILDS):
        return [groups]
    if len(kinds) > _FEW_BUILDS:
        kinds = _close(kinds)
    return [family for family in kinds if len(family) > 1]


def _close(kinds: list[list[Group]]) -> list[list[Group]]:
    """Builds together that one block says with few choices, those of which there is most first."""
    found: list[list[Group]] = []
    for own in sorted(kinds, key=len, reverse=True):
        for family in found:
            try:
                if _share_of_choices(unified(alike_bodies([*family, *own]))) <= _MOST_CHOICES:
                    family += own
                    break
            except Unlike:
                continue
        else:
            found.append([*own])
    return found


def _by_build(groups: list[Group]) -> list[list[Group]]:
    kinds: dict[Any, list[Group]] = {}
    for group in groups:
        local = local_names(group)
        kinds.setdefault((len(local.takes), build_of(folded(local.body))), []).append(group)
    return list(kinds.values())


def is_statement(group: Group) -> bool:
    """Whether it can be written as a block alone."""
    return bool(group.takes) or has_lines(group.body)


def _share_of_choices(body: Chain) -> float:
    """How many of a body's layers and calls are there only if."""
    whole = [e for e in everything(body) if isinstance(e, Layer | Call)]
    some = [
        e
        for c in everything(body)
        if isinstance(c, Choice) and not _is_activation(c) and not c.otherwise
        for e in everything(c.body)
        if isinstance(e, Layer | Call)
    ]
    return len({id(e) for e in some}) / max(len(whole), 1)


def _is_activation(choice: Choice) -> bool:
    return len(choice.body) == 1 and isinstance(choice.body[0], Layer) and "act" in _category(choice.body[0])


def _category(layer: Layer) -> str:
    words = layer.word.values if isinstance(layer.word, Vector) else (layer.word,)
    ops = [find(word.name) for word in words if isinstance(word, Word)]
    return next((op.category for op in ops if op is not None), "")


def build_of(chain: Chain) -> Any:
    """A chain's skeleton: its elements' kinds, words and labels."""
    found: list[Any] = []
    for element in chain:
        what: Any = type(element).__name__
        if isinstance(element, Layer) and isinstance(element.word, Word):
            what = element.word.name
        elif isinstance(element, Call):
            what = element.block
        elif isinstance(element, Use | Shared):
            what = element.name
        elif isinstance(element, Tensors | Line | Output | Cut):
            what = (what, element.names)
        elif isinstance(element, Merge):
            what = element.word.name
        found.append((what, element.label, bool(element.tap), tuple(build_of(deeper) for deeper in inner(element))))
    return tuple(found)


def alike_bodies(groups: list[Group]) -> list[Chain]:
    """The bodies, a merge around those that lack the one that their siblings have."""
    return wrapped_alike([folded(local_names(group).body) for group in groups])


def wrapped_alike(bodies: list[Chain]) -> list[Chain]:
    """The same for bodies."""
    merged = [n for n, body in enumerate(bodies) if body and any(isinstance(e, Merge) for e in body)]
    if not merged or len(merged) == len(bodies):
        return bodies
    sample = bodies[merged[0]]
    place = next(n for n, e in enumerate(sample) if isinstance(e, Merge))
    merge, before, after = sample[place], sample[:place], sample[place + 1 :]
    assert isinstance(merge, Merge)
    ways = [n for n, branch in enumerate(merge.branches) if branch != (ID,)]
    if len(merge.branches) != 2 or len(ways) != 1 or merge.label:
        return bodies
    wrapped = []
    for body in bodies:
        if any(isinstance(e, Merge) for e in body) or len(body) <= len(before) + len(after):
            wrapped.append(body)
            continue
        start, end = len(before), len(body) - len(after)
        if build_of(body[:start]) != build_of(before) or build_of(body[end:]) != build_of(after):
            wrapped.append(body)
            continue
        branches: list[Chain] = [NONE, NONE]
        branches[ways[0]] = body[start:end]
        around = replace(merge, branches=tuple(branches), entering=body[start].entering, leaving=body[end - 1].leaving)
        wrapped.append((*body[:start], around, *body[end:]))
    return wrapped
