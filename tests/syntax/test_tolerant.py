"""Guards `syntax/tolerant/`. Any text gives a tree, a right program its own, and a mistake takes little else with it."""

from __future__ import annotations

import random

import pytest

from cnndsl.diagnostics.source import Source
from cnndsl.disk import shelf
from cnndsl.syntax import tree
from cnndsl.syntax.parser import parse
from cnndsl.syntax.tolerant.parse import Tolerant, parse_tolerant
from tests.syntax.typing_states import sampled, states

RESNET = next(source for source in shelf.sources() if source.name.endswith("/resnet.cnn"))
IDIOMS = """\
fn near(c, q=8) = max(q, (c + q // 2) // q * q)
param n = 2
block Fpn takes levels[] {
  laterals = (c → inner.{i}: [Conv1x1(near(256))] for i, c in enumerate(levels))
  output laterals
}
block Unit(act=ReLU) {
  (kept, changed) = in → Split(2)
  cat{ kept | changed → branch2: [Conv1x1 → act if n > 1 else id] } → ChannelShuffle(2)
}
model net {
  input image: 3×32×32
  share head = [Conv3x3(8) → ReLU]×2
  [Conv3x3(8) as maps[]]×2 → mul{ id | 0.17 } → Unit
  output maps if training
  assert params < 12M and output.channels ≥ 8
}
"""


def read(text: str) -> Tolerant:
    return parse_tolerant(Source("net.cnn", text))


def test_a_right_program_gives_the_tree_that_the_strict_parser_gives() -> None:
    for source in [*shelf.sources(), Source("idioms", IDIOMS)]:
        strict, found = parse(source), parse_tolerant(source)
        assert (found.program, found.program.comments, found.holes) == (strict, strict.comments, ()), source.name


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("input 3×8×8\nConv3x3(8 → ReLU", "input 3×8×8\nConv3x3(8) → ReLU"),
        ("input 3×8×8\nadd{ Conv3x3(8 | id", "input 3×8×8\nadd{ Conv3x3(8) | id }"),
        ("input 3×8×8\n[Conv3x3(8) → ReLU\nlet x = 3", "input 3×8×8\n[Conv3x3(8) → ReLU]\nlet x = 3"),
        ("block A(c) {\n  Conv3x3(c)\nblock B { ReLU }", "block A(c) {\n  Conv3x3(c)\n}\nblock B { ReLU }"),
        ("model a {\n  input 3×8×8\n  ReLU\nmodel b = a", "model a {\n  input 3×8×8\n  ReLU\n}\nmodel b = a"),
        ("input 3×8×8\nConv3x3(8)) → ReLU", "input 3×8×8\nConv3x3(8) → ReLU"),
        ("input 3×8×8\n[Conv3x3(8) ReLU]", "input 3×8×8\n[Conv3x3(8) → ReLU]"),
        ("input 3×8×8\nConv3x3(8 4)", "input 3×8×8\nConv3x3(8, 4)"),
        ("use SE from \"blocks.cn\ninput 3×8×8\nSE", "use SE from \"blocks.cn\"\ninput 3×8×8\nSE"),
        ("input 3×8×8\nConv3x3(8d) → ReLU", "input 3×8×8\nConv3x3(8) → ReLU"),
        ("input 3×8×8\nReLU ⇒ ReLU", "input 3×8×8\nReLU → ReLU"),
    ],
)  # fmt: skip
def test_what_is_missing_is_put_in_and_what_is_too_much_left_out(broken: str, mended: str) -> None:
    assert read(broken).program == read(mended).program


def test_a_hole_stands_where_a_value_an_element_or_a_name_is_missing() -> None:
    text = "let x = \nblock \ninput 3×8×8\nReLU → \n"
    found = read(text)
    let, block, _, chain = found.program.statements
    assert isinstance(let, tree.Let)
    assert (let.name, let.value) == ("x", tree.Name(let.span, ""))
    assert isinstance(block, tree.Block)
    assert (block.name, block.body) == ("", ())
    assert isinstance(chain, tree.ChainStatement)
    assert [getattr(e.primary, "name", None) for e in chain.chain.elements] == ["ReLU", ""]
    assert [hole.start for hole in found.holes] == [text.index("=") + 1, text.index("block") + 5, text.rindex("→") + 1]


def test_a_statement_that_cannot_be_saved_takes_no_other_with_it() -> None:
    statements = read("let a = 1\n) ] , = = × of\nlet b = 2\nblock C { ReLU }\n").program.statements
    names = [getattr(statement, "name", None) for statement in statements]
    assert (names[0], names[-2:]) == ("a", ["b", "C"])


def test_what_is_typed_into_a_network_leaves_its_other_definitions_alone() -> None:
    start = RESNET.text.index("conv2: Conv3x3(middle")
    whole = [s.name for s in parse(RESNET).statements if isinstance(s, tree.Block | tree.Model | tree.Variant)]
    kept = total = 0
    for closing in (False, True):
        for text in states(RESNET.text, start, start + 40, closing=closing):
            names = [getattr(s, "name", None) for s in read(text).program.statements]
            total += 1
            kept += [name for name in names if name in whole] == whole
    assert kept == total == 82


def test_every_state_of_typing_a_program_gives_a_tree() -> None:
    for text in [*states(IDIOMS, 0, len(IDIOMS), closing=False), *sampled(RESNET.text, parts=2, length=30)]:
        assert read(text).program.source.text == text


@pytest.mark.slow
def test_every_state_of_typing_any_part_of_the_shelf_gives_a_tree() -> None:
    for source in [*shelf.sources(), Source("idioms", IDIOMS)]:
        for text in sampled(source.text, parts=2, length=40):
            assert read(text).program.source.text == text


@pytest.mark.slow
def test_every_prefix_of_every_program_of_the_shelf_gives_a_tree() -> None:
    for source in shelf.sources():
        for end in range(0, len(source.text), 8):
            assert read(source.text[:end]).program.source.text == source.text[:end]


def test_no_text_at_all_raises() -> None:
    draw = random.Random(3)
    pieces = [*IDIOMS.split(), *'()[]{}→|×=,."#', "\x00", "é", "\n", "8d", "'", "  "]
    for _ in range(150):
        read("".join(draw.choices(pieces, k=draw.randrange(60))))
    read("(" * 300)
    assert read("[" * 2000 + "ReLU" + "]" * 2000).program.statements != ()
    assert read("let x = " + "-" * 500 + "1").program.statements != ()
    assert read("x" * 1_000_001).program.statements == ()


def test_a_long_text_of_mistakes_is_read_in_bounded_steps() -> None:
    assert len(read("let = = ) 3 (\n" * 2000).program.statements) > 100
