"""Guards `passes/walk/chains.py`, `passes/walk/merges.py` and `passes/walk/repeats.py`. Chains: groups, repeats,
conditions, taps, merges, tensors, layers as values.
"""

from __future__ import annotations

import pytest

from tests.passes.reading import keys, listing, names, net, outputs, weights, words, wrong

IN = "input 3×8×8\n"


def test_the_first_program_of_the_page() -> None:
    text = (
        "input 3×32×32\n[Conv3x3(32) → ReLU]×2 → MaxPool → [Conv3x3(64) → ReLU]×2 → MaxPool → FC(128) → ReLU → FC(10)"
    )
    assert listing(text) == [
        "0 Conv 32×32×32 < input",
        "1 ReLU 32×32×32 < 0",
        "2 Conv 32×32×32 < 1",
        "3 ReLU 32×32×32 < 2",
        "4 MaxPool 32×16×16 < 3",
        "5 Conv 64×16×16 < 4",
        "6 ReLU 64×16×16 < 5",
        "7 Conv 64×16×16 < 6",
        "8 ReLU 64×16×16 < 7",
        "9 MaxPool 64×8×8 < 8",
        "flatten Flatten 4096 < 9",
        "10 FC 128 < flatten",
        "11 ReLU 128 < 10",
        "12 FC 10 < 11",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "input 3x8x8 Conv3x3(4)->ReLU->[MaxPool]*2",
        "input\n3\n×\n8\n×\n8\nConv3x3(\n4\n)\n→\nReLU\n→\n[\nMaxPool\n]\n×\n2",
        "input 3×8×8 # one\n# two\nConv3x3(4) # three →\n→ ReLU → # four\n[MaxPool # five\n]×2",
        "\ufeffinput 3×8×8\r\nConv3x3(4)\r\n→ ReLU\r\n\t→ [MaxPool]× 2\r\n",
        "input 3*8*8 Conv3x3(channels=4,) → ReLU → MaxPool * 2",
        "input 3×8×8\nlet n = 2 Conv3x3(4) → ReLU → MaxPool×n",
    ],
)
def test_white_space_comments_and_spelling_mean_nothing(text: str) -> None:
    assert listing(text) == [
        "0 Conv 4×8×8 < input",
        "1 ReLU 4×8×8 < 0",
        "2 MaxPool 4×4×4 < 1",
        "3 MaxPool 4×2×2 < 2",
    ]


def test_a_bracket_that_touches_its_word_belongs_to_it() -> None:
    assert weights(IN + "let plan = [4, 5]\nConv3x3(plan[1])") == {"0.weight": "5×3×3×3"}
    assert wrong(IN + "Conv3x3 (8)") == [("syntax", 2, 9)]
    assert wrong(IN + "Conv3x3\n(8)") == [("syntax", 3, 1)]
    assert wrong(IN + "let plan = [1]\nlet x = plan [0]\nFC(x)") == [("syntax", 3, 14)]


def test_a_group_after_a_word_and_a_space_begins_a_second_chain() -> None:
    assert wrong(IN + "x = ReLU\n[SiLU]") == []
    assert wrong(IN + "ReLU [SiLU]") == [("second-chain", 2, 6)]


def test_times_nothing_is_nothing() -> None:
    assert words(IN + "Conv3x3(8)×0 → ReLU → [Conv3x3(4) → SiLU]×0") == "ReLU"


def test_counts_are_values() -> None:
    assert words(IN + "let n = 2\nReLU×(n - 1) → SiLU×n → Tanh×max(1, n) → Sigmoid×[3][0] → ReLU6×2.0") == (
        "ReLU SiLU SiLU Tanh Tanh Sigmoid Sigmoid Sigmoid ReLU6 ReLU6"
    )
    for count in ("(1/2)", "(-1)", '"a"', "true", "ReLU"):
        assert wrong(IN + f"ReLU×{count}") == [("bad-count", 2, 6)]


