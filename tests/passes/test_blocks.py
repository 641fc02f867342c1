"""Guards `passes/walk/calls.py` and `passes/walk/declare.py`. Blocks, models, parameters and defaults: what they see,
what they are given, what does not reach into them.
"""

from __future__ import annotations

import pytest

from tests.passes.reading import keys, listing, names, net, weights, words, wrong

IN = "input 3×8×8\n"


def test_blocks_may_be_used_before_they_are_written() -> None:
    assert words(IN + "A → B\nblock B { A → SiLU }\nblock A { ReLU }") == "ReLU ReLU SiLU"


def test_arguments_by_position_and_by_name() -> None:
    block = "block A(c, k=3, stride=1, bias=true) { Conv(c, stride, window=k, bias=bias) }\n"
    assert weights(IN + block + "A(4) → A(5, 1) → A(c=6) → A(7, stride=2, k=5) → A(8, 3, 1, false)") == {
        "0.0.weight": "4×3×3×3",
        "1.0.weight": "5×4×1×1",
        "2.0.weight": "6×5×3×3",
        "3.0.weight": "7×6×5×5",
        "4.0.weight": "8×7×3×3",
    }


def test_defaults_of_parameters_speak_of_what_enters_and_of_earlier_ones() -> None:
    block = "block A(c = in.channels × 2, d = c + in.height, e=in) { Conv1x1(c) → Conv1x1(d + e.width) }\n"
    assert weights(IN + block + "A → MaxPool → A → A(c=3)") == {
        "0.0.weight": "6×3×1×1",
        "0.1.weight": "22×6×1×1",
        "2.0.weight": "44×22×1×1",
        "2.1.weight": "52×44×1×1",
        "3.0.weight": "3×52×1×1",
        "3.1.weight": "11×3×1×1",
    }


@pytest.mark.parametrize(
    ("call", "id", "column"),
    [
        ("A", "missing-argument", 1),
        ("A(k=1)", "missing-argument", 1),
        ("A(1, 2, 3)", "too-many-arguments", 9),
        ("A(1, c=2)", "repeated-argument", 6),
        ("A(c=1, c=2)", "repeated-argument", 8),
        ("A(c=1, 2)", "positional-after-keyword", 8),
        ("A(1, d=2)", "unknown-argument", 6),
        ("A(1, kk=2)", "unknown-argument", 6),
    ],
)
def test_wrong_arguments_of_blocks(call: str, id: str, column: int) -> None:
    assert wrong(IN + "block A(c, k=3) { Conv(c, window=k) }\n" + call) == [(id, 3, column)]


def test_a_wrong_call_is_told_also_behind_another_error() -> None:
    block = "block A(c, k=3) { Conv(c, window=k) }\n"
    assert wrong(IN + block + "A → A(1, d=2) → A(1, 2, 3)") == [
        ("missing-argument", 3, 1),
        ("unknown-argument", 3, 10),
        ("too-many-arguments", 3, 25),
    ]


def test_a_block_inside_a_body_sees_its_values() -> None:
    text = "let c = 4\nblock A(x=c) { let d = x + c  block B { Conv1x1(d) → Conv1x1(c) }  B }\nA → A(1)"
    assert list(weights(IN + text).values()) == ["8×3×1×1", "4×8×1×1", "5×4×1×1", "4×5×1×1"]
    model = "model M(width=4) { input 3×8×8  let c = width × 2  block A { Conv1x1(c) → Conv1x1(width) }  A }\nmodel big = M(8)"
    assert list(weights(model).values()) == ["16×3×1×1", "8×16×1×1"]


def test_a_block_sees_the_values_where_it_was_written_not_where_it_is_called() -> None:
    text = "let c = 4\nblock A { Conv1x1(c) }\nblock B { let c = 9  A → Conv1x1(c) }\nB"
    assert list(weights(IN + text).values()) == ["4×3×1×1", "9×4×1×1"]
    assert wrong(IN + "block A { Conv1x1(hidden) }\nblock B { let hidden = 9  A }\nB") == [("unknown-name", 2, 19)]


