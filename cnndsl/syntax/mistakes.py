"""What the parser stumbled over, in the words of someone who meant something by it."""

from __future__ import annotations

import re

from lark import Token

from cnndsl.diagnostics.errors import Diagnostic, Fix, Label
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Source, Span
from cnndsl.syntax.vocabulary import OPERATORS, RESERVED, STATEMENTS

_SIGNS = {
    "ARROW": "`→`",
    "BAR": "`|`",
    "COMMA": "`,`",
    "EQUAL": "`=`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "_CALL": "`(`",
    "_INDEX": "`[`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "TIMES": "`×`",
    "DOT": "`.`",
    "DOTS": "`..`",
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a text in quotes",
    "LABEL": "a label",
    "DIMENSIONS": "sizes such as 3×32×32",
    "$END": "the end of the file",
}
_VALUES = frozenset(
    ["NUMBER", "STRING", "TRUE", "FALSE", "NONE", "NOT", "MINUS", "OUTPUT", "LPAR", "LSQB", "NAME", "IN", "ID"]
)
_STATEMENT_TOKENS = frozenset(word.upper() for word in STATEMENTS)


def unreadable(source: Source, offset: int) -> Diagnostic:
    """No token starts at this character."""
    text = source.text
    word = re.compile(r"[A-Za-z0-9_.]+").match(text, offset)
    if word and text[offset].isdigit():
        run = word[0]
        digits = re.match(r"[0-9]+", run)
        assert digits is not None
        return Diagnostic(
            "syntax",
            f"the number `{digits[0]}` runs into `{run[digits.end() :]}`",
            (Label(Span(source, offset, offset + len(run)), "expected a number, found letters in it"),),
            help="a number may end in K, M or G; sizes are joined by `×`; a name begins with a letter",
        )
    character = text[offset]
    escape = re.compile(r'"(?:[^"\\\n]|\\["\\])*(\\.)').match(text, offset)
    if escape:
        return Diagnostic(
            "syntax",
            f"`{escape[1]}` says nothing in a text",
            (Label(Span(source, escape.start(1), escape.end(1)), 'expected `\\"` or `\\\\` after the backslash'),),
            help="write `\\\\` for a backslash",
        )
    hints = {
        ";": "statements need nothing between them: delete it",
        "'": 'write texts with `"`',
        "!": "write `not`, or `!=`",
        "&": "write `and`",
        "^": "write `**` for powers",
        ":": "a label stands right before its element: `conv1: Conv3x3(64)`",
        "-": "write `→` or `->` between elements",
    }
    return Diagnostic(
        "bad-character",
        f"the language has no `{character}`",
        (Label(Span(source, offset, offset + 1)),),
        help=hints.get(character, "delete it"),
    )


def unexpected(source: Source, span: Span, token: Token, accepts: set[str]) -> Diagnostic:
    """A token stands where another was due."""
    word = str(token)
    if token.type in _STATEMENT_TOKENS and _begins_line(source, span):
        # The next statement begins: what is missing is missing from the one before.
        last = len(source.text[: span.start].rstrip())
        return Diagnostic(
            "syntax",
            f"expected {_expected(accepts)}, and the next statement begins",
            (Label(Span(source, last, last)), Label(span, "the next statement")),
            help="finish the statement",
        )
    found = "the end of the file" if token.type == "$END" else f"`{_short(word)}`"
    special = (
        _repeat(source, span, word)
        or _twice(span, token, accepts)
        or _reserved(span, word, accepts)
        or _touch(source, span, token, accepts)
        or _comma(source, span, token, accepts)
        or _arrow(source, span, accepts)
        or _sizes(source, span, token)
        or _misspelt(source, span, accepts)
    )
    if special is not None:
        return special
    expected = _expected(accepts)
    return Diagnostic("syntax", f"expected {expected}, found {found}", (Label(span),), help=_advice(token, accepts))


def _begins_line(source: Source, span: Span) -> bool:
    return not source.text[source.text.rfind("\n", 0, span.start) + 1 : span.start].strip()


