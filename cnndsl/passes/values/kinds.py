"""Words that diagnostics of the passes share: kinds of values, nearest names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label, Refusal
from cnndsl.diagnostics.source import Span
from cnndsl.ir.arguments import show
from cnndsl.passes.draft.flow import IdentityValue, LayerValue, Lost, Wire
from cnndsl.passes.values.scope import BlockValue, Shared


def fail(
    id: str, message: str, span: Span, text: str = "", *, notes: tuple[str, ...] = (), help: str | None = None
) -> CnnError:
    """One error at one place, ready to be raised."""
    return CnnError([Diagnostic(id, message, (Label(span, text),), notes, help)])


def unplaced(refusal: Refusal, span: Span) -> CnnError:
    """A refusal that nothing nearer has placed."""
    return fail(refusal.id, refusal.message, span, notes=refusal.notes, help=refusal.help)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most alike, if any is."""
    words = sorted(set(known))
    folded = {w.lower(): w for w in reversed(words)}
    if word.lower() in folded:
        return folded[word.lower()]
    if not 3 <= len(word) <= 64:
        # Any two short names are alike, and comparing takes the square of the length.
        return None
    likeness, close = max(((_likeness(word, w), w) for w in words), default=(0.0, ""))
    return close if likeness >= 0.6 else None


def _likeness(word: str, known: str) -> float:
    """From 0 to 1; letters that differ only in case count a little less than equal ones."""
    same = SequenceMatcher(None, word, known).ratio()
    return max(same, 0.95 * SequenceMatcher(None, word.lower(), known.lower()).ratio())


def kind(value: Any) -> str:
    """What a value is, in a sentence: `the whole number 3`, `the layer ReLU`."""
    if isinstance(value, bool):
        return show(value)
    if isinstance(value, int):
        return f"the whole number {value}"
    if isinstance(value, float):
        return f"the number {value}"
    if isinstance(value, str):
        return f'the text "{value}"'
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, LayerValue):
        return f"the layer {value.word}"
    if isinstance(value, BlockValue):
        return f"the block {value.definition.name}"
    if isinstance(value, IdentityValue):
        return "`id`"
    if isinstance(value, Wire):
        return f"a tensor of {value.type}"
    if isinstance(value, Shared):
        return f"the share {value.statement.name}"
    if isinstance(value, tuple) and value and all(isinstance(v, Wire | Lost) for v in value):
        return f"{len(value)} tensors"
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else "none" if value is None else "something else"