def test_several_inputs_and_outputs() -> None:
    text = "block Swap takes a, b { output b, a }\nx = Conv1x1(4)\ny = Conv1x1(5)\n(x, y) → Swap → Swap → Swap → Cat\n"
    assert listing(IN + text + "block Cat takes p, q { cat{ p | q } }")[-1] == "5.cat cat 9×8×8 < 1 0"
    assert listing(IN + "block One takes a { a → ReLU → cat{ id | a } }\nOne")[-1] == "0.cat cat 6×8×8 < 0.0 input"
    assert wrong(IN + "block Two takes a, b { a }\nTwo") == [("wrong-number-of-tensors", 3, 1)]
    assert wrong(IN + "block Two takes a, b { a }\nadd{ ReLU → Two | id }") == [("wrong-number-of-tensors", 3, 13)]
    assert wrong(IN + "block Two { output in, in }\nTwo → Conv1x1(3)") == [("wrong-number-of-tensors", 3, 7)]


def test_an_fpn() -> None:
    text = (
        "block FPN(c=8) takes c3, c4, c5 {\n"
        "  p5 = c5 → inner5: Conv1x1(c)\n  p4 = add{ c4 → inner4: Conv1x1(c) | p5 → Upsample }\n"
        "  p3 = add{ c3 → inner3: Conv1x1(c) | p4 → Upsample }\n"
        "  o3 = p3 → layer3: Conv3x3(c)\n  o4 = p4 → layer4: Conv3x3(c)\n  o5 = p5 → layer5: Conv3x3(c)\n"
        "  output o3, o4, o5\n}\n"
        "input 3×32×32\nConv3x3(4, 2) as c3 → Conv3x3(5, 2) as c4 → Conv3x3(6, 2) as c5\n(p3, p4, p5) = (c3, c4, c5) → fpn: FPN\n"
        "output p3, p4, p5"
    )
    # The unnamed chain stands before the statements that use its taps.
    graph = net(text)
    assert [(o.name, str(graph.types[o.node])) for o in graph.outputs] == [
        ("p3", "8×16×16"),
        ("p4", "8×8×8"),
        ("p5", "8×4×4"),
    ]
    assert [key for key in keys(text) if key.endswith("weight")][3:] == [
        "fpn.inner5.weight",
        "fpn.inner4.weight",
        "fpn.inner3.weight",
        "fpn.layer3.weight",
        "fpn.layer4.weight",
        "fpn.layer5.weight",
    ]


def test_no_recursion() -> None:
    assert wrong(IN + "block A { A }\nA") == [("recursive-block", 2, 11)]
    assert wrong(IN + "block A { ReLU → B }\nblock B { A if true }\nA") == [("recursive-block", 3, 11)]
    assert wrong("model M { input 3×8×8  M }") == [("recursive-block", 1, 24)]
    assert wrong(IN + "block A(u) { u(u) }\nA(A)") == [("recursive-block", 2, 14)]


def test_blocks_deep_in_blocks() -> None:
    many = "\n".join(f"block B{i} {{ B{i + 1} }}" for i in range(60)) + "\nblock B60 { ReLU }\nB0"
    assert words(IN + many) == "ReLU"
    many = "\n".join(f"block B{i} {{ B{i + 1} }}" for i in range(80)) + "\nblock B80 { ReLU }\nB0"
    assert [id for id, _, _ in wrong(IN + many)] == ["too-deep"]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("block B(SiLU) { ReLU }\nB(1)", 9),
        ("block B(a, SiLU=2) { ReLU }\nB(1)", 12),
        ("block B takes SiLU { ReLU }\nB", 15),
        ("block ReLU { SiLU }\nReLU", 7),
        ("block Conv3x3 { SiLU }\nReLU", 7),
        ("block add { SiLU }\nReLU", 7),
        ("let ReLU = 3\nSiLU", 5),
        ("let Conv1x1 = 3\nSiLU", 5),
        ("ReLU = SiLU\nSiLU", 1),
        ("(a, ReLU) = SiLU\nSiLU", 5),
        ("share ReLU = SiLU\nSiLU", 7),
        ("param ReLU: int = 3\nSiLU", 7),
        ("SiLU as ReLU\n", 9),
        ("SiLU for ReLU in 1..2", 10),
        ("SiLU for i, (ReLU, k) in [(1, (2, 3))]", 10),
        ("cat{ SiLU for ReLU in 1..2 }", 15),
        ("FC(len([1 for ReLU in 1..2]))", 15),
    ],
)
def test_hiding_a_layers_word(text: str, column: int) -> None:
    found = wrong(IN + text)
    assert ("shadows-layer", 2, column) in found or ("wrong-number-of-tensors", 2, 1) in found


