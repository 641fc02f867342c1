"""Labels: their text once their values are worked out, and whether they name each round of a `for`."""

from __future__ import annotations

from typing import Any

from cnndsl.diagnostics.errors import fault
from cnndsl.passes.values.evaluate import evaluate
from cnndsl.passes.values.kinds import kind
from cnndsl.passes.values.loops import names_in
from cnndsl.passes.values.place import Place
from cnndsl.syntax import tree


def label_text(label: tree.Label | None, place: Place) -> str | None:
    """A label's text, its values worked out."""
    if label is None:
        return None
    text = "".join(part if isinstance(part, str) else _part(evaluate(part, place), part) for part in label.parts)
    if not all(text.split(".")):
        raise fault(
            "syntax",
            f"`{text}` has an empty part between its dots",
            label.span,
            help="put letters or digits on both sides of each dot",
        )
    return text


def _part(value: Any, at: tree.Value) -> str:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    text = value if isinstance(value, str) else str(int(value)) if whole else None
    if text is None or not text or not all(c.isascii() and (c.isalnum() or c in "_-") for c in text):
        raise fault(
            "wrong-type",
            f"a label is made of whole numbers and words, found {kind(value)}",
            at.span,
            help="use letters, digits, `_` and `-`",
        )
    return text


def mentioned(label: tree.Label) -> set[str]:
    """The names that a label's values speak of."""
    return {name.name for part in label.parts if not isinstance(part, str) for name in names_in(part)}
