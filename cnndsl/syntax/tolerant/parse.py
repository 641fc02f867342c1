"""Any text to a tree, with holes where something is missing."""

from __future__ import annotations

from dataclasses import dataclass

from lark import Token
from lark.parsers.lalr_parser_state import ParseConf, ParserState

from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Source, Span
from cnndsl.syntax import tree
from cnndsl.syntax.build.places import Reading
from cnndsl.syntax.parser import parse_value, reader
from cnndsl.syntax.scan import MOST_BYTES
from cnndsl.syntax.tolerant.brackets import bracketed
from cnndsl.syntax.tolerant.repair import Repair
from cnndsl.syntax.tolerant.tokens import made, tokens_of


@dataclass(frozen=True)
class Tolerant:
    """A tree, and where it has holes: spans without width, at which something was inserted."""

    program: tree.Program
    holes: tuple[Span, ...]


def parse_tolerant(source: Source) -> Tolerant:
    """The tree of any text, for a right program the one of `cnndsl.syntax.parser.parse`. Raises nothing.

    A text longer than any program gives an empty tree."""
    if len(source.text) > MOST_BYTES:
        return Tolerant(tree.Program(source, (), ()), ())
    lark, builder = reader()
    reading = Reading(source, 0, _part, tolerant=True)
    outer: Reading | None = getattr(builder, "reading", None)
    builder.reading = reading
    try:
        read = list(tokens_of(source.text, lark.parser.lexer))
        machine = lark.parser.parser.parser
        table = machine.parse_table
        start, end = table.start_states["program"], table.end_states["program"]
        repaired = Repair(table.states, start, end).run(bracketed(source.text, read))
        state = ParserState(ParseConf(table, machine.callbacks, "program"), None)  # type: ignore[arg-type]
        for token in repaired:
            state.feed_token(token)
        statements = state.feed_token(Token("$END", ""), is_end=True)
    finally:
        if outer is not None:
            builder.reading = outer
    holes = tuple(Span(source, place, place) for place in dict.fromkeys(_places(repaired)))
    return Tolerant(tree.Program(source, statements, tuple(reading.comments)), holes)


def missing_brackets(source: Source) -> list[tuple[int, str]]:
    """The closing brackets that a text lacks, and the offsets at which they are put in."""
    lark, builder = reader()
    outer: Reading | None = getattr(builder, "reading", None)
    builder.reading = Reading(source, 0, _part, tolerant=True)
    try:
        mended = bracketed(source.text, list(tokens_of(source.text, lark.parser.lexer))).tokens
    finally:
        if outer is not None:
            builder.reading = outer
    return [(token.start_pos or 0, str(token)) for token in mended if token.start_pos == token.end_pos]


def tokens(source: Source) -> list[Token]:
    """A text's tokens, comments among them, with the places at which they stand."""
    lark, builder = reader()
    outer: Reading | None = getattr(builder, "reading", None)
    builder.reading = reading = Reading(source, 0, _part, tolerant=True)
    try:
        read = list(tokens_of(source.text, lark.parser.lexer))
    finally:
        if outer is not None:
            builder.reading = outer
    comments = [made("COMMENT", comment.text, comment.span.start, comment.span.end) for comment in reading.comments]
    return sorted([*read, *comments], key=lambda token: token.start_pos or 0)


def _places(tokens: list[Token]) -> list[int]:
    return [token.start_pos for token in tokens if token.start_pos is not None and token.start_pos == token.end_pos]


def _part(source: Source, start: int, end: int) -> tree.Value:
    """A value inside of a label; a hole where none can be read."""
    try:
        return parse_value(source, start, end)
    except CnnError:
        return tree.Name(Span(source, start, start), "")
