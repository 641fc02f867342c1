"""Modules of one class become one block, and each of them a call of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cnndsl.importing.refuse import Unproved
from cnndsl.importing.structure.blocks.alike import Unlike, unified
from cnndsl.importing.structure.blocks.conditions import Conditions
from cnndsl.importing.structure.blocks.families import alike_bodies, families, is_statement
from cnndsl.importing.structure.blocks.lengths import Lengths
from cnndsl.importing.structure.blocks.likeness import classed
from cnndsl.importing.structure.blocks.names import name_slots
from cnndsl.importing.structure.blocks.order import CONTAINERS, inner_first, unnested
from cnndsl.importing.structure.blocks.solve import Solver
from cnndsl.importing.structure.elements import (
    Block,
    Call,
    Chain,
    Choice,
    Element,
    Expression,
    Group,
    Layer,
    Merge,
    Number,
    Output,
    Parameter,
    Repeat,
    Word,
    everything,
    has_lines,
    inner,
    local_names,
    with_inner,
)
from cnndsl.importing.structure.labels import positioned
from cnndsl.importing.structure.levels import with_tuples
from cnndsl.importing.structure.repeats import folded, tabled
from cnndsl.ir.op import registry

_LEAST_ELEMENTS = 2


def with_blocks(body: Chain, *, mixed: bool = True) -> tuple[tuple[Block, ...], Chain]:
    """The blocks of a program in the order of their definition, and its body with calls of them. Without `mixed` all calls of a
    block are of one build."""
    blocks: list[Block] = []
    if all(g.kind in CONTAINERS or is_statement(g) for g in everything(body) if isinstance(g, Group)):
        body = classed(body)
    body = unnested(body)
    for kind in inner_first(body):
        groups = list(_instances(body, kind))
        calls: dict[int, Call] = {}
        for family in families(groups, mixed=mixed):
            roles = {(b.name, p.name): p.role for b in blocks for p in b.parameters}
            made = _block(_free(kind, blocks), family, roles)
            if made is not None:
                blocks.append(made[0])
                calls |= {id(group): call for group, call in zip(family, made[1], strict=True)}
        body = positioned(_replaced(body, calls))
    if any(isinstance(e, Group) and has_lines(e.body) for e in everything(body)):
        raise Unproved("a module with lines of its own became no block")
    fixed = [name for element in body if isinstance(element, Output) for name in element.names]
    return tuple(blocks), with_tuples((), tabled(folded(body)), fixed)[1]


def _instances(chain: Chain, kind: str) -> Iterator[Group]:
    for element in chain:
        if isinstance(element, Group) and element.kind == kind:
            yield element
            continue
        for deeper in inner(element):
            yield from _instances(deeper, kind)


def _replaced(chain: Chain, calls: Mapping[int, Call]) -> Chain:
    return tuple(
        calls[id(element)] if id(element) in calls else with_inner(element, lambda deeper: _replaced(deeper, calls))
        for element in chain
    )


def _free(kind: str, blocks: list[Block]) -> str:
    """The class's name as a block's: no layer's word, and no other block's name."""
    name = re.sub(r"[^A-Za-z0-9_]", "", kind).lstrip("_0123456789") or "Block"
    name = name[0].upper() + name[1:]
    if any(name.lower() == word.lower() for word in registry()) or _windowed(name):
        name = f"{name}Block"
    taken = {block.name for block in blocks}
    count = 2
    plain = name
    while name in taken:
        name = f"{plain}{count}" if not plain[-1].isdigit() else f"{plain}_{count}"
        count += 1
    return name


def _windowed(name: str) -> bool:
    from cnndsl.passes.values.visible import split_word

    return split_word(name) is not None


def _block(name: str, groups: list[Group], roles: Mapping[tuple[str, str], str]) -> tuple[Block, list[Call]] | None:
    """The block of these instances and their calls; None where it would say nothing shorter."""
    try:
        body = unified(alike_bodies(groups))
    except Unlike:
        return None
    least = 1 if is_statement(groups[0]) else _LEAST_ELEMENTS
    if sum(isinstance(e, Layer | Call | Merge | Repeat) for e in everything(body)) < least:
        return None
    solver = Solver(
        [g.entering.channels if g.entering else None for g in groups],
        [g.leaving.channels if g.leaving else None for g in groups],
        roles,
        {text: [_length(g, n) for g in groups] for n, text in enumerate(("in.height", "in.width"))},
        arriving=Lengths([g.entering for g in groups]),
    )
    body = Conditions(solver).chosen(solver.solved(body))
    names = name_slots(solver)
    parameters, values = [], {}
    for slot, given in zip(solver.slots, names, strict=True):
        usual = Counter(repr(v) for v in slot.values if v is not None).most_common(1)
        common = next((v for v in slot.values if v is not None and repr(v) == usual[0][0]), None) if usual else None
        if slot.role == "p":
            common = 0
        filled = [common if v is None else v for v in slot.values]
        share = sum(repr(v) == repr(common) for v in filled) / len(filled)
        wanted = _is_required(slot.role, common, share)
        parameters.append(Parameter(given, common, wanted, slot.role))
        values[given] = filled
    parameters.sort(key=lambda p: (not p.required, p.name != "channels"))
    texts = {f"\0{n}\0": given for n, given in enumerate(names)}
    takes = next(local_names(group).takes for group in groups)
    takes, body = with_tuples(takes, tabled(_named(body, texts)))
    block = Block(name, tuple(parameters), body, takes)
    calls = [
        Call(
            block=name,
            arguments=tuple((p.name, values[p.name][n]) for p in parameters),
            label=group.label,
            tap=group.tap,
            entering=group.entering,
            leaving=group.leaving,
        )
        for n, group in enumerate(groups)
    ]
    return block, calls


def _length(group: Group, axis: int) -> int | None:
    """How long the map that enters is along an axis; None for what is no map of two axes."""
    entering = group.entering
    return entering.size[axis] if entering is not None and entering.kind == "map" and entering.rank == 2 else None


def _is_required(role: str, common: Any, share: float) -> bool:
    """Whether a parameter has no default: widths never have one, steps and groups only 1."""
    if role in ("channels", "units", "window", "count", "size", "bound", "eps"):
        return True
    if role in ("stride", "dilation", "groups", "multiplier"):
        return bool(common != 1)
    return role != "p" and share < 0.5


def _named(chain: Chain, texts: Mapping[str, str]) -> Chain:
    """The chain with its parameters' names."""

    def value(given: Any) -> Any:
        if isinstance(given, Expression):
            text = given.text
            for mark, name in texts.items():
                text = text.replace(mark, name)
            return replace(given, text=text)
        if isinstance(given, Word):
            return word(given)
        return tuple(map(value, given)) if isinstance(given, tuple) else given

    def word(given: Word) -> Word:
        return replace(given, arguments=tuple((n, value(v)) for n, v in given.arguments))

    def change(element: Element) -> Element:
        element = with_inner(element, lambda deeper: _named(deeper, texts))
        if isinstance(element, Layer):
            return replace(element, word=value(element.word))
        if isinstance(element, Merge):
            return replace(element, word=word(element.word))
        if isinstance(element, Call):
            return replace(element, arguments=tuple((n, value(v)) for n, v in element.arguments))
        if isinstance(element, Number):
            return replace(element, value=value(element.value))
        if isinstance(element, Choice):
            return replace(element, condition=value(element.condition))
        if isinstance(element, Repeat):
            return replace(element, count=value(element.count))
        return element

    return tuple(map(change, chain))
