"""What `--where`, `--sort` and `--best` say: an expression of the language over figures and parameters."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from cnndsl.analyses.budget import NAMES
from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Source, Span
from cnndsl.ir.tensor import MARK, TensorType
from cnndsl.passes.draft.flow import LOST, Entrance, LostValue, Wire
from cnndsl.passes.values.evaluate import evaluate, truth
from cnndsl.passes.values.place import Place
from cnndsl.passes.values.scope import Scope
from cnndsl.sweeping.rows import Row
from cnndsl.syntax import tree
from cnndsl.syntax.parser import parse_value
from cnndsl.syntax.tree import names_in


class Expression:
    """An expression over the names of figures and of swept parameters, such as `macs < 300M` or `params / macs`."""

    def __init__(self, option: str, text: str, parameters: tuple[str, ...]) -> None:
        self.text = text
        self._source = Source(option, text)
        self._value = parse_value(self._source, 0, len(text))
        self._parameters = parameters
        known = [*parameters, *NAMES]
        for name in self._names:
            if name.name not in known:
                near = nearest(name.name, known)
                raise fault(
                    "unknown-name",
                    f"nothing is called `{name.name}`",
                    name.span,
                    notes=(f"expected one of {', '.join(known)}",),
                    help=f"did you mean `{near}`?" if near else "take one of these",
                )

    @cached_property
    def _names(self) -> list[tree.Name]:
        return list(names_in(self._value))

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures that it speaks of."""
        return tuple(dict.fromkeys(n.name for n in self._names if n.name not in self._parameters))

    def of(self, row: Row) -> Any:
        """Its value for a variant; None where that has a figure that is not known. Raises `CnnError`."""
        try:
            return evaluate(self._value, self._place(row))
        except LostValue:
            return None

    def holds(self, row: Row) -> bool:
        """Whether it is true of a variant. Raises `CnnError` (wrong-type) where it is neither true nor false."""
        try:
            return truth(self._value, self._place(row))
        except LostValue:
            return False

    def number(self, row: Row) -> float | None:
        """Its value, which must be a number; None where a figure is not known. Raises `CnnError` (wrong-type)."""
        value = self.of(row)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        raise fault(
            "wrong-type",
            f"`{self.text}` is no number",
            Span(self._source, 0, len(self.text)),
            help="sort by a figure, such as `macs`, or by what is computed from some: `params / macs`",
        )

    def _place(self, row: Row) -> Place:
        values: dict[str, Any] = {}
        for name in self._names:
            values[name.name] = self._value_of(name, row)
        return Place(Scope(None, self._source, values), (), ())

    def _value_of(self, name: tree.Name, row: Row) -> Any:
        if name.name in self._parameters:
            value = row.variant.parameters[name.name]
            return _value(value) if isinstance(value, str) else value
        figure = row.figures[name.name]
        if figure is None:
            return LOST
        return Wire(_type(figure), Entrance(name.name, name.span)) if isinstance(figure, str) else figure


def _value(text: str) -> Any:
    """A parameter's text as a value of the language; a bare word as a text."""
    source = Source("-P", text)
    try:
        return evaluate(parse_value(source, 0, len(text)), Place(Scope(None, source), (), ()))
    except CnnError:
        return text


def _type(text: str) -> TensorType:
    """The type that is written as `16×16×8ᶜ`."""
    sides = text.split("×")
    axis = next((index for index, side in enumerate(sides) if side.endswith(MARK)), 0)
    return TensorType(shape=tuple(int(side.removesuffix(MARK)) for side in sides), channel_axis=axis)
