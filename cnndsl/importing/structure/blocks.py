"""Modules of one class become one block, and each of them a call of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cnndsl.importing.structure.alike import NONE, Unlike, unified
from cnndsl.importing.structure.elements import (
    ID,
    Block,
    Call,
    Chain,
    Choice,
    Element,
    Expression,
    Group,
    Layer,
    Merge,
    Parameter,
    Repeat,
    Use,
    Vector,
    Word,
    everything,
    inner,
    with_inner,
)
from cnndsl.importing.structure.labels import positioned
from cnndsl.importing.structure.names import name_slots
from cnndsl.importing.structure.repeats import folded, tabled
from cnndsl.importing.structure.solve import Solver
from cnndsl.ir.op import find, registry

_CONTAINERS = {"", "Sequential", "ModuleList", "ModuleDict", "Network"}
_MOST_CHOICES = 0.4
"""The share of a block's elements that may be there only if: above it the class is two blocks."""
_FEW_BUILDS = 2
"""How many blocks a class may become instead."""
_LEAST_ELEMENTS = 2

Statements = tuple[tuple[str, Chain], ...]


def with_blocks(statements: Statements) -> tuple[tuple[Block, ...], Statements]:
    """The blocks of a program in the order of their definition, and its statements with calls of them."""
    blocks: list[Block] = []
    statements = _classed(statements)
    for kind in _order(statements):
        groups = [g for _, chain in statements for g in _instances(chain, kind)]
        calls: dict[int, Call] = {}
        for family in _families(groups):
            roles = {(b.name, p.name): p.role for b in blocks for p in b.parameters}
            made = _block(_free(kind, blocks), family, roles)
            if made is not None:
                blocks.append(made[0])
                calls |= {id(group): call for group, call in zip(family, made[1], strict=True)}
        statements = tuple((name, positioned(_replaced(chain, calls))) for name, chain in statements)
    return tuple(blocks), tuple((name, tabled(folded(chain))) for name, chain in statements)


def _classed(statements: Statements) -> Statements:
    """Where no module has a class, as in older ONNX files, modules of one build are one class, called `Unit`."""
    groups = [e for _, chain in statements for e in everything(chain) if isinstance(e, Group)]
    if any(group.kind not in _CONTAINERS for group in groups):
        return statements
    builds = Counter(_build(group.body) for group in groups)
    kinds: dict[Any, str] = {}
    for group in groups:
        build = _build(group.body)
        layers = sum(isinstance(e, Layer) for e in everything(group.body))
        if builds[build] > 1 and layers > 1 and build not in kinds:
            kinds[build] = f"Unit{len(kinds) + 1}" if kinds else "Unit"

    def change(chain: Chain) -> Chain:
        done = []
        for element in chain:
            build = _build(element.body) if isinstance(element, Group) else None
            element = with_inner(element, change)
            done.append(
                replace(element, kind=kinds[build]) if isinstance(element, Group) and build in kinds else element
            )
        return tuple(done)

    return tuple((name, change(chain)) for name, chain in statements)


def _order(statements: Statements) -> list[str]:
    """Classes, inner ones first; one that stands inside of itself is left out."""
    inside: dict[str, set[str]] = {}

    def visit(chain: Chain, above: tuple[str, ...]) -> None:
        for element in chain:
            here = above
            if isinstance(element, Group) and element.kind not in _CONTAINERS:
                inside.setdefault(element.kind, set())
                for outer in above:
                    inside[outer].add(element.kind)
                here = (*above, element.kind)
            for deeper in inner(element):
                visit(deeper, here)

    for _, chain in statements:
        visit(chain, ())
    done: list[str] = []
    while True:
        ready = [k for k, needs in inside.items() if k not in done and needs <= {*done}]
        if not ready:
            return done
        done += ready


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


def _families(groups: list[Group]) -> list[list[Group]]:
    """Instances that one block can say: all of a class where they go together, else those of one build."""
    if len(groups) < 2:
        return []
    try:
        together = _share_of_choices(unified(_alike_bodies(groups)))
    except Unlike:
        together = 1.0
    kinds: dict[Any, list[Group]] = {}
    for group in groups:
        kinds.setdefault(_build(folded(group.body)), []).append(group)
    if together <= _MOST_CHOICES or (together < 1 and len(kinds) > _FEW_BUILDS):
        return [groups]
    return [family for family in kinds.values() if len(family) > 1]


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


def _build(chain: Chain) -> Any:
    """A chain's skeleton: its elements' kinds, words and labels."""
    found: list[Any] = []
    for element in chain:
        what: Any = type(element).__name__
        if isinstance(element, Layer) and isinstance(element.word, Word):
            what = element.word.name
        elif isinstance(element, Call):
            what = element.block
        elif isinstance(element, Use):
            what = element.name
        elif isinstance(element, Merge):
            what = element.word.name
        found.append((what, element.label, bool(element.tap), tuple(_build(deeper) for deeper in inner(element))))
    return tuple(found)


def _alike_bodies(groups: list[Group]) -> list[Chain]:
    """The bodies, a merge around those that lack the one that their siblings have."""
    bodies = [folded(_local_taps(group.body)) for group in groups]
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
        if _build(body[:start]) != _build(before) or _build(body[end:]) != _build(after):
            wrapped.append(body)
            continue
        branches: list[Chain] = [NONE, NONE]
        branches[ways[0]] = body[start:end]
        around = replace(merge, branches=tuple(branches), entering=body[start].entering, leaving=body[end - 1].leaving)
        wrapped.append((*body[:start], around, *body[end:]))
    return wrapped


def _local_taps(chain: Chain) -> Chain:
    """Names of tensors counted from 1 in each instance, so that they can be compared."""
    names: dict[str, str] = {}

    def change(here: Chain) -> Chain:
        done = []
        for element in here:
            element = with_inner(element, change)
            if isinstance(element, Use) and element.name in names:
                element = replace(element, name=names[element.name])
            if element.tap:
                names[element.tap] = f"a{len(names) + 1}"
                element = replace(element, tap=names[element.tap])
            done.append(element)
        return tuple(done)

    return change(chain)


def _block(name: str, groups: list[Group], roles: Mapping[tuple[str, str], str]) -> tuple[Block, list[Call]] | None:
    """The block of these instances and their calls; None where it would say nothing shorter."""
    try:
        body = unified(_alike_bodies(groups))
    except Unlike:
        return None
    if sum(isinstance(e, Layer | Call | Merge | Repeat) for e in everything(body)) < _LEAST_ELEMENTS:
        return None
    solver = Solver(
        [g.entering.channels if g.entering else None for g in groups],
        [g.leaving.channels if g.leaving else None for g in groups],
        roles,
    )
    body = solver.solved(body)
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
    block = Block(name, tuple(parameters), tabled(_named(body, texts)))
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


def _is_required(role: str, common: Any, share: float) -> bool:
    """Whether a parameter has no default: widths never have one, steps and groups only 1."""
    if role in ("channels", "units", "window", "count", "size", "eps"):
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
        return given

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
        if isinstance(element, Choice):
            return replace(element, condition=value(element.condition))
        if isinstance(element, Repeat):
            return replace(element, count=value(element.count))
        return element

    return tuple(map(change, chain))
