"""Any text as tokens: what no token begins with is passed over, and a text in quotes that is left open ends with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token
from lark.exceptions import UnexpectedCharacters
from lark.lexer import BasicLexer, LexerState
from lark.utils import TextSlice

from cnndsl.syntax.scan import LOOKALIKES

_RUN = re.compile(r"([0-9][0-9_]*)[A-Za-z0-9_.]*")
_OPEN_QUOTE = re.compile(r'"[^\n]*')
_SIGNS = {"-": "MINUS", "→": "ARROW", "×": "TIMES", "/": "SLASH", "|": "BAR", "..": "DOTS", "in": "IN", "and": "AND"}


def tokens_of(text: str, lexer: BasicLexer) -> Iterator[Token]:
    """The tokens in order, with the places at which they stand."""
    state = LexerState(TextSlice(text, 0, len(text)))
    while True:
        try:
            yield lexer.next_token(state)
        except EOFError:
            return
        except UnexpectedCharacters:
            place = state.line_ctr.char_pos
            token = _unreadable(text, place)
            width = (token.end_pos or 0) - place if token is not None else 1
            state.line_ctr.feed(TextSlice(text, place, place + width), True)
            if token is not None:
                yield token


def _unreadable(text: str, place: int) -> Token | None:
    """What was meant by characters that are no token; None where nobody can tell."""
    run = _RUN.match(text, place)
    if run is not None:
        return made("NUMBER", run[1], place, run.end())
    quoted = _OPEN_QUOTE.match(text, place)
    if quoted is not None:
        # The closing quote is not there, and the token says what it would with it.
        written = re.sub(r'\\(?!["\\])', "", quoted[0].rstrip().rstrip("\\"))
        return made("STRING", f'{written}"', place, place + len(quoted[0].rstrip()))
    meant = LOOKALIKES.get(text[place], "")
    return made(_SIGNS[meant], meant, place, place + 1) if meant in _SIGNS else None


def made(type: str, value: str, start: int, end: int) -> Token:
    """A token that no lexer has read."""
    return Token(type, value, start_pos=start, end_pos=end)
