"""Which expressions say what differs between the instances of a block: parameters, their multiples, sizes that arrive.

An expression is taken for what it says of widths only from a short list, and never where one case alone bears it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cnndsl.importing.structure.elements import (
    Call,
    Chain,
    Choice,
    Element,
    Expression,
    Group,
    Layer,
    Merge,
    Repeat,
    Vector,
    Word,
    everything,
    with_inner,
)
from cnndsl.passes.values.functions import round_to

_WIDTHS = {"channels", "units", "multiplier"}
_FACTORS = (2, 3, 4, 5, 6, 8, 12, 16)
_LEAST_CASES = 3
"""Different rows that must bear out a multiple of the channels that arrive."""

Values = list[Any]


@dataclass
class Slot:
    """A parameter while a block is solved: its value in each instance, None where it does not matter."""

    role: str
    values: Values
    name: str = ""
    hint: str = ""
    order: int = 0


@dataclass
class Solver:
    """Solves one block. `entering` and `leaving` are the channels at its ends, in each instance."""

    entering: Values
    leaving: Values
    roles: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """What the parameters of other blocks are, by block and name."""
    slots: list[Slot] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.entering)

    def solved(self, chain: Chain) -> Chain:
        """The chain with expressions for its vectors; `slots` are then its parameters, still without names."""
        chain = self._values(chain)
        return self._conditions(chain)

    # -- values

    def _values(self, chain: Chain, label: str = "") -> Chain:
        return tuple(self._element(element, label) for element in chain)

    def _element(self, element: Element, label: str) -> Element:
        here = element.label or label
        if isinstance(element, Layer):
            if isinstance(element.word, Vector):
                return replace(element, word=self._layer_value(element.word))
            assert isinstance(element.word, Word)
            return replace(element, word=self._word(element.word, element.label))
        if isinstance(element, Merge):
            element = replace(element, word=self._word(element.word, ""))
        if isinstance(element, Call):
            return replace(
                element,
                arguments=tuple(
                    (n, self._argument(self.roles.get((element.block, n), n), v, here)) for n, v in element.arguments
                ),
            )
        if isinstance(element, Choice) and (activation := _optional(element)) is not None:
            return replace(element.body[0], word=self._layer_value(activation))  # type: ignore[call-arg]
        if isinstance(element, Repeat) and isinstance(element.count, Vector):
            element = replace(element, count=self.value("count", element.count, ""))
        return with_inner(element, lambda inner: self._values(inner, here))

    def _word(self, word: Word, label: str) -> Word:
        arguments = {}
        cut = word.name == "Slice" and word.get("axis") is None
        for name, value in word.arguments:
            if word.same and name == "channels" and isinstance(value, Vector):
                continue
            arguments[name] = self._argument("channels" if cut and name in ("start", "stop") else name, value, label)
        return _trimmed(replace(word, arguments=tuple(arguments.items())))

    def _argument(self, name: str, value: Any, label: str) -> Any:
        if isinstance(value, Word):
            return self._word(value, label)
        if not isinstance(value, Vector):
            return value
        if any(isinstance(v, Word) for v in value.values):
            return self._layer_value(value)
        return self.value(name, value, label)

    def _layer_value(self, vector: Vector) -> Any:
        words = list(vector.values)
        for slot in self.slots:
            if slot.role in ("act", "conv", "norm", "layer") and _agree(slot.values, words):
                _fill(slot.values, words)
                return Expression(f"\0{self.slots.index(slot)}\0")
        return self._new(_kind(words), words, "")

    def value(self, role: str, vector: Vector, label: str) -> Expression | Any:
        """An expression for a vector of numbers or words."""
        values = list(vector.values)
        found = self._known(role, values)
        return found if found is not None else self._new(role, values, label)

    def _known(self, role: str, values: Values) -> Any:
        there = [v for v in values if v is not None]
        if all(v == there[0] and type(v) is type(there[0]) for v in there):
            return there[0]
        for index, slot in enumerate(self.slots):
            alike = slot.role == role or {slot.role, role} <= _WIDTHS
            if alike and _agree(slot.values, values) and _overlap(slot.values, values):
                _fill(slot.values, values)
                return Expression(f"\0{index}\0")
        if role not in _WIDTHS:
            return None
        if _agree(self.entering, values):
            return Expression("in.channels")
        multiple = self._multiple(values)
        if multiple is not None:
            return multiple
        return None

    def _multiple(self, values: Values) -> Expression | None:
        bases: list[tuple[str, Values, int]] = [
            (f"\0{n}\0", slot.values, 2) for n, slot in enumerate(self.slots) if slot.role in _WIDTHS
        ]
        bases.append(("in.channels", self.entering, _LEAST_CASES))
        for text, base, least in bases:
            cases = {(b, v) for b, v in zip(base, values, strict=True) if v is not None and b is not None}
            if len(cases) < least or any(v is not None and b is None for b, v in zip(base, values, strict=True)):
                continue
            for factor in _FACTORS:
                if all(v == factor * b for b, v in cases):
                    return Expression(f"{factor} × {text}", loose=True)
            for factor in _FACTORS:
                if all(v == b // factor for b, v in cases):
                    return Expression(f"{text} // {factor}", loose=True)
            for factor in _FACTORS:
                if len(cases) >= _LEAST_CASES and all(v == round_to(b // factor, 8) for b, v in cases):
                    return Expression(f"round_to({text} // {factor}, 8)")
        return None

    def _new(self, role: str, values: Values, label: str) -> Expression:
        self.slots.append(Slot(role, values, hint=label, order=len(self.slots)))
        return Expression(f"\0{len(self.slots) - 1}\0")

    # -- conditions

    def _conditions(self, chain: Chain) -> Chain:
        done: list[Element] = []
        for element in chain:
            element = with_inner(element, self._conditions)
            if isinstance(element, Choice) and isinstance(element.condition, Vector):
                element = self._chosen(list(element.condition.values), element)
            done.append(element)
        return tuple(done)

    def _silenced(self, there: Values, element: Choice) -> Element | None:
        """A `DropPath` that some instances lack: there, the share is 0."""
        first = element.body[0]
        if len(element.body) > 1 or element.otherwise or not isinstance(first, Layer) or not first.label:
            return None
        if not isinstance(first.word, Word) or first.word.name != "DropPath":
            return None
        p = first.word.get("p")
        slot = self._slot(p) if isinstance(p, Expression) else None
        if slot is None:
            mark = self._new("p", [None if t is None else p if t else 0 for t in there], "")
            return replace(first, word=first.word.with_arguments({"p": mark}))
        if any(v is not None for v, t in zip(slot.values, there, strict=True) if not t):
            return None
        slot.values[:] = [0 if t is False else v for v, t in zip(slot.values, there, strict=True)]
        return first

    def _chosen(self, there: Values, element: Choice) -> Element:
        """The element with an expression for its condition; a widening that is left out may become a parameter."""
        for text, values in self._idioms():
            if _agree(values, there):
                return replace(element, condition=Expression(text))
        silenced = self._silenced(there, element)
        if silenced is not None:
            return silenced
        widened = self._expansion(there, element)
        return widened if widened is not None else replace(element, condition=self._condition(there, element))

    def _condition(self, there: Values, element: Choice) -> Expression:
        for index, slot in enumerate(self.slots):
            if slot.role == "bool":
                if _agree(slot.values, there):
                    _fill(slot.values, there)
                    return Expression(f"\0{index}\0")
                if _agree([None if v is None else not v for v in slot.values], there):
                    _fill(slot.values, [None if v is None else not v for v in there])
                    return Expression(f"not \0{index}\0")
        return self._new("bool", there, _called(element))

    def _idioms(self) -> list[tuple[str, Values]]:
        """Conditions of shortcuts and projections, and their opposites."""
        strides: list[tuple[str, Values]] = [
            (f"\0{n}\0", slot.values) for n, slot in enumerate(self.slots) if slot.role == "stride"
        ]
        out = self._out()
        found: list[tuple[str, Values]] = []
        steps = [(f"{text} ≠ 1", [None if v is None else v != 1 for v in values]) for text, values in strides]
        stays = [(f"{text} == 1", [None if v is None else v == 1 for v in values]) for text, values in strides]
        if out is not None:
            wide = (f"in.channels ≠ {out}", [a != b for a, b in zip(self.entering, self.leaving, strict=True)])
            keeps = (f"in.channels == {out}", [not v for v in wide[1]])
            for text, values in steps:
                found.append((f"{text} or {wide[0]}", _both(values, wide[1], any)))
            for text, values in stays:
                found.append((f"{text} and {keeps[0]}", _both(values, keeps[1], all)))
            found += [wide, keeps]
        return [*found, *steps, *stays]

    def _out(self) -> str | None:
        """The block's output channels as an expression; None where nothing says them."""
        known = self._known("channels", list(self.leaving))
        if isinstance(known, int):
            return str(known)
        return known.text if isinstance(known, Expression) and known.text != "in.channels" else None

    def _expansion(self, there: Values, element: Choice) -> Choice | None:
        """A widening that some instances leave out: by `expansion` 1, or to as many channels as arrive."""
        for word in _words(element.body):
            text = word.get("channels")
            if not isinstance(text, Expression):
                continue
            factor, _, base = text.text.partition(" × ")
            if base == "in.channels" and factor.isdigit():
                mark = self._new("expansion", [None if t is None else int(factor) if t else 1 for t in there], "")
                wider = Expression(f"{mark.text} × in.channels", loose=True)
                body = _with_word(element.body, word, word.with_arguments({**dict(word.arguments), "channels": wider}))
                return replace(element, body=body, condition=Expression(f"{mark.text} ≠ 1"))
            slot = self._slot(text)
            if slot is not None and all(v is None for v, t in zip(slot.values, there, strict=True) if not t):
                widths = zip(slot.values, self.entering, there, strict=True)
                if all(v != e for v, e, t in widths if t):
                    slot.values[:] = [v if t else e for v, e, t in zip(slot.values, self.entering, there, strict=True)]
                    return replace(element, condition=Expression(f"{text.text} ≠ in.channels"))
        return None

    def _slot(self, expression: Expression) -> Slot | None:
        parts = expression.text.split("\0")
        return self.slots[int(parts[1])] if len(parts) == 3 and not parts[0] and not parts[2] else None