def test_repeats_with_values() -> None:
    assert weights(IN + "Conv1x1(c) for c in [4, 5]") == {"0.weight": "4×3×1×1", "1.weight": "5×4×1×1"}
    assert weights(IN + "Conv(c, window=k) for k, c in [(1, 4), (3, 5)]") == {
        "0.weight": "4×3×1×1",
        "1.weight": "5×4×3×3",
    }
    rows = "let rows = [(4, 1), (5, 2)]\n"
    assert weights(IN + rows + "Conv1x1(c + n + i) for i, (c, n) in enumerate(rows)") == {
        "0.weight": "5×3×1×1",
        "1.weight": "8×5×1×1",
    }
    assert weights(IN + rows + "Conv1x1(c + n) for (c, n) in rows") == {"0.weight": "5×3×1×1", "1.weight": "7×5×1×1"}
    assert words(IN + "ReLU for i in 1..3") == "ReLU ReLU ReLU"
    assert words(IN + "ReLU for i in []") == ""


def test_a_choice_among_the_values_wants_parentheses() -> None:
    assert words(IN + "FC(i) for i in ([1, 2] if true else [3])") == "Flatten FC FC"
    # Without them the condition is the element's own.
    assert words(IN + "FC(i) for i in [1, 2] if false else ReLU") == "ReLU ReLU"


def test_an_element_repeats_in_one_way() -> None:
    assert wrong(IN + "[ReLU]×2 for i in 1..3") == [("syntax", 2, 10)]
    assert words(IN + "[[ReLU]×2] for i in 1..3") == " ".join(["ReLU"] * 6)


def test_rounds_bring_as_many_values_as_there_are_names() -> None:
    assert wrong(IN + "FC(a) for a, b in [1, 2]") == [("wrong-type", 2, 11)]
    assert wrong(IN + "FC(a) for a, b in [(1, 2, 3)]") == [("wrong-type", 2, 11)]
    assert wrong(IN + "FC(a) for a in 3") == [("wrong-type", 2, 16)]


def test_conditions() -> None:
    text = "Conv3x3(8) → BN if false → ReLU if true → SiLU if 1 > 2 else Tanh → Dropout if 1 == 2 else none"
    assert names(IN + text) == ["0 Conv", "1 ReLU", "2 Tanh"]
    assert words(IN + "ReLU → [SiLU → Tanh] if false else [BN → Sigmoid] → Softmax if false else id") == (
        "ReLU BN Sigmoid"
    )
    assert wrong(IN + "ReLU if true else [Tanh]×3") == [("syntax", 2, 25)]


def test_a_repeat_and_its_condition() -> None:
    assert words(IN + "ReLU×2 if false → SiLU×2 if true") == "SiLU SiLU"
    # The choice is made once, and what repeats is what was chosen.
    assert words(IN + "ReLU×2 if false else SiLU") == "SiLU SiLU"


def test_a_condition_is_true_or_false() -> None:
    for condition in ("1", "in", '"a"', "in.channels", "none", "ReLU"):
        assert wrong(IN + f"ReLU if {condition}") == [("wrong-type", 2, 9)]


def test_taps_name_the_tensor_at_their_point() -> None:
    assert listing(IN + "Conv3x3(4) as a → ReLU×2 as b → cat{ a | b | in }")[-1] == "cat cat 11×8×8 < 0 2 input"
    assert listing(IN + "cat{ Conv3x3(4) as a → ReLU | a } → cat{ a | id }")[-1] == "cat_1 cat 12×8×8 < 0 cat"
    assert listing(IN + "Conv3x3(4) as a if false else Conv3x3(5) → cat{ a | id }")[-1] == "cat cat 10×8×8 < 0 0"
    assert listing(IN + "id as a → ReLU → cat{ a | id }")[-1] == "cat cat 6×8×8 < input 0"


def test_a_tap_of_a_round_is_seen_in_that_round_only() -> None:
    assert words(IN + "[Conv3x3(8) as t → ReLU → cat{ id | t }]×2") == "Conv ReLU cat Conv ReLU cat"
    assert wrong(IN + "[Conv3x3(8) as t → ReLU]×2 → cat{ id | t }") == [("tap-out-of-scope", 2, 40)]
    assert wrong(IN + "[Conv3x3(8) as t] for i in 1..2 → cat{ id | t }") == [("tap-out-of-scope", 2, 45)]
    assert words(IN + "[Conv3x3(8) as t → ReLU]×2 as t → cat{ id | t }")[-3:] == "cat"