def test_a_parameter_named_twice() -> None:
    assert wrong(IN + "block B(a, a) { ReLU }\nB(1)") == [("duplicate-name", 2, 12)]
    assert wrong(IN + "block B(a) takes b, a { a }\n(in, in) → B(1)") == [("duplicate-name", 2, 21)]
    assert wrong(IN + "block B { ReLU }\nblock B { SiLU }\nB") == [("duplicate-name", 3, 7)]


# -- default


def test_defaults_hold_from_here_to_the_end_and_the_later_wins_per_argument() -> None:
    text = "x = Conv3x3(4)\ndefault Conv(bias=false, stride=2)\ny = Conv3x3(4)\ndefault Conv(stride=1)\nConv3x3(4) → Conv3x3(4, bias=true)"
    assert keys(IN + text) == ["0.weight", "0.bias", "1.weight", "2.weight", "3.weight", "3.bias"]
    assert [n.type.size for n in net(IN + text).nodes] == [(8, 8), (4, 4), (8, 8), (8, 8)]


def test_an_argument_goes_before_a_default() -> None:
    assert keys(IN + "default Conv(bias=false)\nConv3x3(4, bias=true) → [Conv3x3(4)]") == [
        "0.weight",
        "0.bias",
        "1.weight",
    ]
    assert listing(IN + "default MaxPool(stride=1)\nMaxPool(2) → MaxPool")[-1] == "1 MaxPool 3×3×3 < 0"


def test_a_default_is_lexical_and_does_not_reach_into_a_block_written_before_or_elsewhere() -> None:
    written_inside = "default Conv(bias=false)\nblock A { Conv3x3(4) }\nA"
    assert keys(IN + written_inside) == ["0.0.weight"]
    called = "block A { Conv3x3(4) }\nblock B { default Conv(bias=false)  A → Conv3x3(4) }\nB"
    assert keys(IN + called) == ["0.0.0.weight", "0.0.0.bias", "0.1.weight"]
    nearer = "default Conv(bias=false)\nblock B { default Conv(bias=true)  Conv3x3(4) }\nB → Conv3x3(4)"
    assert keys(IN + nearer) == ["0.0.weight", "0.0.bias", "1.weight"]
    of_a_model = "default Conv(bias=false)\nmodel M { input 3×8×8  A }\nblock A { Conv3x3(4) }"
    assert keys(of_a_model) == ["0.0.weight"]


def test_depthwise_convolutions_follow_conv_where_they_have_no_default_of_their_own() -> None:
    assert keys(IN + "default Conv(bias=false)\nConv1x1(4) → DWConv3x3") == ["0.weight", "1.weight"]
    own = "default Conv(bias=false), DWConv(bias=true)\nConv1x1(4) → DWConv3x3"
    assert keys(IN + own) == ["0.weight", "1.weight", "1.bias"]
    other = "default Conv(stride=2), DWConv(bias=false)\nConv1x1(4) → DWConv3x3"
    assert keys(IN + other) == ["0.weight", "0.bias", "1.weight"]
    assert net(IN + other).nodes[-1].type.size == (2, 2)


