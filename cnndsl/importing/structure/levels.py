"""Several tensors as a tuple: what is done alike to each of them is a loop, and they go from block to block as one.

A tuple has a name of its own while the program is made, `(a,b,c)`; an item of it is `(a,b,c)[1]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cnndsl.importing.structure.elements import (
    Chain,
    Each,
    Element,
    Group,
    Line,
    Merge,
    Output,
    Tensors,
    Use,
    everything,
    local_names,
    with_inner,
)
from cnndsl.importing.structure.repeats import label_parts

_LEAST = 3
"""How many tensors are a tuple at least."""

Names = tuple[str, ...]


def is_tuple(name: str) -> bool:
    """Whether a name is that of a tuple while the program is made."""
    return name.startswith("(")


def _tuple(names: Names) -> str:
    return f"({','.join(names)})"


def with_tuples(takes: Names, body: Chain, fixed: Sequence[str] = ()) -> tuple[Names, Chain]:
    """What a block takes, and its body, with tuples where loops over them, or blocks that take them whole, stand. `fixed`
    are tensors that keep a name of their own."""
    done: list[Names] = []
    pending = [takes, *(e.names for e in body if isinstance(e, Line))]
    while pending:
        names = pending.pop(0)
        if len(names) < _LEAST or any(name in fixed for name in names):
            continue
        body, made = _looped(body, names, fixed)
        pending += made
        done += made
        if made or any(_is_whole(e, names) for e in everything(body)):
            done.append(names)
    for names in done:
        body = _collected(body, names)
    return ((_tuple(takes),) if takes in done else takes), body


def _is_whole(element: Element, names: Names) -> bool:
    if isinstance(element, Tensors):
        return element.names == names
    return isinstance(element, Each) and element.over == _tuple(names)


def _looped(body: Chain, names: Names, fixed: Sequence[str]) -> tuple[Chain, list[Names]]:
    """The body with loops over these tensors; and what the loops make, tuples too."""
    made: list[Names] = []
    body = tuple(_merged(element, names, made) for element in body)
    done: list[Element] = []
    index = 0
    while index < len(body):
        lines = [e for e in body[index : index + len(names)] if isinstance(e, Line) and len(e.names) == 1]
        each = _each([line.body for line in lines], names) if len(lines) == len(names) else None
        if each is None or any(line.share or line.names[0] in fixed for line in lines):
            done.append(body[index])
            index += 1
            continue
        results = tuple(line.names[0] for line in lines)
        loop, gathered = each
        made += [results, *gathered]
        done.append(Line(names=results, body=(loop,)))
        index += len(names)
    return tuple(done), made


def _merged(element: Element, names: Names, made: list[Names]) -> Element:
    """Merges whose branches do alike with each tensor; what their taps gather is `made`."""
    element = with_inner(element, lambda chain: tuple(_merged(e, names, made) for e in chain))
    if not isinstance(element, Merge) or len(element.branches) != len(names):
        return element
    each = _each(element.branches, names)
    if each is None:
        return element
    made += each[1]
    return replace(element, branches=((each[0],),))


def _each(chains: Sequence[Chain], names: Names) -> tuple[Each, list[Names]] | None:
    """One chain for all, where they begin with these tensors and are alike, and the tuples that its taps gather."""
    if any(chain[0] != Use(name=name) or len(chain) < 2 for chain, name in zip(chains, names, strict=True)):
        return None
    local = [local_names(Group(body=chain, takes=(name,))) for chain, name in zip(chains, names, strict=True)]
    alike = _alike([group.body for group in local])
    if alike is None:
        return None
    bodies, start = alike
    taps = [[e.tap for e in everything(chain) if e.tap] for chain in chains]
    own = [e.tap for e in everything(bodies) if e.tap]
    gathered = [tuple(row[n] for row in taps) for n in range(len(own))]
    called = dict(zip(own, map(_tuple, gathered), strict=True))

    def change(chain: Chain) -> Chain:
        inside = (with_inner(element, change) for element in chain)
        return tuple(replace(e, tap=called[e.tap], gathers=True) if e.tap else e for e in inside)

    variable = f"{_tuple(names)}'"
    body = (Use(name=variable), *change(bodies)[1:])
    return Each(body=body, variable=variable, over=_tuple(names), start=start), gathered


def _alike(chains: Sequence[Chain]) -> tuple[Chain, int | None] | None:
    """The one chain that all of these are, and the first number where their labels count."""
    if len({len(chain) for chain in chains}) != 1:
        return None
    done: list[Element] = []
    start: int | None = None
    for column in zip(*chains, strict=True):
        first = column[0]
        if all(element == first for element in column):
            done.append(first)
            continue
        # A first label that its position says is gone.
        labels = [e.label or ("0" if n == 0 else "") for n, e in enumerate(column)]
        numbers = [label_parts(label) for label in labels]
        parts = numbers[0]
        if parts is None or any(
            p is None or (p[0], p[1] - n, p[2]) != parts for n, p in enumerate(numbers)
        ) or start not in (None, parts[1]):  # fmt: skip
            return None
        start = parts[1]
        marked = [replace(e, label=f"{parts[0]}{{i}}{parts[2]}") for e in column]
        if any(element != marked[0] for element in marked):
            return None
        done.append(marked[0])
    return tuple(done), start


def _collected(body: Chain, names: Names) -> Chain:
    """The body with these tensors under one name."""
    items = {name: f"{_tuple(names)}[{n}]" for n, name in enumerate(names)}

    def several(given: Names) -> Names:
        found: list[str] = []
        index = 0
        while index < len(given):
            if given[index : index + len(names)] == names:
                found.append(_tuple(names))
                index += len(names)
            else:
                found.append(items.get(given[index], given[index]))
                index += 1
        return tuple(found)

    def change(chain: Chain) -> Chain:
        done: list[Element] = []
        for element in chain:
            element = with_inner(element, change)
            if isinstance(element, Use):
                element = replace(element, name=items.get(element.name, element.name))
            elif isinstance(element, Tensors):
                given = several(element.names)
                element = Use(name=given[0]) if len(given) == 1 else replace(element, names=given)
            elif isinstance(element, Output):
                element = replace(element, names=several(element.names))
            elif isinstance(element, Line) and element.names == names:
                element = replace(element, names=(_tuple(names),))
            done.append(element)
        return tuple(done)

    return change(body)
