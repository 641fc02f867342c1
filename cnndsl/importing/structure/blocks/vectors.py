"""What `solve` asks about vectors and the elements that they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cnndsl.importing.structure.elements import (
    Call,
    Chain,
    Choice,
    Element,
    Expression,
    Group,
    Layer,
    Vector,
    Word,
    everything,
    with_inner,
)

Values = list[Any]


@dataclass
class Slot:
    """A parameter while a block is solved: its value in each instance, None where it does not matter."""

    role: str
    values: Values
    name: str = ""
    hint: str = ""
    order: int = 0


def words_in(chain: Chain) -> list[Word]:
    """The layers written in a chain, those among the arguments of blocks too."""
    found: list[Word] = []
    for element in everything(chain):
        if isinstance(element, Layer) and isinstance(element.word, Word):
            found.append(element.word)
        if isinstance(element, Call):
            found += [value for _, value in element.arguments if isinstance(value, Word)]
    return found


def with_word(chain: Chain, old: Word, new: Word) -> Chain:
    """The chain with one layer written otherwise."""

    def change(element: Element) -> Element:
        if isinstance(element, Layer) and element.word is old:
            return replace(element, word=new)
        if isinstance(element, Call):
            return replace(element, arguments=tuple((n, new if v is old else v) for n, v in element.arguments))
        return with_inner(element, lambda inner: with_word(inner, old, new))

    return tuple(map(change, chain))


def agree(a: Values, b: Values) -> bool:
    """Whether two vectors are the same wherever both matter."""
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    return all(x == y and isinstance(x, bool) is isinstance(y, bool) for x, y in pairs)


def overlap(a: Values, b: Values) -> bool:
    return any(x is not None and y is not None for x, y in zip(a, b, strict=True))


def fill(values: Values, more: Values) -> None:
    values[:] = [y if x is None else x for x, y in zip(values, more, strict=True)]


def columns_of(values: Sequence[Any]) -> list[Values]:
    """The numbers of several tuples by their place in them; none where they are not tuples of as many whole numbers."""
    rows = [v for v in values if v is not None]
    if not rows or any(not isinstance(v, tuple) or len(v) != len(rows[0]) for v in rows):
        return []
    if any(type(n) is not int for v in rows for n in v):
        return []
    return [[None if v is None else v[n] for v in values] for n in range(len(rows[0]))]


def trimmed(word: Word) -> Word:
    """Without the arguments that are at their defaults everywhere."""
    from cnndsl.ir.op import find

    op = find(word.name)
    if op is None:
        return word
    kept = tuple(
        (n, v)
        for n, v in word.arguments
        if n == "channels" or isinstance(v, Expression) or (v is not None and v != op.model_fields[n].get_default())
    )
    return replace(word, arguments=kept)


def kind_of(words: Values) -> str:
    from cnndsl.ir.op import find

    kinds = {op.category for word in words if isinstance(word, Word) and (op := find(word.name)) is not None}
    return {"activation": "act", "convolution": "conv", "normalization": "norm"}.get(next(iter(kinds)), "layer")


def optional_activation(element: Choice) -> Vector | None:
    """The activations of an element that is one where it is there: `id` in the other instances."""
    (first, *more) = element.body
    if more or element.otherwise or not isinstance(element.condition, Vector) or not isinstance(first, Layer):
        return None
    there = element.condition.values
    words = first.word.values if isinstance(first.word, Vector) else (first.word,) * len(there)
    if not all(isinstance(w, Word) and kind_of([w]) == "act" for w, t in zip(words, there, strict=True) if t):
        return None
    if any(isinstance(v, Vector) for w in words if isinstance(w, Word) for _, v in w.arguments):
        return None
    return Vector(tuple(None if t is None else w if t else Word("id") for w, t in zip(words, there, strict=True)))


def name_of_part(element: Choice) -> str:
    """What a part that is there only if is called: its label, or the block or layer it is."""
    first = element.body[0]
    if first.label and not first.label[0].isdigit():
        return first.label
    if isinstance(first, Call):
        return first.block
    if isinstance(first, Layer) and isinstance(first.word, Word):
        return first.word.name
    if isinstance(first, Group):
        return name_of_part(replace(element, body=first.body))
    return "with_part"
