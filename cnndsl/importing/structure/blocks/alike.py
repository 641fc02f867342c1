"""What several instances of a module have in common: their chains aligned, and what differs as vectors.

Everything here compares concrete values; which expressions say the vectors is for `solve`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cnndsl.importing.structure.elements import (
    ID,
    Call,
    Chain,
    Choice,
    Cut,
    Element,
    Group,
    Layer,
    Line,
    Merge,
    Number,
    Output,
    Repeat,
    Shared,
    Tensors,
    Use,
    Vector,
    Word,
)
from cnndsl.ir.op import find

_LAYERS = {"activation", "convolution", "normalization", "regularization", "pooling"}
"""Kinds of layers of which one may stand where an instance has another."""

Cells = Sequence[Element | None]


NONE: Chain = (Use(name="none"),)
"""A branch that an instance lacks."""


class Unlike(Exception):
    """The instances have too little in common for one block."""


def unified(chains: Sequence[Chain | None]) -> Chain:
    """The chains of all instances as one, with vectors where they differ. None is an instance that has no such place.

    Raises `Unlike`.
    """
    present = [chain for chain in chains if chain is not None]
    order = sorted(range(len(present)), key=lambda n: -len(present[n]))
    columns: list[list[Element | None]] = [[e] for e in present[order[0]]]
    placed = [order[0]]
    for number in order[1:]:
        columns = _woven(columns, present[number], len(placed))
        placed.append(number)
    back = {number: place for place, number in enumerate(placed)}
    indices = [n for n, chain in enumerate(chains) if chain is not None]
    rows = []
    for column in columns:
        cells: list[Element | None] = [None] * len(chains)
        for place, index in enumerate(indices):
            cells[index] = column[back[place]]
        rows.append(cells)
    done: list[Element] = []
    for cells in rows:
        element = _element(cells)
        there = tuple(None if chain is None else cell is not None for chain, cell in zip(chains, cells, strict=True))
        if all(there[n] for n in indices):
            done.append(element)
            continue
        if isinstance(element, Use | Cut | Tensors):
            # A tensor with a name begins a chain, or names what follows: it is there or the chains are unlike.
            raise Unlike
        last = done[-1] if done else None
        condition = Vector(there)
        if isinstance(last, Choice) and last.condition == condition and not last.otherwise:
            done[-1] = replace(last, body=(*last.body, element), leaving=element.leaving)
        else:
            done.append(
                Choice(body=(element,), condition=condition, entering=element.entering, leaving=element.leaving)
            )
    return tuple(done)


def _woven(columns: list[list[Element | None]], chain: Chain, width: int) -> list[list[Element | None]]:
    """The columns with one more chain, each of its elements in the column that fits best."""
    rows, cols = len(columns), len(chain)
    best = [[0] * (cols + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(cols - 1, -1, -1):
            fit = _fit(next(e for e in columns[i] if e is not None), chain[j])
            paired = fit + best[i + 1][j + 1] if fit else -1
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    woven: list[list[Element | None]] = []
    i = j = 0
    while i < rows or j < cols:
        if i < rows and j < cols:
            fit = _fit(next(e for e in columns[i] if e is not None), chain[j])
            if fit and best[i][j] == fit + best[i + 1][j + 1]:
                woven.append([*columns[i], chain[j]])
                i, j = i + 1, j + 1
                continue
        if i < rows and (j == cols or best[i][j] == best[i + 1][j]):
            woven.append([*columns[i], None])
            i += 1
        else:
            woven.append([*[None] * width, chain[j]])
            j += 1
    return woven


def _fit(a: Element, b: Element) -> int:
    """How well two elements go together; 0 for not at all."""
    if type(a) is not type(b) or a.label != b.label or bool(a.tap) != bool(b.tap):
        return 0
    named = 4 if a.label else 0
    if isinstance(a, Layer) and isinstance(b, Layer):
        return 5 + named if _name(a) == _name(b) else 2 + named if _kin(a, b) else 0
    if isinstance(a, Merge) and isinstance(b, Merge):
        return 6 + named if a.word.name == b.word.name and len(a.branches) == len(b.branches) else 0
    if isinstance(a, Call) and isinstance(b, Call):
        return 5 + named + _layers_alike(a, b) if a.block == b.block else 0
    if isinstance(a, Use) and isinstance(b, Use):
        return 3
    if isinstance(a, Line | Output | Tensors | Shared | Cut) and isinstance(b, Line | Output | Tensors | Shared | Cut):
        return 3 if _told(a) == _told(b) else 0
    if isinstance(a, Repeat) and isinstance(b, Repeat):
        same = len(a.body) == len(b.body) and bool(a.names) == bool(b.names) and all(map(_fit, a.body, b.body))
        return 4 if same else 0
    return 3 + named


def _told(element: Line | Output | Tensors | Shared | Cut) -> Any:
    """The names that a statement tells."""
    return (element.name,) if isinstance(element, Shared) else element.names


def _layers_alike(a: Call, b: Call) -> int:
    """More where the layers among the arguments are of one word, less where they are not."""
    others = dict(b.arguments)
    pairs = [(v, others.get(n)) for n, v in a.arguments if isinstance(v, Word)]
    return 2 * sum(v == w for v, w in pairs) + sum(
        1 if isinstance(w, Word) and v.name == w.name else -2 for v, w in pairs
    )


def _name(layer: Layer) -> str:
    return layer.word.name if isinstance(layer.word, Word) else ""


def _kin(a: Layer, b: Layer) -> bool:
    kinds = {op.category for layer in (a, b) if (op := find(_name(layer))) is not None}
    return len(kinds) == 1 and kinds <= _LAYERS


def _element(cells: Cells) -> Element:
    """One element for a column."""
    there = [cell for cell in cells if cell is not None]
    first = there[0]
    ends: dict[str, Any] = {"entering": first.entering, "leaving": first.leaving}
    if isinstance(first, Layer):
        return replace(first, word=_word([c.word if isinstance(c, Layer) else None for c in cells]), **ends)
    if isinstance(first, Merge):
        merges = [c if isinstance(c, Merge) else None for c in cells]
        word = _word([c.word if c is not None else None for c in merges])
        if not isinstance(word, Word):
            raise Unlike
        branches = tuple(
            _branch([c.branches[n] if c is not None else None for c in merges]) for n in range(len(first.branches))
        )
        return replace(first, word=word, branches=branches)
    if isinstance(first, Group):
        return replace(first, body=unified([c.body if isinstance(c, Group) else None for c in cells]))
    if isinstance(first, Call):
        calls = [dict(c.arguments) if isinstance(c, Call) else None for c in cells]
        return replace(first, arguments=tuple(_arguments(calls).items()))
    if isinstance(first, Repeat):
        repeats = [c if isinstance(c, Repeat) else None for c in cells]
        if first.rows or any(c.rows for c in repeats if c is not None):
            raise Unlike
        body = unified([c.body if c is not None else None for c in repeats])
        if first.names:
            starts = {c.span[0] for c in repeats if c is not None and c.span}
            if len(starts) != 1:
                raise Unlike
            ends_ = _value([c.span[1] if c is not None and c.span else None for c in repeats])
            return replace(first, body=body, count=ends_)
        return replace(first, body=body, count=_value([c.count if c is not None else None for c in repeats]))
    if isinstance(first, Line):
        return replace(first, body=unified([c.body if isinstance(c, Line) else None for c in cells]))
    if isinstance(first, Output | Tensors | Shared | Cut):
        return first
    if isinstance(first, Number):
        return replace(first, value=_value([c.value if isinstance(c, Number) else None for c in cells]))
    if isinstance(first, Use) and {c.name for c in there if isinstance(c, Use)} == {first.name}:
        return first
    raise Unlike


def _branch(chains: Sequence[Chain | None]) -> Chain:
    """One branch: where some instances have nothing but `id`, the others' way is a choice; where some have none, too."""
    lacking = tuple(None if chain is None else chain != NONE for chain in chains)
    if any(value is False for value in lacking):
        body = _branch([None if chain == NONE else chain for chain in chains])
        if len(body) == 1 and isinstance(body[0], Choice):
            raise Unlike
        return (Choice(body=body, condition=Vector(lacking), otherwise="none"),)
    plain = tuple(None if chain is None else chain != (ID,) for chain in chains)
    ways = [chain if is_way else None for chain, is_way in zip(chains, plain, strict=True)]
    if not any(plain):
        return (ID,)
    body = unified(ways)
    if all(value is not False for value in plain):
        return body
    if len(body) == 1 and isinstance(body[0], Choice):
        raise Unlike
    return (Choice(body=body, condition=Vector(plain), otherwise="id"),)


