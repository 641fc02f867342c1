"""Guards `passes/` and `syntax/mistakes.py`. Wrong programs and what each gets: the id, and the line and column of the
guilty text.

Every id of the language that a text alone can earn is here; those of files and command lines are tested where they
arise.
"""

from __future__ import annotations

import re

import pytest

from cnndsl.diagnostics.errors import CnnError, Diagnostic
from cnndsl.pipeline import parse_text

IN = "input 3×8×8\n"

CASES: list[tuple[str, str, int, int]] = [
    # ---- characters
    ("bad-character", IN + "ReLU; SiLU", 2, 5),
    ("bad-character", IN + "let a = 'x'\nReLU", 2, 9),
    ("bad-character", IN + "ReLU → ReLU ! SiLU", 2, 13),
    ("bad-character", IN + "Conv3x3(8) \u2212 ReLU", 2, 12),
    ("bad-character", IN + "let s = “a”\nReLU", 2, 9),
    ("bad-character", IN + "Conv3x3(8)\u00a0→ ReLU", 2, 11),
    ("bad-character", IN + "Conv3x3(8)\u2028→ ReLU", 2, 11),
    ("bad-character", IN + "ReLU # \x00", 2, 8),
    ("bad-character", IN + "ReLU \x1b[0m", 2, 6),
    ("invisible-character", IN + "ReLU\u200b → SiLU", 2, 5),
    ("invisible-character", IN + "# \u202e a comment\nReLU", 2, 3),
    ("invisible-character", IN + 'let s = "a\u2066b"\nReLU', 2, 11),
    ("invisible-character", IN + "ReLU → \ufeffSiLU", 2, 8),
    ("invisible-character", IN + "ReLU\u00ad", 2, 5),
    ("non-ascii-name", IN + "Cönv(8)", 2, 2),
    ("non-ascii-name", IN + "\u0421onv3x3(8)", 2, 1),
    ("non-ascii-digit", IN + "Conv3x3(\uff18)", 2, 9),
    ("non-ascii-digit", IN + "FC(٣)", 2, 4),
    ("unterminated-string", IN + 'let s = "abc\nReLU', 2, 9),
    ("unterminated-string", 'use A from "x.cnn\ninput 3\nA', 1, 12),
    # ---- brackets, depth, length
    ("unclosed-bracket", IN + "[Conv3x3(8) → ReLU", 2, 1),
    ("unclosed-bracket", IN + "Conv3x3(8 → ReLU", 2, 8),
    ("unclosed-bracket", IN + "add{ ReLU | id", 2, 4),
    ("unclosed-bracket", IN + "[Conv3x3(8) → ReLU}", 2, 1),
    ("unclosed-bracket", IN + "block A { ReLU\nA", 2, 9),
    ("syntax", IN + "ReLU]", 2, 5),
    ("syntax", IN + "ReLU → SiLU)", 2, 12),
    ("too-deep", IN + "[" * 65 + "ReLU" + "]" * 65, 2, 65),
    ("too-deep", "input 3\nFC(" + "1 ** " * 70 + "1)", 2, 29),
    # ---- syntax
    ("syntax", IN + "ReLU →", 2, 7),
    ("syntax", IN + "→ ReLU", 2, 1),
    ("syntax", IN + "ReLU → → SiLU", 2, 6),
    ("syntax", IN + "ReLU - SiLU", 2, 6),
    ("syntax", IN + "ReLU => SiLU", 2, 6),
    ("syntax", IN + "ReLU > SiLU", 2, 6),
    ("syntax", IN + "[ReLU]x2", 2, 7),
    ("syntax", IN + "Conv3x3 (8)", 2, 9),
    ("syntax", IN + "Conv3x3(8d)", 2, 9),
    ("syntax", IN + "Conv3x3(8,,3)", 2, 11),
    ("syntax", IN + "Conv3x3(8 3)", 2, 11),
    ("syntax", IN + "Conv3x3(channels: 8)", 2, 9),
    ("syntax", IN + "[ReLU]×2 for i in 1..3", 2, 10),
    ("syntax", IN + "[ReLU]×2×3", 2, 9),
    ("syntax", IN + "add{ ReLU | }", 2, 13),
    ("syntax", IN + "[ ]", 2, 3),
    ("syntax", IN + "let x 3\nReLU", 2, 1),
    ("syntax", IN + "let = 3\nReLU", 2, 5),
    ("syntax", IN + "ReLU as", 2, 8),
    ("syntax", IN + "ReLU if", 2, 8),
    ("syntax", IN + "for i in 1..3 ReLU", 2, 1),
    ("syntax", IN + "add(ReLU, id)", 2, 1),
    ("syntax", IN + "a..b: ReLU", 2, 1),
    ("syntax", IN + 'let s = "a\\n"\nReLU', 2, 11),
    ("syntax", "inptu 3×8×8\nReLU", 1, 1),
    ("syntax", "input 3 8 8\nReLU", 1, 1),
    ("syntax", "use Basic resnet\ninput 3\nBasic", 1, 11),
    ("reserved-name", IN + "let if = 3\nReLU", 2, 5),
    ("reserved-name", IN + "ReLU as id", 2, 9),
    ("reserved-name", IN + "block for { ReLU }\nReLU", 2, 7),
    ("second-chain", IN + "ReLU\nSiLU", 3, 1),
    ("second-chain", IN + "conv1 = ReLU SiLU Tanh", 2, 19),
    ("stray-statement", IN + "block A { input 3×8×8 ReLU }\nA", 2, 11),
    ("stray-statement", IN + "block A { use B from resnet ReLU }\nA", 2, 11),
    ("stray-statement", "model M { input 3 ReLU }\nSiLU", 2, 1),
    ("empty-program", "# nothing yet\n", 2, 1),
    ("nothing-to-build", IN + "x = ReLU", 2, 9),
    ("nothing-to-build", "block A { ReLU }", 1, 7),
    # ---- words
    ("unknown-layer", IN + "Conv3x3(8) → Relu6", 2, 14),
    ("unknown-layer", IN + "Con3x3(8)", 2, 1),
    ("unknown-layer", IN + "ReLU3x3", 2, 1),
    ("unknown-layer", IN + "Conv3x3x3x3(8)", 2, 1),
    ("unknown-name", IN + "relu", 2, 1),
    ("unknown-name", IN + "Conv3x3(chanels)", 2, 9),
    ("unknown-name", IN + "Conv3x3(8, pad=sam)", 2, 16),
    ("unknown-function", IN + "FC(maximum(1, 2))", 2, 4),
    ("unknown-attribute", IN + "FC(in.chanels)", 2, 7),
    ("unknown-attribute", "input 3\nFC(in.height)", 2, 7),
    ("unknown-merge", IN + "concat{ id | ReLU }", 2, 1),
    ("shadows-layer", IN + "let BN = 3\nReLU", 2, 5),
    ("shadows-layer", IN + "block Conv(c) { ReLU }\nReLU", 2, 7),
    ("used-before-definition", IN + "ReLU → cat{ x | id }\nx = SiLU", 2, 13),
    ("used-before-definition", IN + "let a = b\nlet b = 1\nFC(a)", 2, 9),
    ("used-before-definition", IN + "s → ReLU\nshare s = SiLU", 2, 1),
    ("tap-out-of-scope", IN + "[ReLU as t]×2 → add{ t | id }", 2, 22),
    ("tap-out-of-scope", IN + "ReLU as t if false → add{ t | id }", 2, 27),
    ("tensor-in-the-middle", IN + "x = ReLU\nSiLU → x", 3, 8),
    ("not-callable", IN + "let x = 3\nReLU → x", 3, 8),
    ("not-callable", "input 3\nlet x = 3\nFC(x(2))", 3, 4),
    ("recursive-block", IN + "block A { ReLU → A }\nA", 2, 18),
    ("duplicate-name", IN + "a: BN → a: BN", 2, 12),
    ("duplicate-name", IN + "block A { ReLU }\nblock A { SiLU }\nA", 3, 7),
    ("duplicate-name", "input a: 3\ninput a: 3\na → ReLU", 2, 7),
    ("duplicate-name", IN + "share s = ReLU\nshare s = SiLU\ns", 3, 7),
    ("duplicate-name", "model M { input 3 ReLU }\nblock a { ReLU }\nmodel a = M", 3, 7),
    ("duplicate-name", "model M { input 3 ReLU }\nmodel a = M\nmodel a = M", 3, 7),
    ("shadows-layer", "model M { input 3 SiLU }\nmodel ReLU = M", 2, 7),
    ("shadows-layer", "use Basic as BN from resnet\ninput 3\nBN", 1, 5),
    ("wrong-type", IN + "default Conv3x3(bias=false)\nConv3x3(4)", 2, 9),
    # ---- arguments
    ("unknown-argument", IN + "Conv3x3(8, paddding=1)", 2, 12),
    ("unknown-argument", IN + "default Conv(biass=false)\nConv3x3(8)", 2, 14),
    ("unknown-argument", IN + "ReLU(slope=1)", 2, 6),
    ("repeated-argument", IN + "Conv3x3(8, channels=9)", 2, 12),
    ("repeated-argument", IN + "Conv3x3(8, bias=true, bias=false)", 2, 23),
    ("repeated-argument", IN + "Conv3x3(8, window=5)", 2, 12),
    ("positional-after-keyword", IN + "Conv3x3(channels=8, 2)", 2, 21),
    ("too-many-arguments", IN + "Conv3x3(8, 2, 1)", 2, 15),
    ("too-many-arguments", IN + "add(1){ id | ReLU }", 2, 5),
    ("missing-argument", IN + "FC", 2, 1),
    ("missing-argument", IN + "Conv(8)", 2, 1),
    ("missing-argument", IN + "param n: int\nFC(n)", 2, 7),
    ("missing-argument", IN + "block A(c) { FC(c) }\nA", 3, 1),
    ("wrong-type", IN + 'Conv3x3("8")', 2, 9),
    ("wrong-type", IN + "Conv3x3(8, bias=1)", 2, 12),
    ("wrong-type", IN + "Conv3x3(ReLU)", 2, 9),
    ("wrong-type", IN + "ReLU if 1", 2, 9),
    ("wrong-type", IN + "param n: integer = 3\nFC(n)", 2, 10),
    ("wrong-type", "input 3×8×8 of int63\nReLU", 1, 16),
    ("not-an-integer", IN + "Conv3x3(7 / 2)", 2, 9),
    ("not-an-integer", "input 3×8.5×8\nReLU", 1, 9),
    ("out-of-range", IN + "Conv3x3(0)", 2, 9),
    ("out-of-range", IN + "Dropout(2)", 2, 9),
    ("out-of-range", IN + "Conv3x3(8, stride=0)", 2, 12),
    ("out-of-range", IN + "let p = [1, 2]\nFC(p[2])", 3, 6),
    ("out-of-range", "input 0×8×8\nReLU", 1, 7),
    ("division-by-zero", IN + "FC(in.channels / (3 - 3))", 2, 18),
    ("value-too-large", IN + "FC(2 ** 200)", 2, 4),
    ("value-too-large", "input 3\nFC(2 ** 31) → FC(2 ** 31)", 2, 15),
    ("value-too-large", IN + "ReLU for i in 1..10 ** 9", 2, 15),
    ("too-many-steps", IN + "let l = 1..60000\nlet m = [sum(l) for i in l]\nFC(m[0])", 3, 10),
    ("bad-count", IN + "ReLU×(1 - 2)", 2, 6),
    ("bad-count", IN + "ReLU×1.5", 2, 6),
    ("too-many-nodes", IN + "[ReLU]×100001", 2, 1),
    ("too-many-nodes", IN + "[[[ReLU]×(10 ** 6)]×(10 ** 6)]×(10 ** 6)", 2, 31),
    # ---- tensors
    ("missing-input", "ReLU → SiLU", 1, 1),
    ("nothing-arrives", "ReLU\ninput 3", 1, 1),
    ("missing-input", "let c = in.channels\nFC(c)", 1, 9),
    ("nothing-arrives", "let c = in.channels\ninput 3\nFC(c)", 1, 9),
    ("nothing-arrives", "model M(c=in.channels) { input 3 FC(c) }", 1, 11),
    ("ambiguous-in", "input a: 3×8×8\ninput b: 3×8×8\nReLU", 3, 1),
    ("ambiguous-in", "input a: 3×8×8\ninput b: 3×8×8\na → Conv1x1(in.channels)", 3, 13),
    ("shape-mismatch", IN + "add{ Conv3x3(4) | id }", 2, 19),
    ("shape-mismatch", IN + "cat{ id | ReLU | MaxPool }", 2, 18),
    ("shape-mismatch", "model A { input 4×8×8 ReLU }\nmodel B { input 3×8×8 A }", 2, 23),
    ("window-too-large", IN + "Conv9x9(8, pad=valid)", 2, 1),
    ("window-too-large", IN + "MaxPool×4", 2, 1),
    ("groups-mismatch", IN + "Conv3x3(8, groups=2)", 2, 12),
    ("wrong-rank", IN + "Flatten → Conv3x3(8)", 2, 11),
    ("wrong-rank", IN + "Conv3x3(8, stride=(1, 1, 1))", 2, 12),
    ("wrong-rank", IN + "Conv3x3(8, pad=((1, 1),))", 2, 12),
    ("wrong-rank", "input 3×4×4×4×4×4×4×4×4\nReLU", 1, 1),
    ("wrong-rank", "input tokens 5×8\nFC(3)", 2, 1),
    ("share-mismatch", IN + "share s = Conv3x3(8)\ns → s", 3, 5),
    ("wrong-number-of-tensors", IN + "(in, in) → ReLU", 2, 12),
    ("wrong-number-of-tensors", IN + "block A takes a, b { add{ a | b } }\nA", 3, 1),
    ("wrong-number-of-tensors", IN + "(a, b) = ReLU\na → SiLU", 2, 1),
    ("too-few-branches", IN + "add{ ReLU }", 2, 1),
    ("empty-branch", IN + "add{ ReLU | SiLU if false }", 2, 13),
    ("empty-branch", IN + "cat{ ReLU for k in [] }", 2, 1),
    # ---- what can be read but not used
    ("unknown-architecture", "use A from resnett\ninput 3\nA", 1, 12),
    ("path-outside-project", 'use A from "/etc/hostname"\ninput 3\nA', 1, 12),
    ("file-not-found", 'use A from "no such file.cnn"\ninput 3\nA', 1, 12),
    ("unknown-name", "use Botleneck from resnet\ninput 3\nBotleneck", 1, 5),
    ("unknown-model", "model M { input 3 ReLU }\nmodel n = N(2)", 2, 11),
    ("assert-failed", IN + "assert params < 10\nConv3x3(8)", 2, 8),
]


