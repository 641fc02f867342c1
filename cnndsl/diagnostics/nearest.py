"""The known words that a misspelt one may have been meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

_LEAST_ALIKE = 0.6
"""Twice the letters that two words share in order, over the letters of both: what a suggestion has at the least."""
_MOST_LETTERS = 128
"""Comparing two words takes the square of their length: longer ones are not compared."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most alike, if any is."""
    return next(iter(alike(word, known, 1)), None)


def alike(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known words that are most alike, the best first. One that differs only in case is the only one."""
    words = sorted(set(known))
    folded = {w.lower(): w for w in reversed(words)}
    if word.lower() in folded:
        return [folded[word.lower()]]
    if not 3 <= len(word) <= _MOST_LETTERS:
        # Any two short names are alike.
        return []
    likenesses = ((_likeness(word, w), w) for w in words if len(w) <= _MOST_LETTERS)
    best = sorted((pair for pair in likenesses if pair[0] >= _LEAST_ALIKE), reverse=True)
    return [w for _, w in best[:most]]


def _likeness(word: str, known: str) -> float:
    """From 0 to 1; letters that differ only in case count a little less than equal ones."""
    folded = SequenceMatcher(None, word.lower(), known.lower())
    if folded.real_quick_ratio() < _LEAST_ALIKE or folded.quick_ratio() < _LEAST_ALIKE:
        # An upper bound of both ratios, and cheap.
        return 0.0
    return max(SequenceMatcher(None, word, known).ratio(), 0.95 * folded.ratio())
