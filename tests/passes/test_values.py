"""Guards `passes/values/`. Values: exact integers, IEEE doubles, lists, functions, sizes of tensors."""

from __future__ import annotations

import math

import pytest

from tests.passes.reading import net, units, weights, words, wrong


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("64", 64),
        ("1_000", 1000),
        ("30K", 30_000),
        ("12M", 12_000_000),
        ("1.8G", 1_800_000_000),
        ("1.5K", 1500),
        ("1e2", 100),
        ("1E+2", 100),
        ("25e-1 * 2", 5),
        ("7 // 2", 3),
        ("7 % 3", 1),
        ("8 / 2", 4),
        ("7 / 2 * 2", 7),
        ("-7 // 2 + 10", 6),
        ("-7 % 3 + 10", 12),
        ("2 + 3 × 4", 14),
        ("(2 + 3) * 4", 20),
        ("2 ** 3 ** 2 // 128", 4),
        ("10 - -2 ** 2", 14),
        ("2 ** -1 * 4", 2),
        ("10 - 3 - 2", 5),
        ("100 / 10 / 5", 2),
        ("3 if 1 < 2 else 4", 3),
        ("3 if not 1 < 2 else 4", 4),
        ("3 if true or 1 / 0 == 1 else 4", 3),
        ("3 if false and 1 / 0 == 1 else 4", 4),
        ("3 if 1 < 2 ≤ 2 else 4", 3),
        ("3 if 1 < 2 < 2 else 4", 4),
        ("3 if 1 == 1.0 else 4", 3),
        ("3 if true == 1 else 4", 4),
        ('3 if "a" ≠ "b" else 4', 3),
        ("3 if [1, 2] == [1, 2.0] else 4", 3),
        ("1 if false else 2 if false else 3", 3),
        ("1 if false else (2 if true else 3)", 2),
        ("0.1 + 0.2 == 0.3 and 1 or 2", "wrong-type"),
        ("[4, 5, 6][1]", 5),
        ("(4, 5)[0]", 4),
        ("[4, 5, 6, 7][1..2][1]", 6),
        ("len([4, 5, 6, 7][1..3])", 3),
        ("len([4][0..0])", 1),
        ("(1..6)[5]", 6),
        ("len(1..6)", 6),
        ("sum(1..6)", 21),
        ("len(3..2) + 1", 1),
        ("([1, 2] + [3])[2]", 3),
        ("[[1, 2], [3, 4]][1][0]", 3),
        ("[c * 2 for c in [1, 2, 3]][2]", 6),
        ("[c for c in 1..10 if c % 2 == 0][3]", 8),
        ("[a * b for a, b in [(1, 2), (3, 4)]][1]", 12),
        ("[a * b for (a, b) in [(1, 2), (3, 4)]][1]", 12),
        ("[i + a for i, (a, b) in enumerate([(1, 2), (3, 4)])][1]", 4),
        ("[[a * b for a in 1..3] for b in 1..3][2][1]", 6),
        ("min(3, 1, 2)", 1),
        ("max([3, 1, 2])", 3),
        ("max(1, 2.0)", 2),
        ("abs(-3)", 3),
        ("floor(3.7)", 3),
        ("floor(-3.2) + 10", 6),
        ("ceil(3.2)", 4),
        ("round(2.5)", 2),
        ("round(3.5)", 4),
        ("round(2.4999)", 2),
        ("sqrt(16)", 4),
        ("round(log(exp(3)))", 3),
        ("len(range(5))", 5),
        ("range(2, 9, 3)[2]", 8),
        ("range(5, 0, -2)[2]", 1),
        ("enumerate([7, 8])[1][0]", 1),
        ("zip([1, 2], [3, 4])[1][1]", 4),
        ("cumsum([1, 2, 3])[2]", 6),
        ("len(linspace(0, 1, 5))", 5),
        ("linspace(0, 1, 5)[3] * 4", 3),
        ("linspace(8, 2, 3)[1]", 5),
        ("len([x for x in linspace(1, 2, 1)])", 1),
        ("in.channels", 3),
        ("len(in.shape)", 1),
        ("len(in.size) + 1", 1),
        ('len("three")', 5),
    ],
)
def test_expressions(expression: str, value: int | str) -> None:
    assert units(expression) == value