def test_a_layer_as_a_value_has_the_defaults_of_where_its_word_is_written() -> None:
    text = "block B(u) { default Conv(bias=true)  u(4) }\ndefault Conv(bias=false)\nB(Conv3x3) → B(Conv3x3(bias=true))"
    assert keys(IN + text) == ["0.0.weight", "1.0.weight", "1.0.bias"]


def test_defaults_of_blocks_and_what_is_no_default() -> None:
    assert weights(IN + "block A(c, k=3) { Conv(c, window=k) }\ndefault A(k=1)\nA(4) → A(5, k=5)") == {
        "0.0.weight": "4×3×1×1",
        "1.0.weight": "5×4×5×5",
    }
    assert wrong(IN + "default Conv(biass=false)\nReLU") == [("unknown-argument", 2, 14)]
    assert wrong(IN + "default Conv(4)\nReLU") == [("wrong-type", 2, 14)]
    assert wrong(IN + "default Covn(bias=false)\nReLU") == [("unknown-layer", 2, 9)]


# -- models


def test_a_model_is_a_block_in_another_and_checks_rank_and_channels_only() -> None:
    text = "model A(c=3) { input c×32×32  Conv3x3(4) → ReLU }\nmodel B { input 3×8×8  A → A(4) → head: A(4)×2 }"
    assert list(weights(text)) == ["0.0.weight", "1.0.weight", "head.0.0.weight", "head.1.0.weight"]
    assert wrong("model A { input 3×8×8  ReLU }\nmodel B { input 4×8×8  A }") == [("shape-mismatch", 2, 24)]
    assert wrong("model A { input 3×8×8  ReLU }\nmodel B { input 3×8  A }") == [("shape-mismatch", 2, 22)]
    two = "model A { input a: 3×8×8  input b: 3×8×8  add{ a | b } }\n"
    assert words(two + "model B { input 3×4×4  (in, in) → A }") == "add"
    assert wrong(two + "model B { input 3×4×4  A }") == [("wrong-number-of-tensors", 2, 24)]
    one = "model A { input a: 3×8×8  ReLU }\n"
    assert wrong(one + "model B { input 3×4×4  (in, in) → A }") == [("wrong-number-of-tensors", 2, 35)]


def test_params_of_a_model_are_arguments_of_its_calls() -> None:
    text = "model A { param c: int = 4  input 3×8×8  Conv3x3(c) }\nmodel B { input 3×8×8  A(c=7) → Conv1x1(3) → A }"
    assert list(weights(text).values()) == ["7×3×3×3", "3×7×1×1", "4×3×3×3"]


def test_what_stands_where() -> None:
    for statement in ("input 3×8×8", "param x: int = 3", "assert params < 3", "use A from resnet", "model M { ReLU }"):
        assert wrong(IN + f"block A {{ {statement}  ReLU }}\nA") == [("stray-statement", 2, 11)]
    assert wrong("model A { input 3×8×8  ReLU }\nConv3x3(8)") == [("stray-statement", 2, 1)]
    assert wrong("model A { input 3×8×8  ReLU }\ninput 3×8×8") == [("stray-statement", 2, 1)]


def test_wrong_variants() -> None:
    assert wrong("model A(c=1) { input 3 FC(c) }\nmodel b = B(2)") == [("unknown-model", 2, 11)]
    assert wrong("model A(c=1) { input 3 FC(c) }\nmodel A = A(2)")[0][0] in ("duplicate-name", "recursive-block")
    assert wrong("model A(c=1) { input 3 FC(c) }\nmodel b = A(2, 3)") == [("too-many-arguments", 2, 16)]
    assert wrong("model A(c=1) { input 3 FC(c) }\nmodel b = A(d=3)") == [("unknown-argument", 2, 13)]


def test_an_error_inside_a_block_is_told_in_the_block_once() -> None:
    text = IN + "block A { Conv3x3(0) }\nA → A → A"
    assert wrong(text) == [("out-of-range", 2, 19)]
    assert names(IN + "block A { ReLU }\nA×3") == ["0.0 ReLU", "1.0 ReLU", "2.0 ReLU"]