def _repeat(source: Source, span: Span, word: str) -> Diagnostic | None:
    """`[…]x2`: an x is a letter."""
    match = re.fullmatch(r"[xX]([0-9]*)", word)
    if match is None or not source.text[: span.start].rstrip().endswith(("]", ")")):
        return None
    return Diagnostic(
        "syntax",
        "a repetition is written with `×` or `*`, and `x` is a letter",
        (Label(span, f"expected `×{match[1]}`, found `{word}`"),),
        help=f"write `×{match[1]}` or `*{match[1]}`",
        fixes=(Fix(span, f"×{match[1]}"),),
    )


def _reserved(span: Span, word: str, accepts: set[str]) -> Diagnostic | None:
    if word not in RESERVED or "NAME" not in accepts or accepts & _STATEMENT_TOKENS:
        return None
    return Diagnostic(
        "reserved-name",
        f"`{word}` is a word of the language and cannot be a name",
        (Label(span, f"expected a name, found the reserved word `{word}`"),),
        help=f"call it `{word}_` or something that says what it is",
    )


def _twice(span: Span, token: Token, accepts: set[str]) -> Diagnostic | None:
    """`[…]×2 for i in 1..3`: an element repeats in one way."""
    if token.type not in ("FOR", "TIMES") or "ARROW" not in accepts or "AS" not in accepts:
        return None
    return Diagnostic(
        "syntax",
        "an element repeats in one way, by `×` or by `for`",
        (Label(span, f"expected `→`, `as` or `if`, found `{token}`"),),
        help=f"put what repeats in brackets: `[ … ] {token} …`",
    )


def _touch(source: Source, span: Span, token: Token, accepts: set[str]) -> Diagnostic | None:
    """`Conv3x3 (8)`: the bracket begins a tuple there, or a list or group."""
    before = source.text[: span.start].rstrip()
    called = {"LPAR": "_CALL", "LSQB": "_INDEX"}.get(token.type)
    apart = called in accepts and re.search(r"[A-Za-z0-9_]\Z", before) is not None
    opener = re.search(r"[A-Za-z0-9_][ \t\r\n]+([(\[])\Z", before)
    if not apart and (opener is None or token.type not in ("NUMBER", "STRING", "TRUE", "FALSE", "NONE")):
        return None
    if opener is not None and not apart:
        span = Span(source, opener.start(1), opener.end(1))
    return Diagnostic(
        "syntax",
        f"`{span.text}` stands apart from the word before it",
        (Label(span, f"expected `{span.text}` to touch the word, found space between"),),
        help="delete the space",
        fixes=(Fix(Span(source, len(source.text[: span.start].rstrip()), span.start), ""),),
    )


def _comma(source: Source, span: Span, token: Token, accepts: set[str]) -> Diagnostic | None:
    """`Conv7x7(64, , stride=2)`, `Conv7x7(, 64)`, `Conv7x7(64, stride=, bias=false)`."""
    if token.type != "COMMA" or not accepts >= {"NUMBER", "STRING"}:
        return None
    last = len(source.text[: span.start].rstrip())
    before = source.text[last - 1 : last]
    if before not in (",", "(", "["):
        return Diagnostic(
            "syntax",
            f"no value stands between `{before}` and `,`",
            (Label(span, "expected a value, found `,`"),),
            help=f"write a value after `{before}`",
        )
    following = re.compile(r"[ \t]*").match(source.text, span.end)
    end = following.end() if following and before != "," else span.end
    return Diagnostic(
        "syntax",
        f"no value stands between `{before}` and `,`",
        (Label(span, "expected a value, found `,`"),),
        help="delete this `,`, or write the value that it ends",
        fixes=(Fix(Span(source, last, end), ""),),
    )