def test_a_tap_that_an_if_removed() -> None:
    assert wrong(IN + "ReLU as t if false → cat{ id | t }") == [("tap-out-of-scope", 2, 32)]


def test_taps_of_a_block_stay_inside() -> None:
    assert wrong(IN + "block B { ReLU as t → SiLU }\nB → cat{ id | t }") == [("unknown-name", 3, 15)]


def test_tensors_only_begin_a_chain() -> None:
    assert words(IN + "x = ReLU\nx → SiLU") == "ReLU SiLU"
    assert wrong(IN + "x = ReLU\nSiLU → x → Tanh") == [("tensor-in-the-middle", 3, 8)]
    assert wrong(IN + "ReLU → in") == [("tensor-in-the-middle", 2, 8)]
    assert wrong(IN + "x = ReLU\nSiLU → (x, x)") == [("tensor-in-the-middle", 3, 8)]
    assert wrong(IN + "x = ReLU\nSiLU → [x → Tanh]") == [("tensor-in-the-middle", 3, 9)]
    assert wrong(IN + "x = ReLU\n[x → Tanh]×2") == [("tensor-in-the-middle", 3, 2)]
    assert words(IN + "x = ReLU\n[x → SiLU]") == "ReLU SiLU"


def test_id_and_in() -> None:
    assert listing(IN + "id → Conv3x3(4) → id → add{ id | Conv1x1(in.channels + 1) | id }") == [
        "0 Conv 4×8×8 < input",
        "1 Conv 4×8×8 < 0",
        "add add 4×8×8 < 0 1 0",
    ]
    assert listing(IN + "ReLU → B\nblock B { Conv1x1(5) → cat{ in | id } }")[-1] == "1.cat cat 8×8×8 < 0 1.0"
    assert listing(IN + "ReLU → [Conv1x1(5) → cat{ in | id }]")[-1] == "cat cat 8×8×8 < input 1"


def test_merges() -> None:
    assert listing(IN + "add{ Conv3x3(3) | id }") == ["0 Conv 3×8×8 < input", "add add 3×8×8 < 0 input"]
    assert listing(IN + "cat{ Conv3x3(4) | Conv1x1(5) → BN | AvgPool3x3(1, 1) }")[-1] == "cat cat 12×8×8 < 0 2 3"
    assert listing(IN + "cat(axis=1){ id | id }") == ["cat cat 3×16×8 < input input"]
    assert listing(IN + "cat(axis=channels){ id | id | id }") == ["cat cat 9×8×8 < input input input"]
    assert listing(IN + "mul{ id | GlobalAvgPool → Conv1x1(3) → Sigmoid }")[-1] == "mul mul 3×8×8 < input 2"
    assert listing(IN + "add{ id | add{ ReLU | SiLU } }")[-2:] == ["add add 3×8×8 < 0 1", "add_1 add 3×8×8 < input add"]


def test_shapes_that_do_not_agree_are_told_at_the_first_branch_that_differs() -> None:
    assert wrong(IN + "add{ Conv3x3(4) | id }") == [("shape-mismatch", 2, 19)]
    assert wrong(IN + "add{ id | ReLU | Conv3x3(4) | Conv3x3(5) }") == [("shape-mismatch", 2, 18)]
    assert wrong(IN + "cat{ id | MaxPool }") == [("shape-mismatch", 2, 11)]
    assert wrong(IN + "mul{ id | GlobalAvgPool → Flatten }") == [("shape-mismatch", 2, 11)]


def test_merges_have_two_branches_or_more() -> None:
    assert wrong(IN + "add{ ReLU }") == [("too-few-branches", 2, 1)]
    assert wrong(IN + "add{ ReLU | SiLU if false }") == [("empty-branch", 2, 13)]
    assert wrong(IN + "add{ ReLU | SiLU×0 }") == [("empty-branch", 2, 13)]
    assert words(IN + "add{ ReLU | SiLU if false else id }") == "ReLU add"
    assert words(IN + "add{ ReLU | SiLU if false else none }") == "ReLU"
    assert words(IN + "add{ ReLU | SiLU if false else none | id }") == "ReLU add"
    assert wrong(IN + "add{ ReLU if false else none | SiLU if false else none }") == [("empty-branch", 2, 1)]


