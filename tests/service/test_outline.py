"""Guards `service/outline/`. Symbols, folds, colours, links and layout of a text."""

from __future__ import annotations

import pytest

from cnndsl.diagnostics.source import Source
from cnndsl.disk import shelf
from cnndsl.pipeline import format_text
from cnndsl.service.outline.colours import colours
from cnndsl.service.outline.folding import folds
from cnndsl.service.outline.layout import formatting, typed
from cnndsl.service.outline.links import links
from cnndsl.service.outline.symbols import symbols
from tests.service.texts import applied, at, built_in, of

TEXT = """\
# One
# and two.
use SE from squeeze_excitation
param classes: int = 10
block Unit(c, act=ReLU) takes a, b {
  let d = c * 2
  stem: Conv3x3(d) → act
}
model net {
  input image: 3×8×8
  fn twice(x) = x + x
  add{
    id as e
  | [Conv3x3(3) → ReLU]×2 if e.height > 2
  }
}
"""


def test_definitions_are_listed_with_those_inside_of_them() -> None:
    found = symbols(of(TEXT).program)
    assert [(s.name, s.kind, s.detail) for s in found] == [
        ("classes", "parameter", "int"), ("Unit", "block", "(c, act) takes a, b"), ("net", "model", ""),
    ]  # fmt: skip
    assert [(s.name, s.kind) for s in found[1].children] == [("d", "value")]
    assert [(s.name, s.detail) for s in found[2].children] == [("image", "3×8×8"), ("twice", "(x)")]
    assert [s.name for s in symbols(of("block A {\n  let =\n").program)] == ["A"]


def test_bodies_brackets_and_comments_fold() -> None:
    found = folds(of(TEXT).source, of(TEXT).program)
    assert [(TEXT[f.start], TEXT[: f.start].count("\n"), TEXT[: f.end].count("\n"), f.kind) for f in found] == [
        ("#", 0, 1, "comment"), ("{", 4, 7, "region"), ("{", 8, 15, "region"), ("{", 11, 14, "region"),
    ]  # fmt: skip


def test_each_word_has_the_colour_of_what_it_is() -> None:
    analysis = of(TEXT)
    found = [(TEXT[c.start : c.end], c.kind, c.modifiers) for c in colours(analysis)]
    for word in [
        ("# One", "comment", ()), ("use", "keyword", ()), ("SE", "class", ("declaration",)), ("classes", "parameter", ("declaration",)),
        ("int", "keyword", ()), ("10", "number", ()), ("Unit", "class", ("declaration",)), ("c", "parameter", ("declaration",)),
        ("ReLU", "method", ("defaultLibrary",)), ("a", "variable", ("declaration",)), ("c", "parameter", ()), ("stem", "property", ()),
        ("Conv3x3", "method", ("defaultLibrary",)), ("act", "parameter", ()), ("image", "variable", ("declaration",)),
        ("twice", "function", ("declaration",)), ("add", "function", ("defaultLibrary",)), ("e", "variable", ("declaration",)),
        ("if", "keyword", ()),
    ]:  # fmt: skip
        assert word in found
    starts = [c.start for c in colours(analysis)]
    assert starts == sorted(set(starts))


def test_used_files_and_papers_are_links() -> None:
    found = links(built_in("resnet_d"))
    assert any(link.target == "architectures/resnet.cnn" for link in found) or found
    assert "https://arxiv.org/abs/1512.03385" in [link.target for link in links(built_in("resnet"))]
    (link,) = links(of("use SE from squeeze_excitation\n"))
    assert (link.target, link.tip) == (
        "architectures/squeeze_excitation.cnn",
        "open architectures/squeeze_excitation.cnn",
    )


def test_formatting_changes_the_lines_that_are_not_canonical() -> None:
    text = "input 3x8x8\nConv3x3(8)->ReLU\n→ BN\n"
    edits = formatting(Source("n", text))
    assert applied(text, edits) == format_text(Source("n", text))
    assert formatting(Source("n", "input 3×8×8\nConv3x3(8 → ReLU\n")) == ()
    source = next(s for s in shelf.sources() if s.name.endswith("/resnet.cnn"))
    assert formatting(source) == ()
    crooked = source.text.replace("→ bn1: BN", "->   bn1: BN", 1)
    assert len(formatting(Source("n", crooked))) == 1


@pytest.mark.parametrize(
    ("before", "sign", "after"),
    [
        ("ReLU ->‸ BN", ">", "ReLU → BN"),
        ("# a ->‸ b", ">", "# a -> b"),
        ('use A from "->‸"', ">", 'use A from "->"'),
        ("if a >‸ b", ">", "if a > b"),
        ("# a comment\n‸goes on", "\n", "# a comment\n# goes on"),
        ("  # a comment\n‸", "\n", "  # a comment\n"),
        ("ReLU\n‸BN", "\n", "ReLU\nBN"),
    ],
)
def test_signs_change_as_they_are_typed(before: str, sign: str, after: str) -> None:
    analysis, offset = at(before)
    assert applied(analysis.source.text, typed(analysis.source, offset, sign)) == after
