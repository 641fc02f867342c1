"""What is known of a variant: its figures, or why it cannot be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnndsl.sweeping.variants import Variant

Figure = int | float | str | None


@dataclass(frozen=True)
class Row:
    """A variant and its figures by name; of one that cannot be built, the reason and the id of the diagnostic."""

    variant: Variant
    figures: Mapping[str, Figure] = field(default_factory=dict)
    reason: str | None = None
    id: str | None = None

    @property
    def built(self) -> bool:
        return self.reason is None

    def flat(self) -> dict[str, Any]:
        """The row as one dict: `model` where there are several, parameters, inputs (`input` for the first), figures. A parameter
        that is called like a figure has its place."""
        values = {name: _number(value) for name, value in self.variant.parameters.items()}
        sizes = {name or "input": size for name, size in self.variant.inputs.items()}
        model = {"model": self.variant.model} if self.variant.model is not None else {}
        return {**model, **values, **sizes, **{n: v for n, v in self.figures.items() if n not in values}}

    def to_json(self) -> dict[str, Any]:
        """The row as plain data."""
        variant = self.variant
        told = {"model": variant.model, "parameters": dict(variant.parameters), "inputs": dict(variant.inputs)}
        return {**told, "figures": dict(self.figures)} if self.built else {**told, "reason": self.reason, "id": self.id}

    @classmethod
    def from_json(cls, told: Any) -> Row:
        """The row of plain data. Raises KeyError, TypeError and AttributeError for other data."""
        variant = Variant(told["model"], dict(told["parameters"]), dict(told["inputs"]))
        row = cls(variant, dict(told.get("figures", {})), told.get("reason"), told.get("id"))
        texts = [variant.model, row.reason, row.id]
        if (
            any(not isinstance(text, str | None) for text in texts)
            or any(not isinstance(size, str) for size in variant.inputs.values())
            or any(type(figure) not in (int, float, str, type(None)) for figure in row.figures.values())
        ):
            raise TypeError("this is no row")
        return row


def _number(value: Any) -> Any:
    """A text that is a number as the number."""
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
