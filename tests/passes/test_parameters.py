"""Guards `passes/values/parameters.py`. Values from outside: `-P`, model parameters and variants, `--input`."""

from __future__ import annotations

from typing import Any

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import parse_text
from tests.passes.reading import keys, listing, net, weights, words, wrong

MODEL = """
param k: int = 3
model Net(plan, c=4, act=ReLU) { input image: 3×16×16  [[Conv(x, window=k) → act]×n] for n, x in plan → FC(c) }
model small = Net([(1, 2)])
model other = small(c=5, act=SiLU)
model last = Net([(2, 3)], 9)
"""


def channels(text: str, **parameters: Any) -> int:
    return net(text, **parameters).nodes[-1].type.channels


def test_the_last_model_that_needs_no_argument_is_built() -> None:
    assert words(MODEL) == "Conv ReLU Conv ReLU Flatten FC"
    assert channels(MODEL) == 9


def test_a_value_from_outside_reaches_every_parameter_also_those_the_variant_gave() -> None:
    assert channels(MODEL, c=7) == 7
    assert words(MODEL, plan="[(1, 5)]", act="Tanh", c="2 × 3") == "Conv Tanh Flatten FC"
    assert weights(MODEL, plan=[(1, 5)]) == {"0.weight": "5×3×3×3", "2.weight": "9×1280"}


def test_a_value_from_outside_reaches_the_params_of_the_file_and_of_the_model() -> None:
    assert weights(MODEL, k="5")["0.weight"] == "3×3×5×5"
    assert channels("model M { param c: int = 3 input 3×4×4 Conv3x3(c) }", c=5) == 5
    assert channels("param c: int = 3\ninput 3×4×4\nConv3x3(c)", c="6") == 6
    assert channels("param c: int = 3\nmodel M(n=c) { input 3 FC(n) }", c=6) == 6


def test_variants_of_variants_keep_what_the_later_one_does_not_give() -> None:
    text = "model M(a, b=2, c=3) { input 3 FC(a) → FC(b) → FC(c) }\nmodel n = M(1, c=5)\nmodel m = n(b=7)"
    assert [n.type.channels for n in net(text).nodes] == [1, 7, 5]


def test_a_variant_replaces_by_name_what_its_base_has_by_position() -> None:
    text = "model M(a, b, c=3) { input 3 FC(a) → FC(b) → FC(c) }\nmodel n = M(1, 2)\n"
    assert [n.type.channels for n in net(text + "model m = n(a=7, c=8)").nodes] == [7, 2, 8]
    assert [n.type.channels for n in net(text + "model m = n(9, b=4)").nodes] == [1, 4, 9]
    assert [n.type.channels for n in net(text + "model m = n(b=4)\nmodel o = m(b=5, a=6)").nodes] == [6, 5, 3]


def test_a_variant_that_gives_one_argument_twice_is_refused() -> None:
    assert wrong("model M(a) { input 3 FC(a) }\nmodel n = M(1, a=2)")[0][0] == "repeated-argument"


def test_each_type_of_param() -> None:
    text = (
        'param i: int = 1\nparam f: float = 1\nparam t: text = "a"\nparam b: bool = false\nparam l: list = []\n'
        "param u: block = ReLU\ninput 3\nu → Dropout(f / 4) → FC(len(t) + len(l)) → SiLU if b → FC(i)"
    )
    assert listing(text) == [
        "0 ReLU 3 < input",
        "1 Dropout 3 < 0",
        "2 FC 1 < 1",
        "3 FC 1 < 2",
    ]
    given = {"i": "2.0", "f": "2", "t": "hello", "b": "true", "l": "[1, 2]", "u": "Tanh"}
    assert listing(text, **given) == [
        "0 Tanh 3 < input",
        "1 Dropout 3 < 0",
        "2 FC 7 < 1",
        "3 SiLU 7 < 2",
        "4 FC 2 < 3",
    ]


def test_a_block_from_outside_may_be_the_files_own() -> None:
    text = "param u: block = A\ninput 3×4×4\nu(2)\nblock A(c) { Conv3x3(c) }\nblock B(c) { Conv1x1(c) }"
    assert weights(text, u="B") == {"0.0.weight": "2×3×1×1"}
    assert weights("param u: block = ReLU\ninput 3×4×4\nu", u="Conv3x3(2)") == {"0.weight": "2×3×3×3"}
    assert keys("param u: block = ReLU\ninput 3×4×4\nu", u="id") == []


@pytest.mark.parametrize(
    ("parameters", "id"),
    [
        ({"c": "x"}, "unknown-name"),
        ({"c": "1 +"}, "syntax"),
        ({"c": "1.5"}, "not-an-integer"),
        ({"k": "1.5"}, "not-an-integer"),
        ({"k": "true"}, "wrong-type"),
        ({"cc": "1"}, "unknown-parameter"),
        ({"c": "1 / 0"}, "division-by-zero"),
    ],
)
def test_wrong_values_from_outside(parameters: dict[str, str], id: str) -> None:
    with pytest.raises(CnnError) as caught:
        parse_text(MODEL, parameters=parameters)
    assert [d.id for d in caught.value.diagnostics][:1] == [id]


def test_a_wrong_value_is_shown_as_it_was_given() -> None:
    with pytest.raises(CnnError) as caught:
        parse_text("param k: int = 3\ninput 3\nFC(k)", parameters={"k": "1.5"})
    (only,) = caught.value.diagnostics
    assert only.span is not None
    assert (only.span.source.name, only.span.text) == ("-P", "1.5")


def test_a_param_without_a_value() -> None:
    text = "input 3\nparam c: int\nFC(c)"
    assert wrong(text) == [("missing-argument", 2, 7)]
    assert channels(text, c=3) == 3


def test_sizes_from_outside() -> None:
    text = "input image: 3×32×32\ninput depth: 1×32×32\ncat{ image | depth }"
    graph = parse_text(text, inputs={"": "3x8x8", "depth": "1×8×8"}).graph
    assert [str(i.type) for i in graph.inputs] == ["3×8×8", "1×8×8"]
    for inputs, id in [
        ({"": "3x8"}, "wrong-rank"),
        ({"depht": "1x8x8"}, "unknown-parameter"),
        ({"": "3x0x8"}, "out-of-range"),
        ({"": "abc"}, "out-of-range"),
    ]:
        with pytest.raises(CnnError, match=id):
            parse_text(text, inputs=inputs)


def test_a_word_where_another_kind_of_value_is_due() -> None:
    text = 'param classes: int = 10\nparam name: text = "a"\ninput 3×8×8\nFC(classes)'
    with pytest.raises(CnnError) as caught:
        parse_text(text, parameters={"classes": "two"})
    assert [(d.id, d.help) for d in caught.value.diagnostics] == [("wrong-type", "give it a whole number")]
    with pytest.raises(CnnError) as caught:
        parse_text("model M(c=3) { input 3×8×8 FC(c) }", parameters={"c": "two"})
    assert [(d.id, d.help) for d in caught.value.diagnostics] == [
        ("unknown-name", 'a text is written in quotes: `"two"`')
    ]
    assert parse_text(text, parameters={"name": "two"}).graph
