"""The known word that a misspelt one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher


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