def _word(words: Sequence[Any]) -> Word | Vector:
    """One word with vectors among its arguments, or a vector of words."""
    there = [word for word in words if word is not None]
    if any(not isinstance(word, Word) for word in there):
        raise Unlike
    if len({word.name for word in there}) > 1 or len({word.rank for word in there}) > 1:
        return Vector(tuple(words))
    windows = {word.get("window") for word in there}
    if len(windows) > 1 and any(isinstance(window, tuple) for window in windows):
        return Vector(tuple(words))
    same = all(word.same for word in there)
    filled = [_filled(word) if word is not None else None for word in words]
    for name in {name for given in filled if given is not None for name in given}:
        if len({given.get(name) is None for given in filled if given is not None}) > 1:
            # A vector has None where nothing stands, so it cannot say that an argument has no value.
            return Vector(tuple(words))
    arguments = _arguments(filled)
    made: Word = replace(there[0], arguments=tuple(arguments.items()), same=same)
    return made


def _filled(word: Word) -> dict[str, Any]:
    """All arguments that any instance may write, defaults too."""
    op, given = find(word.name), dict(word.arguments)
    if op is None:
        return given
    fields = [n for n in op.model_fields if n != "channels" or "channels" in given]
    return {name: given.get(name, op.model_fields[name].get_default()) for name in fields}


def _arguments(given: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    names = dict.fromkeys(name for arguments in given if arguments is not None for name in arguments)
    found = {}
    for name in names:
        found[name] = _value([None if arguments is None else arguments.get(name) for arguments in given])
    return found


def _value(values: Sequence[Any]) -> Any:
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, Word) for value in there):
        return _word(values)
    if there and all(type(value) is type(there[0]) and value == there[0] for value in there):
        return there[0]
    return Vector(tuple(values)) if there else None
