"""Classes for modules that have none, as in ONNX files and `nn.Sequential`: brackets that are built alike.

Two brackets are of one class where their parts have the same names, or, if these are numbers, are of the same kinds in the
same order. What has one name wherever it stands, such as `downsample`, is a part of what holds it and no class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cnndsl.importing.structure.elements import (
    ID,
    Chain,
    Element,
    Group,
    Layer,
    Line,
    Merge,
    Repeat,
    Shared,
    Tensors,
    Word,
    everything,
    inner,
    with_inner,
)
from cnndsl.importing.structure.labels import parts_of
from cnndsl.ir.op import find

_ALIKE = 0.6
"""The share of names that two classes' parts have in common."""
_LEAST_LAYERS = 2


def classed(body: Chain) -> Chain:
    """The body with classes for its brackets, inner ones first."""
    named = [(g, labels) for g, labels in _groups(body, ()) if not g.kind and _names(g)]
    body = _with_kinds(body, _kinds(named, set()))
    for height in range(1, _height(body) + 1):
        groups = list(_groups(body, ()))
        rest = [(g, labels) for g, labels in groups if not g.kind and not _names(g) and _height(g.body) + 1 == height]
        body = _with_kinds(body, _kinds(rest, {g.kind for g, _ in groups}))
    return body


def _names(group: Group) -> frozenset[str]:
    """The names of a bracket's parts, where these tell what it is."""
    names = frozenset(part for part in parts_of(group.body) if not part[0].isdigit())
    return names if len(names) > 1 or any(isinstance(e, Merge | Group) for e in group.body) else frozenset()


def _height(chain: Chain) -> int:
    """How many brackets stand inside each other."""
    return max((isinstance(e, Group) + max(map(_height, inner(e)), default=0) for e in chain), default=0)


def _groups(chain: Chain, above: tuple[str, ...]) -> Iterator[tuple[Group, tuple[str, ...]]]:
    """All brackets, with the labels around them and their own."""
    for element in chain:
        here = (*above, element.label) if element.label else above
        if isinstance(element, Group):
            yield element, here
        for deeper in inner(element):
            yield from _groups(deeper, here)


def _kinds(groups: list[tuple[Group, tuple[str, ...]]], taken: set[str]) -> dict[int, str]:
    """The class of each bracket that has one, by its identity."""
    clusters: list[tuple[Any, list[tuple[Group, tuple[str, ...]]]]] = []
    for group, labels in groups:
        if not _is_module(group):
            continue
        key: Any = _names(group) or _sequence(_inactive(group.body))
        for place, (other, members) in enumerate(clusters):
            if _alike(key, other):
                members.append((group, labels))
                clusters[place] = (key | other if isinstance(key, frozenset) else other, members)
                break
        else:
            clusters.append((key, [(group, labels)]))
    kinds: dict[int, str] = {}
    for _, members in clusters:
        if len(members) > 1 and len({labels[-1:] for _, labels in members}) > 1:
            name = _named([group for group, _ in members], taken)
            taken.add(name)
            kinds |= {id(group): name for group, _ in members}
    return kinds


def _is_module(group: Group) -> bool:
    """Whether a bracket does something of its own: one that only lists others does not."""
    whole = list(everything(group.body))
    own = [e for e in group.body if not isinstance(e, Group | Repeat)]
    layers = sum(isinstance(e, Layer) or (isinstance(e, Group) and bool(e.kind)) for e in whole)
    return (
        bool(own or _names(group))
        and layers >= _LEAST_LAYERS
        and not any(isinstance(e, Line | Tensors | Shared) for e in whole)
    )


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, frozenset) and isinstance(b, frozenset):
        return len(a & b) >= _ALIKE * len(a | b)
    return bool(a == b)


def _inactive(chain: Chain) -> Chain:
    """Without a last activation, which some of a class may lack."""
    if not chain:
        return chain
    *before, last = chain
    if len(before) < _LEAST_LAYERS or not isinstance(last, Layer) or not isinstance(last.word, Word) or last.label:
        return chain
    op = find(last.word.name)
    return tuple(before) if op is not None and op.category == "activation" else chain


def _sequence(chain: Chain) -> Any:
    """What a chain is made of: kinds of layers, classes of brackets."""
    found: list[Any] = []
    for element in chain:
        deeper = tuple(map(_sequence, inner(element)))
        if isinstance(element, Layer) and isinstance(element.word, Word):
            op = find(element.word.name)
            found.append((op.category if op is not None else element.word.name, element.label))
        elif isinstance(element, Group) and element.kind:
            found.append((element.kind, element.label))
        else:
            word = element.word.name if isinstance(element, Merge) else ""
            found.append((type(element).__name__, word, element.label, deeper))
    return tuple(found)


def _named(groups: list[Group], taken: set[str]) -> str:
    """A class by what most of it is: a sum with a shortcut, a gate, branches, else layers in a row."""
    names = Counter(_name(group) for group in groups)
    ((name, _), *_) = sorted(names.items(), key=lambda item: (item[0] == "Unit", -item[1]))
    count, plain = 2, name
    while name in taken:
        name, count = f"{plain}{count}", count + 1
    return name


def _name(group: Group) -> str:
    for element in group.body:
        if isinstance(element, Merge):
            if element.word.name == "add":
                return "Residual"
            if element.word.name == "mul":
                return "Gate" if (ID,) in element.branches else "Unit"
            return "Branches"
    return "Unit"


def _with_kinds(chain: Chain, kinds: dict[int, str]) -> Chain:
    done: list[Element] = []
    for element in chain:
        kind = kinds.get(id(element))
        element = with_inner(element, lambda deeper: _with_kinds(deeper, kinds))
        done.append(replace(element, kind=kind) if isinstance(element, Group) and kind else element)
    return tuple(done)
