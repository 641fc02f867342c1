"""Text to tree: Lark reads, `Builder` makes the nodes as it goes."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import Any

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Source, Span
from cnndsl.disk.shelf import read_data
from cnndsl.syntax import tables, tree
from cnndsl.syntax.build import Builder
from cnndsl.syntax.build.places import Reading
from cnndsl.syntax.mistakes import unexpected, unreadable
from cnndsl.syntax.recovery import MOST_MISTAKES, mistakes
from cnndsl.syntax.scan import scan

OPTIONS: dict[str, Any] = {
    "parser": "lalr",
    "lexer": "basic",
    "start": ["program", "value"],
    "keep_all_tokens": True,
    "maybe_placeholders": False,
}


def parse(source: Source, *, most: int = MOST_MISTAKES) -> tree.Program:
    """The program a text says. Raises CnnError with everything the text itself gets wrong, at most so many mistakes: each
    of them costs a reading."""
    try:
        scan(source)
    except CnnError as error:
        raise _retold(error) from None
    try:
        statements, comments = _read(source, "program", source.text)
    except CnnError as first:
        found = CnnError(mistakes(source.text, first, lambda text: _read(source, "program", text), most))
        raise _retold(found) from None
    return tree.Program(source, statements, tuple(comments))


def _retold(error: CnnError) -> CnnError:
    # Only wrong programs pay for the tables.
    from cnndsl.habits.retell import retold

    return retold(error)


def parse_value(source: Source, start: int, end: int) -> tree.Value:
    """The value that a part of a text says."""
    value: tree.Value
    value, _ = _read(source, "value", source.text[start:end], start)
    return value


def _read(source: Source, rule: str, text: str, start: int = 0) -> tuple[Any, list[tree.Comment]]:
    """What a text says that stands in the source from `start` on; some of it may have been blanked."""
    lark, builder = reader()
    # A label's values are read while the text around it is.
    outer: Reading | None = getattr(builder, "reading", None)
    builder.reading = reading = Reading(source, start, parse_value)
    end = start + len(text)
    try:
        return lark.parse(text, start=rule), reading.comments
    except UnexpectedCharacters as error:
        raise CnnError([unreadable(source, (error.pos_in_stream or 0) + start)]) from None
    except UnexpectedToken as error:
        raise CnnError([_diagnose(source, error, start, end)]) from None
    except UnexpectedEOF as error:
        token = Token("$END", "", start_pos=end - start, end_pos=end - start)
        raise CnnError([unexpected(source, _end(source, end), token, set(error.expected))]) from None
    finally:
        if outer is not None:
            builder.reading = outer


def _diagnose(source: Source, error: UnexpectedToken, start: int, end: int) -> Any:
    token = error.token
    at_end = token.type == "$END"
    span = (
        _end(source, end)
        if at_end or token.start_pos is None or token.end_pos is None
        else Span(source, token.start_pos + start, token.end_pos + start)
    )
    # `expected` also lists tokens that a reduction would refuse; `accepts` has been tried.
    accepts = error.accepts or error.expected
    return unexpected(source, span, token, set(accepts))


def _end(source: Source, end: int) -> Span:
    """Right behind the last thing that was said."""
    last = len(source.text[:end].rstrip())
    return Span(source, last, last)


@cache
def reader() -> tuple[Any, Builder]:
    """Lark with the parser's tables, and what it calls to make nodes."""
    builder = Builder()
    text = read_data("grammars", "cnn.lark")
    callbacks = {"COMMENT": builder.comment}
    if sha256(text.encode()).hexdigest() == tables.GRAMMAR:
        # Building the tables takes longer than reading most programs: `python -m cnndsl.syntax.generate` keeps them.
        load: Any = Lark._load_from_dict
        made = load(tables.DATA, tables.MEMO, transformer=builder, lexer_callbacks=callbacks)
        return made, builder
    return Lark(text, **OPTIONS, transformer=builder, lexer_callbacks=callbacks), builder