def diagnostics(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(CnnError) as caught:
        parse_text(text)
    return caught.value.diagnostics


@pytest.mark.parametrize(("id", "text", "line", "column"), CASES)
def test_a_wrong_program_is_told_what_and_where(id: str, text: str, line: int, column: int) -> None:
    first = diagnostics(text)[0]
    assert first.span is not None
    assert (first.id, first.span.place.line, first.span.place.column) == (id, line, column)


@pytest.mark.parametrize(("id", "text", "line", "column"), CASES)
def test_a_diagnostic_is_whole(id: str, text: str, line: int, column: int) -> None:
    """A message without a full stop, one thing to do, places inside the text; expected and found wherever it is about
    values."""
    for diagnostic in diagnostics(text):
        assert diagnostic.message == diagnostic.message.strip().rstrip(".")
        assert diagnostic.message[0] not in "ABCDEFGHIJKLMNOPQRSTVWXYZ"
        assert diagnostic.help, f"{diagnostic.id} has nothing to do"
        assert not diagnostic.help.endswith(".")
        for label in diagnostic.labels:
            assert 0 <= label.span.start <= label.span.end <= len(label.span.source.text)


ABOUT_VALUES = {
    "assert-failed",
    "bad-count",
    "groups-mismatch",
    "not-an-integer",
    "out-of-range",
    "shape-mismatch",
    "share-mismatch",
    "too-few-branches",
    "window-too-large",
    "wrong-number-of-tensors",
    "wrong-rank",
    "wrong-type",
}


@pytest.mark.parametrize("case", [case for case in CASES if case[0] in ABOUT_VALUES], ids=lambda case: case[1])
def test_what_is_about_values_says_expected_and_found(case: tuple[str, str, int, int]) -> None:
    said = diagnostics(case[1])[0]
    words = " ".join([said.message, *(label.text for label in said.labels), *said.notes])
    assert re.search(r"expected|must be|takes|needs|from 1 to|has|cannot|slides|joins|a size|does not hold", words)
    assert re.search(r"found|is |are |arrive|cannot|has", words)


def test_enough_programs_and_every_id() -> None:
    from_files = {"not-utf8", "source-too-long", "use-cycle", "unknown-parameter"}
    ids = {case[0] for case in CASES}
    assert len(CASES) >= 80
    page = """syntax unclosed-bracket unterminated-string second-chain stray-statement too-few-branches empty-branch
    unknown-merge reserved-name shadows-layer positional-after-keyword unknown-layer unknown-name unknown-function
    unknown-attribute unknown-argument repeated-argument too-many-arguments missing-argument wrong-type not-an-integer
    out-of-range not-callable shape-mismatch window-too-large groups-mismatch wrong-rank share-mismatch
    wrong-number-of-tensors used-before-definition tap-out-of-scope tensor-in-the-middle duplicate-name recursive-block
    ambiguous-in missing-input nothing-arrives nothing-to-build division-by-zero bad-count too-many-nodes
    value-too-large too-deep source-too-long invisible-character bad-character non-ascii-name non-ascii-digit not-utf8
    empty-program path-outside-project file-not-found unknown-architecture use-cycle assert-failed unknown-parameter
    unknown-model"""
    assert set(page.split()) - ids == from_files


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("Relu6", "did you mean `ReLU6`?"),
        ("Con3x3(8)", "did you mean `Conv3x3`?"),
        ("conv3x3(8)", "did you mean `Conv3x3`?"),
        ("Conv3x3(8, pad=sam)", "did you mean `same`?"),
        ("Conv3x3(8, same)", "did you mean `pad=same`?"),
        ("Conv3x3(8, strid=2)", "did you mean `stride`?"),
        ("Conv3x3(8, 2, 1)", "name it: `pad=…`"),
        ("blok A { ReLU }", "did you mean `block`?"),
        ("FC(in.chanels)", "did you mean `.channels`?"),
        ("FC(maxi(1, 2))", "did you mean `max`?"),
        ("catt{ id | ReLU }", "did you mean `cat`?"),
        ("Conv3x3(8) \u2212 ReLU", "write `→`"),
        ("Conv3x3(8) => ReLU", "write `→`"),
        ("Conv3x3 (8)", "delete the space"),
        ("[ReLU]x2", "write `×2` or `*2`"),
        ("FC(x)", "set it first: `let x = …`"),
    ],
)
def test_what_to_do(text: str, help: str) -> None:
    assert diagnostics(IN + text)[0].help == help


def test_long_values_are_shown_in_part() -> None:
    said = diagnostics(IN + "FC([i for i in 1..50000])")[0]
    assert said.message.endswith("39, 40, … 50000 in all]")
    said = diagnostics(IN + f'FC("{"a" * 500}")')[0]
    assert said.message.endswith(f'"{"a" * 40}…"')
    assert diagnostics(IN + "Conv3x3(8, pad=((1, 1),))")[0].labels[0].text.endswith("found ((1, 1),)")
