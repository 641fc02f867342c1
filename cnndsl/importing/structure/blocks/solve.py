"""Which expressions say what differs between the instances of a block: parameters, their multiples, sizes that arrive.

An expression is taken for what it says of widths only from a short list, and never where one case alone bears it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cnndsl.importing.structure.blocks.lengths import Lengths
from cnndsl.importing.structure.blocks.vectors import (
    Slot,
    Values,
    agree,
    columns_of,
    fill,
    kind_of,
    optional_activation,
    overlap,
    trimmed,
)
from cnndsl.importing.structure.elements import (
    Call,
    Chain,
    Choice,
    Element,
    Expression,
    Layer,
    Merge,
    Number,
    Repeat,
    Vector,
    Word,
    with_inner,
)
from cnndsl.passes.values.functions import round_to

_WIDTHS = {"channels", "units", "multiplier", "bound"}
_SIZES = {"shape", "size", "scale"}
"""Arguments with a number for each axis."""
_NUMBERS = {"mul": "factor", "div": "divisor", "add": "offset", "sub": "offset"}
"""What a number is called that is a branch of a merge."""
_LENGTHS = {"size", "heads", "channels", "units"}
"""Parameters that may also be the length of an axis."""
_FACTORS = (2, 3, 4, 5, 6, 8, 12, 16)
_LEAST_CASES = 3
"""Different rows that must bear out a multiple of the channels that arrive."""


@dataclass
class Solver:
    """Solves one block. `entering` and `leaving` are the channels at its ends, in each instance."""

    entering: Values
    leaving: Values
    roles: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """What the parameters of other blocks are, by block and name."""
    sizes: Mapping[str, Values] = field(default_factory=dict)
    """The height and the width that arrive, in each instance, by how they are written."""
    slots: list[Slot] = field(default_factory=list)
    arriving: Lengths = field(default_factory=lambda: Lengths(()))
    """The lengths of what enters."""

    @property
    def count(self) -> int:
        return len(self.entering)

    def solved(self, chain: Chain) -> Chain:
        """The chain with expressions for its values; `slots` are then its parameters, still without names."""
        return self._values(chain)

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
            role = _NUMBERS.get(element.word.name, "number")
            branches = tuple(self._with_number(branch, role) for branch in element.branches)
            element = replace(element, word=self._word(element.word, ""), branches=branches)
        if isinstance(element, Call):
            return replace(
                element,
                arguments=tuple(
                    (n, self._argument(self.roles.get((element.block, n), n), v, here)) for n, v in element.arguments
                ),
            )
        if isinstance(element, Choice) and (activation := optional_activation(element)) is not None:
            return replace(element.body[0], word=self._layer_value(activation))  # type: ignore[call-arg]
        if isinstance(element, Repeat) and isinstance(element.count, Vector):
            element = replace(element, count=self.value("count", element.count, ""))
        return with_inner(element, lambda inner: self._values(inner, here))

    def _with_number(self, branch: Chain, role: str) -> Chain:
        """A branch; one that is a number, and not the same everywhere, as an expression."""
        (first, *_) = branch
        if not isinstance(first, Number) or not isinstance(first.value, Vector):
            return branch
        return (replace(first, value=self.value(role, first.value, "")),)

    def _word(self, word: Word, label: str) -> Word:
        arguments = {}
        cut = word.name == "Slice" and word.get("axis") in (None, "channels")
        for name, value in word.arguments:
            if word.same and name == "channels" and isinstance(value, Vector):
                continue
            if isinstance(value, Vector) and word.name == "ToMap":
                arguments[name] = self._size(list(value.values), label, name == "w")
                continue
            arguments[name] = self._argument("bound" if cut and name in ("start", "stop") else name, value, label)
        return trimmed(replace(word, arguments=tuple(arguments.items())))

    def _argument(self, name: str, value: Any, label: str) -> Any:
        if isinstance(value, Word):
            return self._word(value, label)
        if not isinstance(value, Vector):
            return value
        if any(isinstance(v, Word) for v in value.values):
            return self._layer_value(value)
        if name in _SIZES and (columns := columns_of(value.values)):
            last = len(columns) - 1
            if name == "shape":
                told = self._told(columns)
                return tuple(self._size(c, label, n == last) if isinstance(c, list) else c for n, c in enumerate(told))
            return tuple(self._size(column, label, n == last) for n, column in enumerate(columns))
        if name == "values" and (rule := self.arriving.rule(value.values)) is not None:
            return rule
        return self.value(name, value, label)

    def _told(self, columns: list[Values]) -> list[Any]:
        """The lengths of axes, one by one; values where nothing that is known says them."""
        given = [(f"\0{n}\0", slot.values) for n, slot in enumerate(self.slots) if slot.role in _LENGTHS]
        return self.arriving.told(columns, self.entering, given)

    def _size(self, values: Values, label: str, last: bool) -> Any:
        """One length of a shape: as many as arrive along some axis, or a part of the channels, else a parameter. The last one is
        the width rather than the height, where both are the same."""
        there = {v for v in values if v is not None}
        if len(there) == 1:
            return there.pop()
        sizes = list(self.sizes.items())
        for text, base in [("in.channels", self.entering), *(reversed(sizes) if last else sizes)]:
            if agree(base, values) and overlap(base, values):
                return Expression(text)
        known = self.known("channels", values)
        return known if known is not None else self.value("size", Vector(tuple(values)), label)

    def _layer_value(self, vector: Vector) -> Any:
        words = list(vector.values)
        for slot in self.slots:
            if slot.role in ("act", "conv", "norm", "layer") and agree(slot.values, words):
                fill(slot.values, words)
                return Expression(f"\0{self.slots.index(slot)}\0")
        return self.new(kind_of(words), words, "")

    def value(self, role: str, vector: Vector, label: str) -> Expression | Any:
        """An expression for a vector of numbers or words."""
        values = list(vector.values)
        found = self.known(role, values)
        return found if found is not None else self.new(role, values, label)

    def known(self, role: str, values: Values) -> Any:
        there = [v for v in values if v is not None]
        if not there:
            return None
        if all(v == there[0] and type(v) is type(there[0]) for v in there):
            return there[0]
        for index, slot in enumerate(self.slots):
            alike = slot.role == role or {slot.role, role} <= _WIDTHS
            # One number in either of two places is one parameter.
            apart = role in _NUMBERS.values() or role == "heads"
            if alike and agree(slot.values, values) and (apart or overlap(slot.values, values)):
                fill(slot.values, values)
                return Expression(f"\0{index}\0")
        if role not in _WIDTHS:
            return None
        if agree(self.entering, values) and overlap(self.entering, values):
            return Expression("in.channels")
        multiple = self._multiple(values, 2 if role == "bound" else _LEAST_CASES)
        if multiple is not None:
            return multiple
        return None

    def _multiple(self, values: Values, least_cases: int) -> Expression | None:
        bases: list[tuple[str, Values, int]] = [
            (f"\0{n}\0", slot.values, 2) for n, slot in enumerate(self.slots) if slot.role in _WIDTHS
        ]
        bases.append(("in.channels", self.entering, least_cases))
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

    def new(self, role: str, values: Values, label: str) -> Expression:
        self.slots.append(Slot(role, values, hint=label, order=len(self.slots)))
        return Expression(f"\0{len(self.slots) - 1}\0")

    def slot(self, expression: Expression) -> Slot | None:
        parts = expression.text.split("\0")
        return self.slots[int(parts[1])] if len(parts) == 3 and not parts[0] and not parts[2] else None