def _words(chain: Chain) -> list[Word]:
    """The layers written in a chain, those among the arguments of blocks too."""
    found: list[Word] = []
    for element in everything(chain):
        if isinstance(element, Layer) and isinstance(element.word, Word):
            found.append(element.word)
        if isinstance(element, Call):
            found += [value for _, value in element.arguments if isinstance(value, Word)]
    return found


def _with_word(chain: Chain, old: Word, new: Word) -> Chain:
    """The chain with one layer written otherwise."""

    def change(element: Element) -> Element:
        if isinstance(element, Layer) and element.word is old:
            return replace(element, word=new)
        if isinstance(element, Call):
            return replace(element, arguments=tuple((n, new if v is old else v) for n, v in element.arguments))
        return with_inner(element, lambda inner: _with_word(inner, old, new))

    return tuple(map(change, chain))


def _agree(a: Values, b: Values) -> bool:
    """Whether two vectors are the same wherever both matter."""
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    return all(x == y and isinstance(x, bool) is isinstance(y, bool) for x, y in pairs)


def _overlap(a: Values, b: Values) -> bool:
    return any(x is not None and y is not None for x, y in zip(a, b, strict=True))


def _fill(values: Values, more: Values) -> None:
    values[:] = [y if x is None else x for x, y in zip(values, more, strict=True)]