@pytest.mark.parametrize(
    ("x", "q", "value"),
    [(32 * 0.35, 8, 16), (16 * 0.35, 8, 8), (96 * 1.4, 8, 136), (24 * 1.1, 8, 24), (40 * 1.1, 8, 48), (1, 8, 8)],
)
def test_round_to_is_the_mobile_nets_rule(x: float, q: int, value: int) -> None:
    def make_divisible(v: float, divisor: int) -> int:
        # torchvision.models._utils._make_divisible
        new = max(divisor, int(v + divisor / 2) // divisor * divisor)
        return new + divisor if new < 0.9 * v else new

    assert value == make_divisible(x, q)
    assert units(f"round_to({x}, {q})") == value


def test_round_to_never_differs_from_torchvisions() -> None:
    for width in (0.25, 0.35, 0.5, 0.75, 1.0, 1.1, 1.2, 1.4, 1.8, 2.0):
        for channels in (16, 24, 32, 40, 64, 80, 96, 112, 160, 192, 320, 1280):
            v = channels * width
            new = max(8, int(v + 4) // 8 * 8)
            expected = new + 8 if new < 0.9 * v else new
            assert units(f"round_to({channels} × {width}, 8)") == expected


@pytest.mark.parametrize(
    ("expression", "id"),
    [
        ("7 / 2", "not-an-integer"),
        ("0.5", "not-an-integer"),
        ("0.1 + 0.2", "not-an-integer"),
        ("1 / 0", "division-by-zero"),
        ("1 // 0", "division-by-zero"),
        ("1 % 0", "division-by-zero"),
        ("1 / 0.0", "division-by-zero"),
        ("0 ** -1", "division-by-zero"),
        ("(-8) ** 0.5", "out-of-range"),
        ("sqrt(-1)", "out-of-range"),
        ("log(0)", "out-of-range"),
        ("[1][1]", "out-of-range"),
        ("[1, 2][0..2][0]", "out-of-range"),
        ("[1, 2][0.5]", "not-an-integer"),
        ("[][0]", "out-of-range"),
        ("min([])", "wrong-type"),
        ("range(1, 2, 0)[0]", "out-of-range"),
        ("zip([1], [1, 2])[0][0]", "out-of-range"),
        ("linspace(0, 1, 0)[0]", "out-of-range"),
        ("round_to(8, 0)", "out-of-range"),
        ("1 + true", "wrong-type"),
        ('1 + "a"', "wrong-type"),
        ("[1] + 2", "wrong-type"),
        ("[1] * 2", "wrong-type"),
        ("-[1]", "wrong-type"),
        ("not 1", "wrong-type"),
        ("1 and true", "wrong-type"),
        ("1 if 1 else 2", "wrong-type"),
        ('1 < "a"', "wrong-type"),
        ("3[0]", "wrong-type"),
        ("len(3)", "wrong-type"),
        ("sum([true])", "wrong-type"),
        ("max(1, none)", "wrong-type"),
        ("[x for x in 3][0]", "wrong-type"),
        ("[a for a, b in [1]][0]", "wrong-type"),
        ("1..2.5", "not-an-integer"),
        ("in.chanels", "unknown-attribute"),
        ("in.height", "unknown-attribute"),
        ("3.channels", "unknown-attribute"),
        ("(3).channels", "unknown-attribute"),
        ("sqroot(4)", "unknown-function"),
        ("abs()", "missing-argument"),
        ("abs(1, 2)", "too-many-arguments"),
        ("abs(x=1)", "unknown-argument"),
        ("nothing", "unknown-name"),
        ("1 + ReLU", "wrong-type"),
        ("0", "out-of-range"),
        ("-1", "out-of-range"),
        ("true", "wrong-type"),
        ("none", "wrong-type"),
        ("[1]", "wrong-type"),
        ("ReLU", "wrong-type"),
        ("in", "wrong-type"),
        ("2 ** 31 + 1", "out-of-range"),
        ("2 ** 129", "value-too-large"),
        ("10 ** 10 ** 10", "value-too-large"),
        ("2.0 ** 5000", "value-too-large"),
        ("1e308 * 10", "value-too-large"),
        ("exp(1000)", "value-too-large"),
        ("1e400", "value-too-large"),
        ("2 ** 127 * 4", "value-too-large"),
        ("len(1..100001)", "value-too-large"),
        ("len(1..10 ** 18)", "value-too-large"),
        ("len(range(10 ** 20))", "value-too-large"),
        ("len([0 for i in 1..60000] + [0 for i in 1..60000])", "value-too-large"),
        ("8d", "syntax"),
        ("0x10", "syntax"),
        ("1.", "syntax"),
        (".5", "syntax"),
        ("1__0 +", "syntax"),
    ],
)
def test_wrong_expressions(expression: str, id: str) -> None:
    assert units(expression) == id


def test_integers_are_exact_where_doubles_are_not() -> None:
    assert words("input 3\nReLU if 2 ** 53 + 1 == 2 ** 53 else SiLU") == "SiLU"
    assert words("input 3\nReLU if 2.0 ** 53 + 1 == 2.0 ** 53 else SiLU") == "ReLU"
    assert words("input 3\nReLU if (3 * 10 ** 20 + 1) / 1 == 3 * 10 ** 20 + 1 else SiLU") == "ReLU"


def test_division_that_comes_out_is_an_integer_also_for_large_ones() -> None:
    assert units("(2 ** 100) / (2 ** 96)") == 16
    assert units("10 ** 30 / 10 ** 29") == 10


def test_the_place_of_a_wrong_value_is_the_value() -> None:
    assert wrong("input 3\nFC(1 + 4 / (2 - 2))") == [("division-by-zero", 2, 12)]
    assert wrong("input 3\nlet p = [1]\nFC(p[0] + p[3])") == [("out-of-range", 3, 13)]
    assert wrong("input 3\nFC(2 + in.chan)") == [("unknown-attribute", 2, 11)]
    assert wrong("input 3\nFC(max(1, nope))") == [("unknown-name", 2, 11)]


def test_names_are_looked_up_from_the_inside() -> None:
    text = "input 3×4×4\nlet c = 4\nblock A(c) { Conv1x1(c) for c in [c + 1] → Conv1x1(c) }\nA(6) → Conv1x1(c)"
    assert list(weights(text).values()) == ["7×3×1×1", "6×7×1×1", "4×6×1×1"]
    assert list(weights("input 3×4×4\nlet c = 4\nConv1x1(sum([c for c in [1, 2]]) + c)").values()) == ["7×3×1×1"]


def test_a_let_may_speak_of_what_stands_before_it_only() -> None:
    assert wrong("input 3\nlet a = b\nlet b = 3\nFC(a)") == [("used-before-definition", 2, 9)]
    assert wrong("input 3\nlet a = a\nFC(3)") == [("used-before-definition", 2, 9)]
    assert wrong("input 3\nFC(x.channels)\nx = ReLU") == [("used-before-definition", 2, 4)]


def test_bare_words_belong_to_their_argument() -> None:
    text = "input 3×8×8\nlet same = 4\nlet zeros = 5\n"
    assert weights(text + "Conv3x3(same) → Conv3x3(zeros, pad=same, pad_mode=zeros)") == {
        "0.weight": "4×3×3×3",
        "1.weight": "5×4×3×3",
    }
    assert wrong("input 3×8×8\nConv3x3(4, pad=sam)") == [("unknown-name", 2, 16)]
    assert wrong("input 3×8×8\nConv3x3(same)") == [("unknown-name", 2, 9)]
    assert words("input 3×8×8\nMaxPool3x3(1, same)") == "MaxPool"


def test_sizes_of_tensors() -> None:
    text = (
        "input clip: 3×4×6×8\nx = Conv1x1x1(5)\n"
        "x → Conv1x1x1(x.channels + clip.depth + clip.height + clip.width + in.channels + id.channels + len(x.shape)"
        " + x.size[2])"
    )
    assert net(text).nodes[-1].type.channels == 5 + 4 + 6 + 8 + 3 + 5 + 4 + 8
    assert net("input 3×9\nConv1(in.length)").nodes[0].type.channels == 9
    assert net("input tokens 7×5\nReLU if in.tokens == 7 and in.channels == 5 else SiLU").nodes[0].op.word == "ReLU"
    assert wrong("input 3×9\nConv1(in.height)") == [("unknown-attribute", 2, 10)]


def test_what_flows_is_seen_by_conditions_and_arguments() -> None:
    text = "input 3×8×8\nConv3x3(id.channels + 1)×3 → MaxPool if id.channels == 6 → ReLU if id.height == 4"
    assert [n.type.channels for n in net(text).nodes] == [4, 5, 6, 6, 6]


def test_a_number_has_at_most_as_many_digits_as_anyone_writes() -> None:
    assert units("1" * 500) == "value-too-large"
    assert units("0." + "1" * 300) == "not-an-integer"
    assert math.isinf(float("1e400"))
