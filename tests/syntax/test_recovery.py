"""Guards `syntax/recovery.py`. One reading finds the mistakes of several statements, each at its own place."""

from __future__ import annotations

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Source
from cnndsl.syntax.parser import parse


def places(text: str) -> list[tuple[str, int, int]]:
    with pytest.raises(CnnError) as caught:
        parse(Source("net.cnn", text))
    return [(d.id, *d.labels[0].span.source.line_and_column(d.labels[0].span.start)) for d in caught.value.diagnostics]


def test_every_statement_with_a_mistake_is_told() -> None:
    text = (
        "input 3×32×\n"
        "let k = 4 +\n"
        "block A(c) {\n"
        "  let x = = 3\n"
        "  Conv3x3(c) → ReLU\n"
        "}\n"
        "block B { Conv3x3(8d) }\n"
        "param in: int = 3\n"
        "A(k) → Conv3x3(8)\n"
    )
    assert places(text) == [
        ("syntax", 1, 12),
        ("syntax", 2, 12),
        ("syntax", 4, 11),
        ("syntax", 7, 19),
        ("reserved-name", 8, 7),
    ]


def test_places_are_those_of_the_text_as_written() -> None:
    assert places("let a = = 1\nlet é = 1\n") == [("non-ascii-name", 2, 5)]
    assert places("let a = = 1\n# é\nlet b = = 2\n") == [("syntax", 1, 9), ("syntax", 3, 9)]


def test_a_mistake_that_cannot_be_passed_ends_the_reading() -> None:
    assert len(places("→ → →")) == 1


def test_no_more_than_twenty_are_told() -> None:
    assert len(places("let x = = 3\n" * 100)) == 20
