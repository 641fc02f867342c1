"""Guards `passes/walk/outputs.py`. Inputs and outputs of a network."""

from __future__ import annotations

import pytest

from tests.passes.reading import keys, net, outputs, words, wrong


@pytest.mark.parametrize(
    ("statement", "name", "shape", "dtype", "axis"),
    [
        ("input 3×224×224", "input", (3, 224, 224), "float32", 0),
        ("input 3x224x224", "input", (3, 224, 224), "float32", 0),
        ("input 3*224*224", "input", (3, 224, 224), "float32", 0),
        ("input clip: 3×16×112×112", "clip", (3, 16, 112, 112), "float32", 0),
        ("input 64", "input", (64,), "float32", 0),
        ("input 2×64", "input", (2, 64), "float32", 0),
        ("input tokens 50×768", "input", (50, 768), "float32", 1),
        ("input words: tokens 50×768", "words", (50, 768), "float32", 1),
        ("input words: 64 of int64", "words", (64,), "int64", 0),
        ("let c = 3\nlet size = 8\ninput (c)×size×size", "input", (3, 8, 8), "float32", 0),
        ("let c = 3\ninput (c + 1)×(2 * c)", "input", (4, 6), "float32", 0),
        ("input tokens: 3×4×5", "tokens", (3, 4, 5), "float32", 0),
    ],
)
def test_inputs(statement: str, name: str, shape: tuple[int, ...], dtype: str, axis: int) -> None:
    (only,) = net(statement + "\noutput in").inputs
    assert (only.name, only.type.shape, only.type.dtype, only.type.channel_axis) == (name, shape, dtype, axis)


@pytest.mark.parametrize(
    ("statement", "id", "column"),
    [
        ("input 3×4×4×5×6×7×8", "wrong-rank", 1),
        ("input tokens 3×4×5", "wrong-rank", 1),
        ("input 0×4×4", "out-of-range", 7),
        ("input 3×2147483649×4", "out-of-range", 9),
        ("input 3.5×4×4", "not-an-integer", 7),
        ('input ("a")×4', "not-an-integer", 7),
        ("input 3 4 4", "syntax", 1),
        ("input 3x4×4", "syntax", 1),
        ("input ×4", "syntax", 7),
        ("input → 3", "syntax", 7),
        ("input n×4", "unknown-name", 7),
    ],
)
def test_wrong_inputs(statement: str, id: str, column: int) -> None:
    assert wrong(statement + "\nReLU")[:1] == [(id, 1, column)]


def test_without_an_input() -> None:
    assert wrong("ReLU") == [("missing-input", 1, 1)]
    assert wrong("ReLU\ninput 3") == [("nothing-arrives", 1, 1)]
    assert wrong("let c = in.channels\ninput 3\nFC(c)")[:1] != []


def test_several_inputs() -> None:
    graph = net("input image: 3×8×8\ninput depth: 1×8×8\ncat{ image | depth } → Conv3x3(4)")
    assert [i.name for i in graph.inputs] == ["image", "depth"]
    assert graph.nodes[0].inputs == ("image", "depth")
    assert wrong("input image: 3×8×8\ninput depth: 1×8×8\nReLU") == [("ambiguous-in", 3, 1)]
    assert [i.name for i in net("input input_1: 3\ninput 4\ninput 5\noutput in").inputs] == [
        "input_1",
        "input",
        "input_2",
    ]
    assert [i.name for i in net("input 3\ninput 4\ninput 5\noutput in").inputs] == ["input", "input_1", "input_2"]


def test_without_output_the_unnamed_chains_end_leaves() -> None:
    assert outputs("input 3×8×8\nReLU → SiLU") == [("1", "1", False)]
    assert outputs("input 3×8×8\nReLU → last: SiLU") == [("last", "last", False)]
    assert outputs("input 3×8×8\nblock Two { a = ReLU b = SiLU output a, b }\nTwo") == [
        ("0.0", "0.0", False),
        ("0.1", "0.1", False),
    ]


def test_outputs_in_their_order_under_their_names() -> None:
    text = "input 3×8×8\nReLU as p3 → SiLU as p4 → Tanh as p5\noutput p5, p3\noutput p4"
    assert outputs(text) == [("p5", "2", False), ("p3", "0", False), ("p4", "1", False)]
    assert outputs("input x: 3×8×8\nReLU\noutput in") == [("x", "x", False)]


def test_an_output_in_training_leaves_the_others_and_keeps_its_weights() -> None:
    text = "input 3×8×8\naux = Conv3x3(4) → FC(10)\nmain = Conv3x3(8) → FC(10)\noutput main, aux if training"
    assert outputs(text) == [("main", "3", False), ("aux", "1", True)]
    assert len(keys(text)) == 8
    chain = "input 3×8×8\nReLU as early → SiLU\naux = early → FC(3)\noutput aux if training"
    assert outputs(chain) == [("1", "1", False), ("aux", "2", True)]


def test_an_output_in_training_may_be_left_out_at_compile_time() -> None:
    text = "input 3×8×8\nparam aux: bool = true\nReLU as early → SiLU\nhead = early → FC(3) if aux\n"
    for condition in ("training and aux", "aux and training"):
        both = f"{text}output head if {condition}"
        assert outputs(both) == [("1", "1", False), ("head", "2", True)]
        assert outputs(both, aux=False) == [("1", "1", False)]
        assert keys(both, aux=False) == []
    assert wrong(text + "output head if training or aux") == [("unknown-name", 5, 16)]


def test_any_other_condition_is_a_choice_made_at_compile_time() -> None:
    text = "input 3×8×8\nparam deep: bool = false\na = ReLU\nb = SiLU\noutput a, b if deep"
    assert outputs(text) == [("a", "0", False)]
    assert outputs(text, deep="true") == [("a", "0", False), ("b", "1", False)]
    assert wrong("input 3\na = ReLU\noutput a if 3") == [("wrong-type", 3, 13)]


@pytest.mark.parametrize(
    ("text", "id", "line", "column"),
    [
        ("output x\nx = ReLU", "used-before-definition", 2, 8),
        ("output y\nReLU", "unknown-name", 2, 8),
        ("let x = 3\noutput x\nReLU", "wrong-type", 3, 8),
        ("x = ReLU\noutput x if training", "nothing-to-build", 3, 21),
        ("x = ReLU", "nothing-to-build", 2, 9),
        ("let x = 3", "nothing-to-build", 2, 10),
        ("block A { x = ReLU }\nA", "nothing-to-build", 2, 7),
        ("block A { }\nA", "nothing-to-build", 2, 7),
        ("block A { x = ReLU output x if training }\nA", "nothing-to-build", 2, 7),
    ],
)
def test_wrong_outputs(text: str, id: str, line: int, column: int) -> None:
    assert wrong("input 3×8×8\n" + text) == [(id, line, column)]


def test_a_text_with_nothing_in_it() -> None:
    assert wrong("") == [("empty-program", 1, 1)]
    assert wrong("# only a comment")[0][0] == "empty-program"
    assert wrong("block A { ReLU }")[0][0] == "nothing-to-build"


def test_bound_tensors_come_from_in() -> None:
    assert words("input 3×8×8\na = ReLU\nb = SiLU\na → cat{ id | b }") == "ReLU SiLU cat"
