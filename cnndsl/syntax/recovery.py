"""Goes on after a mistake at the next statement, so that one reading finds the mistakes of several."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cnndsl.diagnostics.errors import CnnError, Diagnostic

MOST_MISTAKES = 20
# Each mistake is one more reading of the text.
MOST_CHARACTERS = 200_000

_PIECE = re.compile(
    r'#[^\n]*|"(?:[^"\\\n]|\\.)*"'
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])"
    r"|(?P<start>\b(?:let|share|model|block)\b[ \t]+[A-Za-z_][A-Za-z0-9_]*(?:[ \t]*=(?!=))?"
    r"|\bparam\b[^\n=]*=?|\b(?:use|default|input|output|assert)\b(?![ \t]*:)"
    r"|\b[A-Za-z_][A-Za-z0-9_]*[ \t]*=(?!=))"
)


def mistakes(text: str, first: CnnError, read: Callable[[str], object], most: int = MOST_MISTAKES) -> list[Diagnostic]:
    """The first mistake, and those that `read` meets in the text once the statements of the earlier ones are blanked; at
    most so many."""
    found = list(first.diagnostics)
    while len(found) < most and len(text) <= MOST_CHARACTERS:
        span = found[-1].span
        region = _statement(text, span.start) if span else None
        if region is None or not text[region[0] : region[1]].strip():
            break
        start, end = region
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
        try:
            read(text)
            break
        except CnnError as error:
            found += error.diagnostics
    return found


def _statement(text: str, offset: int) -> tuple[int, int] | None:
    """From the start of the statement in which an offset lies to the start of the next one, or the end of its body."""
    start, depth = 0, 0
    for position, kind, level in _pieces(text):
        if position <= offset:
            if kind == "start" or (kind == "open" and text[position] == "{" and _opens_body(text, position)):
                start, depth = position + (kind == "open"), level
        elif (kind == "start" and level <= depth) or (kind == "close" and level < depth):
            return start, position
    return start, len(text)


def _pieces(text: str) -> Iterator[tuple[int, str, int]]:
    """Brackets and starts of statements, with the number of bodies around each. Inside other brackets nothing starts."""
    open_: list[bool] = []
    for match in _PIECE.finditer(text):
        kind = match.lastgroup
        if kind == "open":
            open_.append(match[0] == "{" and _opens_body(text, match.start()))
            if open_[-1]:
                yield match.start(), "open", len(open_)
        elif kind == "close":
            was_body = open_.pop() if open_ else False
            if was_body:
                yield match.start(), "close", len(open_)
        elif kind == "start" and all(open_):
            yield match.start(), "start", len(open_)


def _opens_body(text: str, brace: int) -> bool:
    """Whether a brace follows the head of a block or model."""
    head = text[max(0, brace - 400) : brace]
    words = list(re.finditer(r"\b(block|model)\b", head))
    return bool(words) and not re.search(r"[{}→]", head[words[-1].end() :])