def test_a_merge_makes_its_branches() -> None:
    text = "cat{ DWConv(window=k) for k in [3, 5, 7] }"
    assert weights(IN + text) == {"0.weight": "3×1×3×3", "1.weight": "3×1×5×5", "2.weight": "3×1×7×7"}
    assert words(IN + "cat{ Conv(k, window=k) → BN for k in [1, 3] }") == "Conv BN Conv BN cat"
    assert words(IN + "cat{ ReLU for k in [1] }") == "ReLU"
    assert wrong(IN + "cat{ ReLU for k in [] }") == [("empty-branch", 2, 1)]
    assert names(IN + "cat{ c{k}: Conv(k, window=k) for k in [1, 3] }") == ["c1 Conv", "c3 Conv", "cat cat"]


def test_a_for_in_one_of_several_branches_repeats_its_element() -> None:
    assert listing(IN + "cat{ Conv1x1(2) for k in [1, 3] | id }")[-1] == "cat cat 5×8×8 < 1 input"


def test_merges_and_groups_of_named_tensors_need_none_to_arrive() -> None:
    two = "input a: 3×8×8\ninput b: 3×8×8\n"
    assert listing(two + "add{ a | b → ReLU } → SiLU") == [
        "0 ReLU 3×8×8 < b",
        "add add 3×8×8 < a 0",
        "1 SiLU 3×8×8 < add",
    ]
    assert listing(two + "x = add{ a | b }\n[ x → ReLU ]") == ["add add 3×8×8 < a b", "0 ReLU 3×8×8 < add"]
    assert wrong(two + "add{ a | ReLU }") == [("ambiguous-in", 3, 10)]
    assert wrong(two + "ReLU") == [("ambiguous-in", 3, 1)]
    assert wrong(two + "a → Conv1x1(in.channels)") == [("ambiguous-in", 3, 13)]
    assert words(two + "a → Conv1x1(b.channels)") == "Conv"


def test_tuples_travel_between_blocks() -> None:
    text = (
        "block Both takes x, y { u = cat{ x | y }  v = cat{ y | x } → Conv1x1(2)  output u, v }\n"
        "x = ReLU\ny = SiLU\n(x, y) → Both for i in 1..2 → Join\nblock Join takes p, q { cat{ p | q } }"
    )
    assert listing(IN + text) == [
        "0 ReLU 3×8×8 < input",
        "1 SiLU 3×8×8 < input",
        "2.cat cat 6×8×8 < 0 1",
        "2.cat_1 cat 6×8×8 < 1 0",
        "2.0 Conv 2×8×8 < 2.cat_1",
        "3.cat cat 8×8×8 < 2.cat 2.0",
        "3.cat_1 cat 8×8×8 < 2.0 2.cat",
        "3.0 Conv 2×8×8 < 3.cat_1",
        "4.cat cat 10×8×8 < 3.cat 3.0",
    ]
    assert wrong(IN + "x = ReLU\n(x, x) → SiLU") == [("wrong-number-of-tensors", 3, 10)]
    assert wrong(IN + "x = ReLU\ncat{ (x, x) | id }") == [("wrong-number-of-tensors", 3, 6)]


def test_parts_of_a_tuple() -> None:
    two = "block Two { a = Conv1x1(4) b = Conv1x1(5) output a, b }\n"
    assert listing(IN + two + "(a, b) = Two\ncat{ a | b }")[-1] == "cat cat 9×8×8 < 0.0 0.1"
    assert listing(IN + two + "parts = Two\ncat{ parts[1] | parts[0] → ReLU }")[-1] == "cat cat 9×8×8 < 0.1 1"
    assert listing(IN + two + "parts = Two\nparts[1] → ReLU")[-1] == "1 ReLU 5×8×8 < 0.1"
    assert wrong(IN + two + "(a, b, c) = Two\nReLU") == [("wrong-number-of-tensors", 3, 1)]
    assert wrong(IN + two + "parts = Two\nparts[2] → ReLU") == [("out-of-range", 4, 7)]


