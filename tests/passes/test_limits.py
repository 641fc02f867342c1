"""Guards `passes/count.py` and `passes/walk/repeats.py`. Limits: every program ends, and is refused before it has cost
much.
"""

from __future__ import annotations

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.passes.draft import assembly
from cnndsl.pipeline import parse_text
from tests.work import at_most


def told(text: str) -> list[str]:
    """The ids that a program gets."""
    try:
        parse_text(text)
        found: list[str] = []
    except CnnError as error:
        found = sorted({d.id for d in error.diagnostics})
    return found


def nested(item: str, count: int, repeat: str) -> str:
    return "[" * count + item + f"]{repeat}" * count


@pytest.mark.parametrize(
    "chain",
    [
        "ReLU×1000000000000000000",
        nested("ReLU", 60, "×1000"),
        "[[ReLU]×100000]×100000",
        "ReLU×(10 ** 18)",
        nested("Conv1x1(3)", 3, "×99"),
        "A×1000\nblock A { B×1000 }\nblock B { C×1000 }\nblock C { ReLU×1000 }",
        "[add{ ReLU×1000 | [SiLU×1000]×1000 }]×1000",
        "share t = ReLU×9999\n" + "t → " * 20 + "t",
        "A60\nblock A0 { ReLU }\n" + "\n".join(f"block A{i + 1} {{ A{i} → A{i} → A{i} }}" for i in range(60)),
        pytest.param("ReLU for i in range(100000) → SiLU", marks=pytest.mark.slow),
    ],
)
def test_too_many_nodes(chain: str) -> None:
    assert told("input 3×4×4\n" + chain) == ["too-many-nodes"]


def test_exactly_as_many_nodes_as_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "MOST_NODES", 2_000)
    assert len(parse_text("input 3\n[ReLU×100]×20").graph.nodes) == 2_000
    assert told("input 3\nReLU×2001") == ["too-many-nodes"]


@pytest.mark.slow
def test_a_hundred_thousand_nodes_are_the_limit() -> None:
    assert len(parse_text("input 3\n[ReLU×100]×1000").graph.nodes) == assembly.MOST_NODES == 100_000
    assert told("input 3\nReLU×100001") == ["too-many-nodes"]


@pytest.mark.slow
def test_a_chain_of_twenty_thousand_elements_is_legal() -> None:
    graph = parse_text("input 3\n" + "ReLU → " * 19_999 + "ReLU").graph
    assert len(graph.nodes) == 20_000
    assert graph.nodes[-1].name == "19999"


@pytest.mark.parametrize("rounds", [nested("id", 3, "×1000"), "ReLU×0", nested("ReLU if false", 3, "×100")])
def test_what_makes_no_node_may_repeat(rounds: str) -> None:
    assert told(f"input 3\nSiLU → {rounds}") == []


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("2 ** 128", ["out-of-range"]),
        ("2 ** 129", ["value-too-large"]),
        ("9 ** 9 ** 9 ** 9", ["value-too-large"]),
        ("10.0 ** 400", ["value-too-large"]),
        ("1e300 × 1e300", ["value-too-large"]),
        ("len(1..10 ** 30)", ["value-too-large"]),
        ("len([1, 2][0..1] + [x for x in 1..100000])", ["value-too-large"]),
        ("sum([sum(1..100000) for i in 1..100000])", ["too-many-steps"]),
        ("len([[x for x in 1..1000] for y in 1..1000])", ["too-many-steps"]),
        ("(" * 70 + "1" + ")" * 70, ["too-deep"]),
        ("-" * 70 + "1", ["too-deep"]),
        ("not " * 70 + "true", ["too-deep"]),
        ("1" + " if true else 2" * 70, ["too-deep"]),
        ("1" + "[0]" * 70, ["too-deep"]),
        ("in" + ".size" * 70, ["too-deep"]),
        ("1" * 100_000, ["value-too-large"]),
        ("0." + "1" * 100_000, ["value-too-large"]),
    ],
)
def test_values_beyond_the_limits(value: str, ids: list[str]) -> None:
    assert told(f"input 3\nFC({value})") == ids


def lets(first: str, next: str, count: int, end: str) -> str:
    lines = [f"let {n}0 = {first}" for n in "ab"]
    lines += [f"let {n}{i + 1} = {next.format(f'{n}{i}')}" for i in range(count) for n in "ab"]
    return "input 3\nblock B(x=1, y=2) { ReLU }\n" + "\n".join(lines) + f"\n{end}"


@pytest.mark.parametrize(
    ("text", "id"),
    [
        (lets("[0]", "[{0}]", 300, "FC(a300)"), "too-deep"),
        (lets("[0]", "[{0}, {0}]", 60, "ReLU if a60 == b60"), "value-too-large"),
        (lets("(0, 1)", "({0}, {0})", 60, "ReLU if a60 == b60"), "value-too-large"),
        (lets("1", "B({0}, {0})", 60, "ReLU if a60 == b60"), "value-too-large"),
        (lets("1", "B({0})", 300, "ReLU if a300 == b300"), "too-deep"),
        (lets("[0]", "{0} + {0}", 60, "FC(len(a60))"), "value-too-large"),
        (lets("2", "{0} × {0}", 60, "FC(a60)"), "value-too-large"),
    ],
)
def test_values_that_grow_from_let_to_let(text: str, id: str) -> None:
    assert told(text) == [id]


def test_tensors_and_weights_beyond_the_limits() -> None:
    assert told("input 3\nFC(2 ** 31) → FC(2 ** 31)") == ["value-too-large"]
    assert told("input 3×4×4\n[cat{ id | id }]×40") == ["value-too-large"]
    assert told("input 2147483649\nReLU") == ["out-of-range"]
    assert told("input 3×4×4\nConv3x3(2 ** 31 + 1)") == ["out-of-range"]


def test_texts_beyond_the_limits() -> None:
    assert told("input 3\nReLU\n#" + "x" * 1_000_000) == ["source-too-long"]
    assert told("input 3\n" + "[" * 65 + "ReLU" + "]" * 65) == ["too-deep"]
    assert told("input 3\n" + "[" * 64 + "ReLU" + "]" * 64) == []
    assert told("(" * 500_000) == ["too-deep"]


@pytest.mark.parametrize(
    "text",
    [
        "input 3\n" + "# x\n" * 20_000 + "ReLU",
        "input 3\n" + '"' * 100_000,
        "input 3\n" + "a{1}" * 5_000 + ": ReLU",
        "input 3\n" + "{1}" * 5_000,
        "input 3\n" + "a" * 500_000,
        "input 3\n" + "a." * 5_000 + ": ReLU",
        "input " + "x".join(["3"] * 2_000),
        "input 3\nlet x = in" + ".a" * 60,
        "input 3\n" + "ReLU | " * 10_000,
        "input 3\n" + "let a = nope\n" * 500 + "ReLU",
        "input 3\n" + "\n".join(f"let a{i} = {i}" for i in range(1_000)) + "\nReLU",
        "input 3\n" + " → ".join(f"Foo{i}x" for i in range(100)),
        "input 3\nadd{ " + " | ".join(["id"] * 500) + " }",
        "input 3\nFC(" + "1 < " * 10_000 + "1)",
        "input 3\nblock A(" + ", ".join(f"p{i}={i}" for i in range(2_000)) + ") { ReLU }\nA",
    ],
    ids=range(15),
)
def test_long_texts_cost_little(text: str) -> None:
    with at_most(calls=2_000_000):
        told(text)
