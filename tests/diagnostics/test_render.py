"""Guards `diagnostics/render.py` and `diagnostics/excerpt.py`. Diagnostics as text: golden pictures, and nothing of a
program reaching the terminal as a control character.
"""

from __future__ import annotations

import re

import pytest

from cnndsl.diagnostics.errors import Diagnostic, Label, Severity
from cnndsl.diagnostics.render import one_line, render, render_all
from cnndsl.diagnostics.source import Source, Span

RESIDUAL = "input 3×32×32\n\n\n\n\n\n  add{ Conv3x3(128, stride=2) → BN | id }\n"


def at(source: Source, text: str, said: str = "", after: int = 0) -> Label:
    start = source.text.index(text, after)
    return Label(Span(source, start, start + len(text)), said)


def mismatch() -> Diagnostic:
    source = Source("mine.cnn", RESIDUAL)
    return Diagnostic(
        "shape-mismatch",
        "cannot add 128×28×28 and 64×56×56",
        (
            Label(Span(source, source.text.index("id }"), source.text.index(" }")), "64×56×56, straight from `layer1`"),
            at(source, "Conv3x3(128, stride=2) → BN", "128×28×28"),
        ),
        help="project the shortcut: `Conv1x1(128, stride=2)`",
    )


def test_the_picture_of_the_language_page() -> None:
    assert render(mismatch()) == (
        "error[shape-mismatch]: cannot add 128×28×28 and 64×56×56\n"
        "  --> mine.cnn:7:38\n"
        "   |\n"
        " 7 |   add{ Conv3x3(128, stride=2) → BN | id }\n"
        "   |        ---------------------------   ^^ 64×56×56, straight from `layer1`\n"
        "   |        128×28×28\n"
        "   = help: project the shortcut: `Conv1x1(128, stride=2)`"
    )


def test_one_line_form() -> None:
    assert one_line(mismatch()) == "mine.cnn:7:38: error[shape-mismatch]: cannot add 128×28×28 and 64×56×56"
    assert one_line(Diagnostic("bad", "no place", severity=Severity.WARNING)) == "warning[bad]: no place"


def test_colour_is_the_same_text_in_escapes() -> None:
    colored = render(mismatch(), color=True)
    assert "\x1b[1;31m^^\x1b[0m" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == render(mismatch())


def test_three_marks_on_a_line_hang_on_stems() -> None:
    source = Source("x.cnn", "cat{ A | B | C }")
    labels = (at(source, "C", "third"), at(source, "A", "first"), at(source, "B", "second"))
    assert render(Diagnostic("x", "m", labels)) == (
        "error[x]: m\n"
        "  --> x.cnn:1:14\n"
        "   |\n"
        " 1 | cat{ A | B | C }\n"
        "   |      -   -   ^ third\n"
        "   |      |   second\n"
        "   |      first"
    )


def test_lines_apart_are_joined_by_dots_and_one_line_between_is_shown() -> None:
    source = Source("x.cnn", "\n".join(f"line {n}" for n in range(1, 13)))
    labels = (at(source, "line 12", "here"), at(source, "line 3"), at(source, "line 5", "and"))
    assert render(Diagnostic("x", "m", labels)) == (
        "error[x]: m\n"
        "   --> x.cnn:12:1\n"
        "    |\n"
        "  3 | line 3\n"
        "    | ------\n"
        "  4 | line 4\n"
        "  5 | line 5\n"
        "    | ------ and\n"
        "...\n"
        " 12 | line 12\n"
        "    | ^^^^^^^ here"
    )


def test_a_mark_over_several_lines_shows_its_ends() -> None:
    source = Source("x.cnn", "add{\n  A\n| B\n| C\n  }\n")
    label = Label(Span(source, 0, source.text.rindex("}") + 1), "this merge")
    assert render(Diagnostic("x", "m", (label,), notes=("two\nlines",))) == (
        "error[x]: m\n"
        "  --> x.cnn:1:1\n"
        "   |\n"
        " 1 | add{\n"
        "   | ^^^^\n"
        "...\n"
        " 5 |   }\n"
        "   |   ^ this merge\n"
        "   = note: two\n"
        "           lines"
    )


def test_another_file_has_its_own_place() -> None:
    here, there = Source("a.cnn", "use B from b"), Source("b.cnn", "\nblock B { X }")
    text = render(Diagnostic("x", "m", (at(here, "B", "from here"), at(there, "X", "it has this"))))
    assert text == (
        "error[x]: m\n"
        "  --> a.cnn:1:5\n"
        "   |\n"
        " 1 | use B from b\n"
        "   |     ^ from here\n"
        "  --> b.cnn:2:11\n"
        "   |\n"
        " 2 | block B { X }\n"
        "   |           - it has this"
    )


@pytest.mark.parametrize(
    ("line", "word", "shown", "marks"),
    [
        ("\tConv", "Conv", "    Conv", "    ^^^^"),
        ("ab\tConv", "Conv", "ab  Conv", "    ^^^^"),
        ("# 漢字 Conv", "Conv", "# 漢字 Conv", "       ^^^^"),
        ("# e\u0301 Conv", "Conv", "# e\u0301 Conv", "    ^^^^"),
        ("a\u202eb", "\u202e", "a<U+202E>b", " ^^^^^^^^"),
        ("a\x1b[31mb", "\x1b", "a<U+001B>[31mb", " ^^^^^^^^"),
    ],
)
def test_columns_of_the_terminal(line: str, word: str, shown: str, marks: str) -> None:
    source = Source("x.cnn", line)
    *_, text, under = render(Diagnostic("x", "m", (at(source, word),))).split("\n")
    assert (text, under) == (f" 1 | {shown}", f"   | {marks}")


@pytest.mark.parametrize("text", ["", "Conv", "Conv\n", "Conv\r\n", "\n\n"])
def test_the_end_of_the_text_has_a_place(text: str) -> None:
    source = Source("x.cnn", text)
    last = render(Diagnostic("x", "m", (Label(Span(source, len(text), len(text)), "here"),))).split("\n")[-1]
    line = text.split("\n")[-1]
    assert last == f"   | {' ' * len(line)}^ here"


def test_a_very_long_line_is_cut_around_its_mark() -> None:
    source = Source("x.cnn", "漢x" * 300 + "HERE" + "y漢" * 300)
    *_, text, under = render(Diagnostic("x", "m", (at(source, "HERE", "this"),))).split("\n")
    before = text[5:].index("HERE")
    wide = sum(2 if c == "漢" else 1 for c in text[5 : 5 + before])
    assert under == f"   | {' ' * wide}^^^^ this"
    assert len(text) < 150
    assert text[5] == text[-1] == "…"


def test_names_and_messages_carry_no_control_characters() -> None:
    source = Source("a\x1b]0;b.cnn", "x\x07y")
    diagnostic = Diagnostic("x", "found \x1b[2J", (at(source, "y", "\x00"),), notes=("\x08",), help="\x7f")
    text = render_all([diagnostic, diagnostic]) + one_line(diagnostic)
    assert all(c.isprintable() or c == "\n" for c in text)
