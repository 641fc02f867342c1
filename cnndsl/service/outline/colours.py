"""What each word of a text is: semantic tokens."""

from __future__ import annotations

from lark import Token

from cnndsl.ir.op import find
from cnndsl.passes.values.functions import CONSTANTS, FUNCTIONS
from cnndsl.passes.values.parameters import TYPES
from cnndsl.passes.values.visible import is_layer
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Coloured, TokenKind
from cnndsl.service.bound import Kind
from cnndsl.syntax.tolerant.parse import tokens
from cnndsl.syntax.vocabulary import RESERVED

_KINDS: dict[Kind, TokenKind] = {
    "value": "variable", "parameter": "parameter", "setting": "parameter", "function": "function", "block": "class",
    "model": "class", "share": "class", "tensor": "variable", "input": "variable", "loop": "variable", "imported": "class",
}  # fmt: skip
_WORDS = {word.upper() for word in RESERVED} | {"FN", "TOKENS", "OF"}
_NUMBERS = ("NUMBER", "DIMENSIONS")


def colours(analysis: Analysis) -> tuple[Coloured, ...]:
    """The words of a text in order, each once, none over the end of a line."""
    found = (_colour(token, analysis) for token in tokens(analysis.source))
    return tuple(coloured for coloured in found if coloured is not None)


def _colour(token: Token, analysis: Analysis) -> Coloured | None:
    start, end = token.start_pos or 0, token.end_pos or 0
    if token.type in _WORDS:
        return Coloured(start, end, "keyword")
    if token.type in _NUMBERS:
        return Coloured(start, end, "number")
    if token.type == "STRING":
        return Coloured(start, end, "string")
    if token.type == "COMMENT":
        return Coloured(start, start + len(token), "comment")
    if token.type == "LABEL":
        symbol = analysis.bindings.at.get(start)
        if symbol is not None:
            # `input image:`, `param classes:` set a name.
            return Coloured(start, start + len(symbol.name), _KINDS[symbol.kind], ("declaration",))
        return Coloured(start, start + len(str(token).rstrip(": \t")), "property")
    return _name(token, start, end, analysis) if token.type == "NAME" else None


def _name(token: Token, start: int, end: int, analysis: Analysis) -> Coloured | None:
    symbol, word = analysis.bindings.at.get(start), str(token)
    if symbol is not None:
        declared = any(span.start == start for span in symbol.definitions)
        return Coloured(start, end, _KINDS[symbol.kind], ("declaration",) if declared else ())
    op = find(word)
    if is_layer(word) or op is not None:
        return Coloured(start, end, "method" if op is None or not op.merges else "function", ("defaultLibrary",))
    if word in FUNCTIONS or word in CONSTANTS:
        return Coloured(start, end, "function", ("defaultLibrary",))
    if word in TYPES and analysis.source.text[:start].rstrip(" \t").endswith(":"):
        return Coloured(start, end, "keyword")
    behind = analysis.source.text[end : end + 2]
    if behind[:1] == "=" and behind != "==":
        return Coloured(start, end, "parameter")
    return None