def _arrow(source: Source, span: Span, accepts: set[str]) -> Diagnostic | None:
    """`a - b`, `a => b`, `a > b`: what was meant is an arrow."""
    start = span.start - (source.text[: span.start].endswith("=") and source.text.startswith(">", span.start))
    sign = re.compile(r"[-=|~]*>|-+").match(source.text, start)
    if sign is None or ("ARROW" not in accepts and start == span.start):
        return None
    return Diagnostic(
        "syntax",
        f"`{sign[0]}` cannot join elements",
        (Label(Span(source, sign.start(), sign.end()), f"expected `→`, found `{sign[0]}`"),),
        help="write `→` or `->`",
        fixes=(Fix(Span(source, sign.start(), sign.end()), "→"),),
    )


def _sizes(source: Source, span: Span, token: Token) -> Diagnostic | None:
    """`input 3 4 4`, `input 3 x 4`, `input 3x4×4`: sizes that are not joined in one way."""
    written = re.search(r"\binput\b[^\n→]*\Z", source.text[: span.start])
    sizes = re.search(r"[0-9x×* ]+\Z", source.text[: span.start])
    if written is None or sizes is None or token.type not in ("NUMBER", "DIMENSIONS", "TIMES"):
        return None
    start = Span(source, sizes.start() + len(sizes[0]) - len(sizes[0].lstrip()), span.end)
    return Diagnostic(
        "syntax",
        "sizes are joined by `×`, or all of them by an `x` that touches them",
        (Label(start, f"expected sizes such as `3×32×32`, found `{start.text}`"),),
        help="write `3×32×32` or `3x32x32`",
    )


def _misspelt(source: Source, span: Span, accepts: set[str]) -> Diagnostic | None:
    """`inptu 3×32×32`: the word before was to begin a statement."""
    word = re.search(r"(?:^|[\n;}])[ \t]*([a-z]+)[ \t]+\Z", source.text[: span.start])
    close = nearest(word[1], STATEMENTS) if word else None
    if word is None or word[1] in RESERVED or close is None or not accepts & _STATEMENT_TOKENS:
        return None
    return Diagnostic(
        "syntax",
        f"no statement begins with `{word[1]}`",
        (Label(Span(source, word.start(1), word.end(1)), f"expected `{close}`, found `{word[1]}`"),),
        help=f"did you mean `{close}`?",
        fixes=(Fix(Span(source, word.start(1), word.end(1)), close),),
    )


def _expected(accepts: set[str]) -> str:
    if accepts >= {"NUMBER", "NAME", "LPAR", "STRING"}:
        return "a value"
    if accepts >= {"NAME", "LSQB", "LPAR", "IN", "ID"}:
        return (
            "an element"
            if not accepts & _STATEMENT_TOKENS
            else "`→` or a statement"
            if "ARROW" in accepts
            else "a statement"
        )
    if "ARROW" in accepts and "RSQB" in accepts:
        return "`→` or `]`"
    if "ARROW" in accepts and "RBRACE" in accepts:
        return "`→` or `}`"
    plain = sorted({_SIGNS.get(t, f"`{t.lower()}`") for t in accepts - OPERATORS - {"LABEL"}})
    if not plain:
        return "the end of the statement"
    shown = plain if len(plain) <= 4 else [*plain[:4], "…"]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + f" or {shown[-1]}"


def _advice(token: Token, accepts: set[str]) -> str:
    if "ARROW" in accepts and token.type in ("NAME", "LABEL", "LSQB", "IN", "ID"):
        return "join elements with `→`"
    if "FROM" in accepts:
        return "write `from` and the name of an architecture, or of a file in quotes"
    if "COMMA" in accepts and token.type in _VALUES:
        return "separate arguments with `,`"
    if "RPAR" in accepts and "COMMA" in accepts:
        return "close the arguments with `)`"
    if token.type == "$END":
        return "finish the statement"
    if token.type == "ARROW":
        return "put an element before and after each `→`"
    if "EQUAL" in accepts and len(accepts) == 1:
        return "write `=` and a value"
    expected = _expected(accepts)
    return "end the statement before this" if expected == "the end of the statement" else f"{expected} stands here"


def _short(word: str) -> str:
    return word if len(word) <= 30 else word[:27] + "…"
