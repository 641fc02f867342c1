"""Brackets that match: closing ones of no width where a statement begins or a bracket of another kind closes too early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lark import Token

from cnndsl.syntax.scan import MOST_DEPTH
from cnndsl.syntax.tolerant.tokens import made

_CLOSES = {"LPAR": "RPAR", "_CALL": "RPAR", "LSQB": "RSQB", "_INDEX": "RSQB", "LBRACE": "RBRACE"}
_SIGN = {"RPAR": ")", "RSQB": "]", "RBRACE": "}"}
_ALWAYS = frozenset(["USE", "PARAM", "LET", "DEFAULT", "BLOCK", "MODEL", "INPUT", "SHARE", "ASSERT", "FN"])
"""Words that begin statements wherever they stand, but for `block` as the type of a `param`."""
_OUTSIDE = frozenset(["USE", "MODEL"])
"""What stands in no body."""
_NOT_IN_CALLS = frozenset(["ARROW", "BAR", "LABEL", "AS", "LBRACE"])
"""What arguments and indices never hold."""
_NAMED = frozenset(["LET", "PARAM", "SHARE", "MODEL"])


@dataclass
class Bracketed:
    """Tokens whose brackets all match."""

    tokens: list[Token] = field(default_factory=list)
    starts: set[int] = field(default_factory=set)
    """Which of them begin statements, and which end a body."""
    partners: dict[int, int] = field(default_factory=dict)
    """The closing token of each opening one, and the other way round."""


@dataclass
class _Open:
    token: Token
    index: int
    body: bool
    column: int
    """Of the word that begins the head of a body."""


def bracketed(text: str, tokens: Sequence[Token]) -> Bracketed:
    """The tokens with their brackets mended, if they need it."""
    return _Balance(text, tokens).run(mends=not _match(tokens))


def _match(tokens: Sequence[Token]) -> bool:
    open_: list[str] = []
    for token in tokens:
        if token.type in _CLOSES:
            open_.append(_CLOSES[token.type])
        elif token.type in _SIGN and (not open_ or open_.pop() != token.type):
            return False
        if len(open_) > MOST_DEPTH:
            return False
    return not open_


class _Balance:
    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.text = text
        self.read = tokens
        self.made = Bracketed()
        self.open: list[_Open] = []
        self.head: int | None = None
        """The column of the word `block` or `model` whose body is still to open."""
        self.last = 0
        """Where the token before ends."""

    def run(self, *, mends: bool) -> Bracketed:
        too_deep = 0
        for index, token in enumerate(self.read):
            begins = self._begins(index)
            if mends:
                self._close_before(token, begins)
            if begins and (not self.open or self.open[-1].body):
                self.made.starts.add(len(self.made.tokens))
                heads = token.type == "BLOCK" or (token.type == "MODEL" and not self._is_variant(index))
                self.head = self._column(token) if heads else None
            if token.type in _CLOSES:
                if len(self.open) >= MOST_DEPTH:
                    too_deep += 1
                    continue
                body = token.type == "LBRACE" and self.head is not None
                self.open.append(_Open(token, len(self.made.tokens), body, self.head or 0))
                self.head = None if body else self.head
            elif token.type in _SIGN:
                if too_deep:
                    too_deep -= 1
                    continue
                if not self.open or _CLOSES[self.open[-1].token.type] != token.type:
                    # It closes nothing.
                    continue
                self._closed(self.open.pop())
            self.made.tokens.append(token)
            self.last = token.end_pos or self.last
        while self.open:
            self._close()
        return self.made

    def _closed(self, opened: _Open) -> None:
        here = len(self.made.tokens)
        self.made.partners |= {opened.index: here, here: opened.index}
        if opened.body:
            self.made.starts.add(here)

    def _close(self) -> None:
        opened = self.open.pop()
        type = _CLOSES[opened.token.type]
        self._closed(opened)
        self.made.tokens.append(made(type, _SIGN[type], self.last, self.last))

    def _close_before(self, token: Token, begins: bool) -> None:
        """Closes what cannot go on where this token stands."""
        if token.type in _SIGN:
            depth = next((d for d in range(len(self.open) - 1, -1, -1) if self._holds(d, token)), None)
            while depth is not None and len(self.open) > depth + 1:
                self._close()
            return
        if token.type in _NOT_IN_CALLS:
            inside = next((d for d in range(len(self.open) - 1, -1, -1) if self.open[d].token.type == "LBRACE"), -1)
            calls = [d for d in range(inside + 1, len(self.open)) if self.open[d].token.type in ("_CALL", "_INDEX")]
            while calls and len(self.open) > calls[0]:
                self._close()
        if not begins:
            return
        while self.open and not self.open[-1].body:
            self._close()
        first = self._first_on_line(token)
        while self.open and (token.type in _OUTSIDE or (first and self._column(token) <= self.open[-1].column)):
            self._close()

    def _holds(self, depth: int, closer: Token) -> bool:
        """Whether a bracket that is open is the one meant by a closing one; none behind a body's brace is."""
        if any(opened.body for opened in self.open[depth + 1 :]):
            return False
        return _CLOSES[self.open[depth].token.type] == closer.type

    def _begins(self, index: int) -> bool:
        """Whether a statement begins here, for sure."""
        token = self.read[index]
        before = self.read[index - 1].type if index else ""
        after = self.read[index + 1].type if index + 1 < len(self.read) else ""
        if token.type in _ALWAYS:
            return not (token.type == "BLOCK" and before == "LABEL")
        if not self._first_on_line(token):
            return False
        if token.type == "OUTPUT":
            return after != "DOT" and before != "ASSERT"
        if token.type != "NAME" or after != "EQUAL" or before in _NAMED:
            return False
        # Inside of round brackets it may be an argument with its name.
        call = bool(self.open) and self.open[-1].token.type in ("_CALL", "LPAR")
        return not (call and before in ("COMMA", "_CALL", "LPAR"))

    def _is_variant(self, index: int) -> bool:
        return index + 2 < len(self.read) and self.read[index + 2].type == "EQUAL"

    def _column(self, token: Token) -> int:
        start = token.start_pos or 0
        return start - (self.text.rfind("\n", 0, start) + 1)

    def _first_on_line(self, token: Token) -> bool:
        start = token.start_pos or 0
        return not self.text[self.text.rfind("\n", 0, start) + 1 : start].strip()
