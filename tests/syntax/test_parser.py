"""Guards `syntax/parser.py` and `syntax/build/`. The grammar has no conflicts, its tables are up to date, and every
form of the language becomes its piece of a tree.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from lark import Lark

from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Source
from cnndsl.disk.shelf import read_data
from cnndsl.syntax import tree
from cnndsl.syntax.parser import OPTIONS, parse, parse_value

ROOT = Path(__file__).resolve().parent.parent.parent


def statement(text: str) -> tree.Statement:
    (only,) = parse(Source("net.cnn", text)).statements
    return only


def chain(text: str) -> tuple[tree.Element, ...]:
    found = statement(text)
    assert isinstance(found, tree.ChainStatement)
    return found.chain.elements


def element(text: str) -> tree.Element:
    (only,) = chain(text)
    return only


def value(text: str) -> tree.Value:
    return parse_value(Source("value", text), 0, len(text))


def said(node: Any) -> Any:
    """A tree as nested tuples: the kind of node, then what it says. Names, numbers and texts stand for themselves."""
    if isinstance(node, tree.Name | tree.This):
        return node.name
    if isinstance(node, tree.Number | tree.Constant):
        return node.value
    if isinstance(node, tree.Text):
        return f'"{node.value}"'
    if isinstance(node, tree.Invocation) and node.arguments is None:
        return node.name
    if isinstance(node, tree.Argument):
        return said(node.value) if node.name is None else (f"{node.name}=", said(node.value))
    if isinstance(node, tree.Targets):
        return said(node.names)
    if isinstance(node, tree.Chain):
        return ("→", *map(said, node.elements))
    if isinstance(node, tree.Element) and all(
        part is None for part in (node.label, node.repeat, node.tap, node.condition)
    ):
        return said(node.primary)
    if isinstance(node, tuple):
        return tuple(map(said, node))
    if isinstance(node, tree.Node):
        return (type(node).__name__, *(said(getattr(node, name)) for name in type(node)._compared))
    return node


def test_the_grammar_is_strictly_lalr() -> None:
    Lark(read_data("grammars", "cnn.lark"), **OPTIONS, strict=True)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_tables_are_those_of_the_grammar(seed: str) -> None:
    code = "import sys; from cnndsl.syntax.generate import tables; sys.stdout.buffer.write(tables().encode())"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert made.stdout == (ROOT / "cnndsl/syntax/tables.py").read_bytes(), "run `python -m cnndsl.syntax.generate`"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("input 3×224×224", ("Input", None, False, (3, 224, 224), None)),
        ("input 3x224x224", ("Input", None, False, (3, 224, 224), None)),
        ("input clip: 3×16×112×112", ("Input", "clip", False, (3, 16, 112, 112), None)),
        ("input (c)×size×size", ("Input", None, False, (("Parenthesised", "c"), "size", "size"), None)),
        ("input tokens 50×768", ("Input", None, True, (50, 768), None)),
        ("input words: 64 of int64", ("Input", "words", False, (64,), "int64")),
        (
            "output p3, p4[0], in",
            ("Output", (("Departure", "p3", None), ("Departure", ("Pick", "p4", 0), None), ("Departure", "in", None))),
        ),
        ("output aux if training", ("Output", (("Departure", "aux", "training"),))),
        ("param classes: int = 1000", ("Param", "classes", "int", 1000)),
        ("param unit: block", ("Param", "unit", "block", None)),
        ("let mid = in.channels * 6", ("Let", "mid", ("Operation", ("Attribute", "in", "channels"), (("×", 6),)))),
        (
            "default Conv(bias=false), BN(eps=1e-3)",
            ("Default", (("Preset", "Conv", (("bias=", False),)), ("Preset", "BN", (("eps=", 0.001),)))),
        ),
        (
            "block Name(c, stride=1) { ReLU }",
            (
                "Block",
                "Name",
                (("Parameter", "c", None), ("Parameter", "stride", 1)),
                (),
                False,
                (("ChainStatement", ("→", "ReLU")),),
            ),
        ),
        (
            "block FPN takes c3, c4 { output p3 }",
            ("Block", "FPN", None, ("c3", "c4"), False, (("Output", (("Departure", "p3", None),)),)),
        ),
        (
            "block Top takes c3, rest[] { output rest }",
            ("Block", "Top", None, ("c3", "rest"), True, (("Output", (("Departure", "rest", None),)),)),
        ),
        ("param n = 0", ("Param", "n", None, 0)),
        (
            "fn near(c, q=8) = max(q, c)",
            ("Function", "near", (("Parameter", "c", None), ("Parameter", "q", 8)), ("Call", "max", ("q", "c"))),
        ),
        ("x = fn", ("Bind", ("x",), False, ("→", "fn"))),
        (
            "ts = (c → A for i, c in cs)",
            ("Bind", ("ts",), False, ("→", ("Collected", ("→", "c", "A"), ("Each", ("i", "c"), "cs")))),
        ),
        ("model VGG() { }", ("Model", "VGG", (), ())),
        ("model a = VGG([1], n=2)", ("Variant", "a", "VGG", (("ListValue", (1,)), ("n=", 2)))),
        ("model a = VGG", ("Variant", "a", "VGG", None)),
        ("p5 = c5 → A", ("Bind", ("p5",), False, ("→", "c5", "A"))),
        ("(a, b) = in → A", ("Bind", ("a", "b"), True, ("→", "in", "A"))),
        ("share head = A", ("Share", "head", ("→", "A"))),
        ("use A from resnet", ("Use", (("Imported", "A", None),), "resnet", False)),
        (
            'use SE as Gate, Up from "blocks/my.cnn"',
            ("Use", (("Imported", "SE", "Gate"), ("Imported", "Up", None)), "blocks/my.cnn", True),
        ),
        ("assert params < 12M", ("Assert", ("Operation", "params", (("<", 12_000_000),)))),
    ],
)
def test_statements(text: str, expected: Any) -> None:
    assert said(statement(text)) == expected


@pytest.mark.parametrize(
    ("text", "primary"),
    [
        ("ReLU", "ReLU"),
        ("Conv3x3(64, stride=2)", ("Invocation", "Conv3x3", (64, ("stride=", 2)))),
        ("A()", ("Invocation", "A", ())),
        ("in", "in"),
        ("id", "id"),
        ("parts[i]", ("Pick", "parts", "i")),
        ("(a, b[0], in)", ("Tensors", ("a", ("Pick", "b", 0), "in"))),
        ("[A → B]", ("Group", ("→", "A", "B"))),
        ("add{ A → B | id }", ("Merge", "add", None, (("→", "A", "B"), ("→", "id")), None)),
        ("cat(axis=1){ a | b }", ("Merge", "cat", (("axis=", 1),), (("→", "a"), ("→", "b")), None)),
        (
            "cat{ A → B for k in [3, 5] }",
            ("Merge", "cat", None, (("→", "A", "B"),), ("Each", ("k",), ("ListValue", (3, 5)))),
        ),
    ],
)
def test_primaries(text: str, primary: Any) -> None:
    assert said(element(text)) == primary


def test_elements_carry_labels_repeats_taps_and_conditions() -> None:
    whole = element("block{i+1}-x: A×n as e1 if c ≠ 0 else [B]")
    assert whole.label is not None
    assert whole.label.varies
    assert said(whole.label.parts) == ("block", ("Operation", "i", (("+", 1),)), "-x")
    assert said(whole.repeat) == ("Times", "n")
    assert whole.tap is not None
    assert whole.tap.names == ("e1",)
    assert said(whole.condition) == ("Condition", ("Operation", "c", (("≠", 0),)), ("Group", ("→", "B")), False)
    assert said(element("A if c else none").condition) == ("Condition", "c", None, True)
    assert said(element("A if c").condition) == ("Condition", "c", None, False)
    assert said(element("A for i, (c, n) in rows").repeat) == ("Each", ("i", ("c", "n")), "rows")
    assert said(element("A*(n - 1)").repeat) == ("Times", ("Parenthesised", ("Operation", "n", (("-", 1),))))


@pytest.mark.parametrize("label", ["1", "convs.0", "if", "a-b", "input"])
def test_labels_may_be_anything_that_ends_in_a_colon(label: str) -> None:
    found = element(f"{label}: A").label
    assert found is not None
    assert found.parts == (label,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1_000", 1000),
        ("30K", 30_000),
        ("1.8G", 1_800_000_000),
        ("1.005K", 1005),
        ("1e-5", 1e-5),
        ('"a \\"b\\" \\\\"', '"a "b" \\"'),
        ("[1, 2,]", ("ListValue", (1, 2))),
        ("(2, 64)", ("TupleValue", (2, 64))),
        ("(2,)", ("TupleValue", (2,))),
        ("1..6", ("Range", 1, 6)),
        ("1 + 2 × 3", ("Operation", 1, (("+", ("Operation", 2, (("×", 3),))),))),
        ("1 - 2 - 3", ("Operation", 1, (("-", 2), ("-", 3)))),
        ("-2 ** 2", ("Unary", "-", ("Operation", 2, (("**", 2),)))),
        ("2 ** -1", ("Operation", 2, (("**", ("Unary", "-", 1)),))),
        ("2 ** 3 ** 4", ("Operation", 2, (("**", ("Operation", 3, (("**", 4),))),))),
        (
            "a or b and not c == d",
            (
                "Operation",
                "a",
                (("or", ("Operation", "b", (("and", ("Unary", "not", ("Operation", "c", (("==", "d"),)))),))),),
            ),
        ),
        ("a if b else c if d else e", ("Choice", "a", "b", ("Choice", "c", "d", "e"))),
        ("plan[0].size", ("Attribute", ("Index", "plan", 0), "size")),
        ("plan[1..3]", ("Index", "plan", ("Range", 1, 3))),
        ("max(a, b=1)", ("Call", "max", ("a", ("b=", 1)))),
        ("[f(c) for c, d in cs if c]", ("Comprehension", ("Call", "f", ("c",)), ("c", "d"), "cs", "c")),
        ("none", None),
    ],
)
def test_values(text: str, expected: Any) -> None:
    assert said(value(text)) == expected


def test_brackets_that_touch_a_word_belong_to_it() -> None:
    assert [type(s).__name__ for s in parse(Source("x", "let a = b\n(c, d) = in → A")).statements] == ["Let", "Bind"]
    assert [type(s).__name__ for s in parse(Source("x", "let a = b\n[A] → B")).statements] == ["Let", "ChainStatement"]
    assert said(value("a if (b) else [c]")) == ("Choice", "a", ("Parenthesised", "b"), ("ListValue", ("c",)))


def test_comments_are_kept_with_their_places() -> None:
    program = parse(Source("x", "# one\nA # two \r\n→ {i}: B # three"))
    assert [(comment.text, comment.span.start) for comment in program.comments] == [
        ("# one", 0),
        ("# two", 8),
        ("# three", 25),
    ]
    # A value that is read alone keeps none.
    assert said(value("1 # one")) == 1


def test_spans_are_of_the_text() -> None:
    source = Source("x", "A → conv{i}: Conv3x3( 8 ) as e")
    (found,) = parse(source).statements
    assert isinstance(found, tree.ChainStatement)
    last = found.chain.elements[1]
    assert last.span.text == "conv{i}: Conv3x3( 8 ) as e"
    assert last.primary.span.text == "Conv3x3( 8 )"
    assert last.label is not None
    assert last.label.span.text == "conv{i}"
    assert last.label.parts[1].span.text == "i"  # type: ignore[union-attr]
    assert last.tap is not None
    assert last.tap.span.text == "e"


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("let a = " + "(" * 65 + "1" + ")" * 65, "too-deep"),
        ("let a = " + "not " * 65 + "b", "too-deep"),
        ("let a = " + "(" * 30 + "-" * 30 + "(" + "-" * 40 + "1" + ")" * 31, "too-deep"),
        ("let a = " + "1 + 2 × (" * 33 + "1" + ")" * 33, "too-deep"),
        ("let a = b" + ".c" * 65, "too-deep"),
        ("let a = " + "1 if b else " * 65 + "1", "too-deep"),
        ("let a = " + "2 ** " * 65 + "1", "too-deep"),
        ("[" * 65 + "A" + "]" * 65, "too-deep"),
        ("let a = " + "9" * 500, "value-too-large"),
        ("input 3x" + "9" * 500, "value-too-large"),
        ("let a = 1e999", "value-too-large"),
    ],
)
def test_limits_are_told(text: str, id: str) -> None:
    with pytest.raises(CnnError) as caught:
        parse(Source("x", text))
    assert [d.id for d in caught.value.diagnostics] == [id]


def test_threads_read_their_own_texts() -> None:
    texts = [
        "\n".join(f"# {n}.{i}\nx{n}_{i} = in → {{{n} + {i}}}: A{n}({i}) if a{n} else B" for i in range(60))
        for n in range(8)
    ]
    expected = [parse(Source(str(n), text)) for n, text in enumerate(texts)]
    together = Barrier(8)

    def read(n: int) -> list[tree.Program]:
        together.wait()
        return [parse(Source(str(n), texts[n])) for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        for n, programs in enumerate(pool.map(read, range(8))):
            for program in programs:
                assert program == expected[n]
                assert [c.text for c in program.comments] == [c.text for c in expected[n].comments]
                assert all(s.span.source.name == str(n) for s in program.statements)
