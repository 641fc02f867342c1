"""Functions of values, `fn`, and what values gained with them: `parts`, `enumerate` from a number, parameters by default."""

from __future__ import annotations

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import check, parse_text


def network(text: str, **parameters: object) -> Graph:
    return parse_text(text, parameters=parameters).graph


def channels(value: str, before: str = "") -> int:
    return network(f"{before}\ninput 3×4×4\nConv1x1({value})").nodes[-1].type.channels


def ids(text: str, **parameters: object) -> list[str]:
    with pytest.raises(CnnError) as caught:
        parse_text(text, parameters=parameters)
    return [diagnostic.id for diagnostic in caught.value.diagnostics]


NEAR = "fn near(c, q=8) = max(q, (c + q // 2) // q × q)"


def test_a_function_of_values() -> None:
    assert [channels(f"near({c})", NEAR) for c in (3, 20, 21)] == [8, 24, 24]
    assert channels("near(30, q=16)", NEAR) == 32
    assert channels("twice(near, 9)", f"{NEAR}\nfn twice(f, x) = f(f(x))") == 8


def test_a_function_sees_where_it_was_written_and_opens_no_scope() -> None:
    graph = network(
        "block Unit(c) { let q = 4\n fn wide(x) = x × q\n conv: Conv1x1(wide(c)) }\ninput 3×4×4\nunit: Unit(5)"
    )
    assert [entry.key for entry in graph.weights] == ["unit.conv.weight", "unit.conv.bias"]
    assert graph.nodes[-1].type.channels == 20


def test_defaults_of_functions_may_speak_of_earlier_parameters() -> None:
    assert channels("f(3)", "fn f(a, b=a × 2) = a + b") == 9


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("fn f(n) = f(n - 1)\nlet a = f(3)", "recursive-function"),
        ("fn f(n) = g(n)\nfn g(n) = f(n)\nlet a = f(3)", "recursive-function"),
        (f"{NEAR}\nlet a = near()", "missing-argument"),
        (f"{NEAR}\nlet a = near(1, 2, 3)", "too-many-arguments"),
        (f"{NEAR}\nlet a = near(1, p=3)", "unknown-argument"),
        (f"{NEAR}\nlet a = near(1, c=3)", "repeated-argument"),
        (f'{NEAR}\nlet a = near("x")', "wrong-type"),
        ("fn f(a, a) = a\nlet b = 3", "duplicate-name"),
        ("fn Conv(a) = a\nlet b = 3", "shadows-layer"),
        (f"{NEAR}\nfn near(a) = a\nlet b = 3", "duplicate-name"),
        ("let a = parts([1, 2, 3], [1, 1])", "out-of-range"),
        ("let a = parts([1, 2], [3, -1])", "out-of-range"),
    ],
)
def test_what_a_wrong_function_gets(text: str, id: str) -> None:
    assert ids(f"{text}\ninput 3×4×4\nReLU") == [id]


def test_functions_count_toward_the_limits() -> None:
    chain = "\n".join(f"fn f{i}(x) = f{i + 1}(x) + f{i + 1}(x)" for i in range(60))
    assert ids(f"{chain}\nfn f60(x) = x\ninput 3×4×4\nConv1x1(f0(1))")[0] in ("too-deep", "too-many-steps")
    wide = "fn f(x) = sum([g(x) for i in 1..3000])\nfn g(x) = sum([x for i in 1..3000])"
    assert ids(f"{wide}\ninput 3×4×4\nConv1x1(f(1))") == ["too-many-steps"]


def test_parts_and_enumerate() -> None:
    assert channels("parts([1, 2, 3, 4, 5], [2, 0, 3])[2][1]") == 4
    assert channels("enumerate([7], 5)[0][0]") == 5
    assert channels("round(10 × (sin(pi / 2) + cos(0) + tan(pi / 4)))") == 30


def test_a_parameter_takes_the_type_of_its_default() -> None:
    text = (
        'param n = 2\nparam name = "plain"\nparam act = ReLU\ninput 3×4×4\nact → Conv1x1(n if name == "plain" else 9)'
    )
    assert network(text).nodes[-1].type.channels == 2
    assert network(text, n="5").nodes[-1].type.channels == 5
    assert network(text, name="other").nodes[-1].type.channels == 9
    assert network(text, act="SiLU").nodes[0].op.word == "SiLU"
    assert ids(text, n="0.5") == ["not-an-integer"]
    assert ids(text, act="3") == ["wrong-type"]
    assert ids("param n = (1, 2)\ninput 3×4×4\nReLU") == ["wrong-type"]


def test_setting_a_name_again_is_a_warning(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "net.cnn"
    file.write_text(
        "input 3×4×4\nx = Conv1x1(3)\nx = x → ReLU\n(_, _) = x → Split([1, 2])\nadd{ x | x → Tanh }", "utf-8"
    )
    assert [diagnostic.id for diagnostic in check(str(file))] == ["rebinding"]
