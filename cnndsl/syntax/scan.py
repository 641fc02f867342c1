"""What can be said of a text before it is parsed: its bytes, its characters, its brackets, its depth."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Fix, Label, fault
from cnndsl.diagnostics.source import Source, Span

MOST_BYTES = 1_000_000
MOST_DEPTH = 64
MOST_WRONG_SIGNS = 20

_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_NEVER = re.compile(rf"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f{_INVISIBLE}]")
_TOKEN = re.compile(
    r'(?P<comment>#[^\n]*)|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<quote>"[^\n]*)|(?P<bracket>[()\[\]{}])|(?P<odd>[^\x00-\x7f→×≠≤≥]+)'
)
# Signs that keyboards and word processors put where one of the language's own was meant.
LOOKALIKES = {
    **dict.fromkeys("−–—", "-"),
    **dict.fromkeys("⇒⟶➔➜➝⟹", "→"),
    **dict.fromkeys("✕✖⋅·", "×"),
    **dict.fromkeys("“”„«»‘’", '"'),
    "÷": "/",
    "¬": "not",
    "∧": "and",
    "∈": "in",
    "…": "..",
    "¦": "|",
}
"""What each of them was meant to be."""
_CLOSER = {"(": ")", "[": "]", "{": "}"}


def decode(name: str, data: bytes) -> Source:
    """Bytes as a source. A byte order mark at the start is dropped. Raises `source-too-long` and `not-utf8`."""
    if len(data) > MOST_BYTES:
        raise too_long(Source(name, ""), f"the text has {len(data):,} bytes")
    try:
        return Source(name, data.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        # Show the readable part, so that the place can be pointed at.
        readable = Source(name, data[: error.start].decode("utf-8").removeprefix("\ufeff") + "\ufffd")
        end = len(readable.text)
        raise fault(
            "not-utf8",
            f"byte {error.start + 1} is not UTF-8 (0x{data[error.start]:02x})",
            Span(readable, end - 1, end),
            help="save the file as UTF-8",
        ) from None


def scan(source: Source) -> None:
    """Raises CnnError with everything that is wrong with the characters and brackets of a text."""
    if len(source.text) > MOST_BYTES:
        raise too_long(source, f"the text has {len(source.text):,} characters")
    # A byte order mark is fine at the very start.
    start = 1 if source.text.startswith("\ufeff") else 0
    found = [_never(source, match) for match in _first(_NEVER.finditer(source.text, start))]
    found += _brackets(source, start)
    if found:
        found.sort(key=lambda d: d.labels[0].span.start)
        raise CnnError(found[:MOST_WRONG_SIGNS])


def too_long(source: Source, message: str) -> CnnError:
    """What is raised for a text of more than `MOST_BYTES`."""
    return fault(
        "source-too-long",
        f"{message}; at most {MOST_BYTES:,} are read",
        Span(source, 0, 0),
        help="split the program into files and join them with `use`",
    )


def _first(matches: Iterator[re.Match[str]]) -> list[re.Match[str]]:
    return [match for match, _ in zip(matches, range(MOST_WRONG_SIGNS), strict=False)]


def _never(source: Source, match: re.Match[str]) -> Diagnostic:
    character = match[0]
    name = unicodedata.name(character, "a control character").lower()
    id = "bad-character" if character < "\x20" or "\x7f" <= character < "\xa0" else "invisible-character"
    return Diagnostic(
        id,
        f"U+{ord(character):04X}, {name}, cannot be seen and is not allowed, in comments neither",
        (Label(Span(source, match.start(), match.end())),),
        help="delete it",
    )


def _brackets(source: Source, start: int) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    open_: list[int] = []
    text = source.text
    for match in _TOKEN.finditer(text, start):
        if match.lastgroup == "odd":
            # What cannot be seen has been told already.
            if not _NEVER.match(match[0]):
                found.append(_odd(source, match))
        elif match.lastgroup == "quote":
            found.append(
                Diagnostic(
                    "unterminated-string",
                    'this text has no closing `"` on its line',
                    (Label(Span(source, match.start(), match.end()), 'expected `"` before the end of the line'),),
                    help='close it with `"`',
                )
            )
        elif match.lastgroup == "bracket":
            mismatch = _bracket(source, match, open_)
            if mismatch is not None:
                # What follows would be guesswork: one bracket moves all others.
                return [*found, mismatch]
        if len(found) >= MOST_WRONG_SIGNS:
            return found
    if open_:
        found.append(_unclosed(source, open_[-1], "the end of the file"))
    return found


def _bracket(source: Source, match: re.Match[str], open_: list[int]) -> Diagnostic | None:
    text, at, bracket = source.text, match.start(), match[0]
    if bracket in _CLOSER:
        open_.append(at)
        if len(open_) <= MOST_DEPTH:
            return None
        return Diagnostic(
            "too-deep",
            f"brackets nest deeper than {MOST_DEPTH}",
            (Label(Span(source, at, at + 1), f"this is bracket {MOST_DEPTH + 1} inside another"),),
            help="give the inner part a name with `block` or `let`",
        )
    if not open_:
        opener = next(o for o, c in _CLOSER.items() if c == bracket)
        return Diagnostic(
            "syntax",
            f"`{bracket}` closes nothing",
            (Label(Span(source, at, at + 1), f"expected a `{opener}` before it, found none"),),
            help=f"delete it, or open it with `{opener}`",
        )
    opened = open_.pop()
    if _CLOSER[text[opened]] == bracket:
        return None
    return _unclosed(source, opened, f"`{bracket}`", Span(source, at, at + 1))


def _unclosed(source: Source, opened: int, instead: str, where: Span | None = None) -> Diagnostic:
    bracket = source.text[opened]
    closer = _CLOSER[bracket]
    labels = [Label(Span(source, opened, opened + 1), "opened here")]
    if where is not None:
        labels.append(Label(where, f"expected `{closer}`, found {instead}"))
    return Diagnostic(
        "unclosed-bracket",
        f"`{bracket}` is never closed: expected `{closer}`, found {instead}",
        tuple(labels),
        help=f"add `{closer}`",
    )


def _odd(source: Source, match: re.Match[str]) -> Diagnostic:
    run, character = match[0], match[0][0]
    label = (Label(Span(source, match.start(), match.end())),)
    name = unicodedata.name(character, "an unnamed character").lower()
    if character.isalpha():
        return Diagnostic(
            "non-ascii-name",
            f"names are written with ASCII letters, and this is {name} (U+{ord(character):04X})",
            label,
            notes=(f"expected A-Z, a-z, 0-9 or `_`, found `{run}`",),
            help="write it with ASCII letters; comments may hold any",
        )
    if character.isnumeric():
        folded = "".join(str(unicodedata.digit(c, "")) for c in run)
        return Diagnostic(
            "non-ascii-digit",
            f"numbers are written with the digits 0-9, and this is {name} (U+{ord(character):04X})",
            label,
            notes=(f"expected 0-9, found `{run}`",),
            help=f"write `{folded}`" if folded else "write it with the digits 0-9",
        )
    kind = "space" if character.isspace() else "sign"
    meant = " " if kind == "space" else LOOKALIKES.get(character)
    return Diagnostic(
        "bad-character",
        f"{name} (U+{ord(character):04X}) is no {kind} of the language",
        label,
        help="write an ordinary space"
        if kind == "space"
        else f"write `{meant}`"
        if meant
        else "delete it; the signs beyond ASCII are → × ≠ ≤ ≥",
        fixes=(Fix(label[0].span, meant),) if meant else (),
    )