def test_layers_are_values() -> None:
    text = "let acts = [ReLU, SiLU, id, Conv1x1(4, bias=false)]\na for a in acts → [acts[1]]×2"
    assert words(IN + text) == "ReLU SiLU Conv SiLU SiLU"
    block = "block B(act=ReLU, conv=Conv3x3) { conv(8) → act → conv(4) → act if act ≠ id }\n"
    assert words(IN + block + "B → B(act=id) → B(SiLU, Conv1x1) → B(conv=Conv(window=5, bias=false))") == (
        "Conv ReLU Conv ReLU Conv Conv Conv SiLU Conv SiLU Conv ReLU Conv ReLU"
    )
    assert weights(IN + block + "B(conv=Conv(window=5, bias=false))") == {
        "0.0.weight": "8×3×5×5",
        "0.2.weight": "4×8×5×5",
    }


@pytest.mark.parametrize(
    ("equation", "holds"),
    [
        ("ReLU == ReLU", True),
        ("ReLU == SiLU", False),
        ("ReLU ≠ SiLU", True),
        ("id == id", True),
        ("ReLU == id", False),
        ("Conv3x3(4) == Conv3x3(4)", True),
        ("Conv3x3(4) == Conv3x3(5)", False),
        ("Conv3x3 == Conv1x1", False),
        ("[ReLU, (id, 3)] == [ReLU, (id, 3)]", True),
        ("ReLU == 3", False),
        ("none == none", True),
        ("id == none", False),
    ],
)
def test_layers_are_compared(equation: str, holds: bool) -> None:
    assert words(IN + f"Tanh if {equation} else Sigmoid") == ("Tanh" if holds else "Sigmoid")


def test_a_block_as_a_value() -> None:
    text = "block A(c, k=3) { Conv(c, window=k) }\nblock N(unit, c) { unit(c) → unit(c + 1) }\nN(A, 4) → N(A(k=5), 6)"
    assert weights(IN + text) == {
        "0.0.0.weight": "4×3×3×3",
        "0.1.0.weight": "5×4×3×3",
        "1.0.0.weight": "6×5×5×5",
        "1.1.0.weight": "7×6×5×5",
    }


def test_what_is_no_layer_cannot_stand_in_a_chain() -> None:
    assert wrong(IN + "let x = 3\nReLU → x") == [("not-callable", 3, 8)]
    assert wrong(IN + "let x = 3\nReLU → x(4)") == [("not-callable", 3, 8)]
    assert wrong(IN + 'let x = "ReLU"\nx → ReLU') == [("not-callable", 3, 1)]
    assert wrong(IN + "share s = ReLU\ns(3)") == [("not-callable", 3, 1)]


def test_a_body_has_one_unnamed_chain() -> None:
    assert wrong(IN + "ReLU\nSiLU") == [("second-chain", 3, 1)]
    assert wrong(IN + "ReLU SiLU → Tanh") == [("second-chain", 2, 6)]
    assert wrong(IN + "[ReLU]x2") == [("syntax", 2, 7)]
    assert wrong(IN + "block B { ReLU SiLU }\nB → B") == [("second-chain", 2, 16)]


def test_everything_wrong_is_told_at_once_and_nothing_that_follows_from_it() -> None:
    text = IN + "Conv3x3(8) → Relu → BN(epss=1) as x\n→ add{ x | Foo(2) }\n→ Conv3x3(0) → FC(x.channels)"
    assert wrong(text) == [
        ("unknown-layer", 2, 14),
        ("unknown-argument", 2, 24),
        ("unknown-layer", 3, 12),
        ("out-of-range", 4, 11),
    ]


def test_the_u_net_of_the_page_in_layers_there_are() -> None:
    text = (
        "input 1×32×32\nparam classes: int = 2\nblock Double(c) { [Conv3x3(c) → BN → ReLU]×2 }\n"
        "Double(8) as e1 → MaxPool → Double(16) as e2 → MaxPool → Double(32)\n"
        "→ ConvT2x2(16, stride=2) → cat{ e2 | id } → Double(16) → ConvT2x2(8, stride=2) → cat{ e1 | id }"
        " → Double(8) → Conv1x1(classes)"
    )
    shapes = [str(n.type) for n in net(text).nodes if n.op.word in ("ConvT", "cat")]
    assert shapes == ["16×16×16", "32×16×16", "8×32×32", "16×32×32"]
    assert outputs(text) == [("9", "9", False)]
    assert keys(text)[:2] == ["0.0.weight", "0.0.bias"]