def _both(a: Values, b: Values, how: Any) -> Values:
    return [None if x is None or y is None else how((x, y)) for x, y in zip(a, b, strict=True)]


def _trimmed(word: Word) -> Word:
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


def _kind(words: Values) -> str:
    from cnndsl.ir.op import find

    kinds = {op.category for word in words if isinstance(word, Word) and (op := find(word.name)) is not None}
    return {"activation": "act", "convolution": "conv", "normalization": "norm"}.get(next(iter(kinds)), "layer")


def _optional(element: Choice) -> Vector | None:
    """The activations of an element that is one where it is there: `id` in the other instances."""
    (first, *more) = element.body
    if more or element.otherwise or not isinstance(element.condition, Vector) or not isinstance(first, Layer):
        return None
    there = element.condition.values
    words = first.word.values if isinstance(first.word, Vector) else (first.word,) * len(there)
    if not all(isinstance(w, Word) and _kind([w]) == "act" for w, t in zip(words, there, strict=True) if t):
        return None
    if any(isinstance(v, Vector) for w in words if isinstance(w, Word) for _, v in w.arguments):
        return None
    return Vector(tuple(None if t is None else w if t else Word("id") for w, t in zip(words, there, strict=True)))


def _called(element: Choice) -> str:
    """What a part that is there only if is called: its label, or the block or layer it is."""
    first = element.body[0]
    if first.label and not first.label[0].isdigit():
        return first.label
    if isinstance(first, Call):
        return first.block
    if isinstance(first, Layer) and isinstance(first.word, Word):
        return first.word.name
    if isinstance(first, Group):
        return _called(replace(element, body=first.body))
    return "with_part"


def vectors_of(chain: Chain) -> Sequence[Vector]:
    """All vectors that are left in a chain."""
    return [e.condition for e in everything(chain) if isinstance(e, Choice) and isinstance(e.condition, Vector)]
