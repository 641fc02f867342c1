"""Guards `syntax/printer.py` and `syntax/printing/`. Canonical text: what it looks like, that it says the same, that it
stays.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Source
from cnndsl.pipeline import format_text
from cnndsl.syntax import tree
from cnndsl.syntax.parser import parse
from tests.syntax.programs import laid_out, programs
from tests.work import at_most

ROOT = Path(__file__).resolve().parent.parent.parent
ARCHITECTURES = sorted(ROOT.glob("architectures/*.cnn"))


def formatted(text: str) -> str:
    return format_text(Source("net.cnn", text))


def parsed(text: str) -> tree.Program:
    return parse(Source("net.cnn", text))


def holds(text: str) -> str:
    """The canonical text, once it is known to say the same, with every comment, and to stay as it is."""
    made = formatted(text)
    before, after = parsed(text), parsed(made)
    assert after == before
    assert [comment.text for comment in after.comments] == [comment.text for comment in before.comments]
    assert formatted(made) == made
    assert all(line == line.rstrip() for line in made.split("\n"))
    assert "\n\n\n" not in made
    assert made == "" or (made.endswith("\n") and not made.startswith("\n") and not made.endswith("\n\n"))
    return made


@pytest.mark.parametrize("path", ARCHITECTURES, ids=lambda path: path.stem)
def test_architectures_are_in_canonical_form(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert holds(text) == text


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_any_program_says_the_same_in_canonical_form(text: str) -> None:
    holds(text)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(ARCHITECTURES), st.randoms(use_true_random=True), st.sampled_from([0, 0.2]))
def test_architectures_in_any_layout(path: Path, random: Random, comments: float) -> None:
    text = laid_out(path.read_text(encoding="utf-8"), random, 0.2, comments)
    made = holds(text)
    assert parsed(made) == parsed(path.read_text(encoding="utf-8"))
    assert "\t" not in made
    assert "\r" not in made


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("a->b", "a → b"),
        ("let a=b*c", "let a = b × c"),
        ("let a=b!=c", "let a = b ≠ c"),
        ("let a=b<=c and c>=d", "let a = b ≤ c and c ≥ d"),
        ("let a=b==-c**-d", "let a = b == -c ** -d"),
        ("let a=not  b or(c)", "let a = not b or (c)"),
        ("let a=b/c//d%e", "let a = b / c // d % e"),
        ("let a=((b))", "let a = ((b))"),
        ("let a=1 .. 6", "let a = 1..6"),
        ("let a=1..n-1", "let a = 1 .. n - 1"),
        ("let a=plan[ 0 ]", "let a = plan[0]"),
        ("let a=plan[1 .. 3]", "let a = plan[1..3]"),
        ("let a=in . channels", "let a = in.channels"),
        ("let a=b  if c else(d)", "let a = b if c else (d)"),
        ("let a=[ ]", "let a = []"),
        ("let a=[1,(2,64),(3,),]", "let a = [1, (2, 64), (3,)]"),
        ("let a=[f( c ) for c,(i,j) in cs if c]", "let a = [f(c) for c, (i, j) in cs if c]"),
        ("let a=1_000+1e-3+12M+1.50", "let a = 1_000 + 1e-3 + 12M + 1.50"),
        (r'let a="say \"\\\""', r'let a = "say \"\\\""'),
        ('let a="tab\there"', 'let a = "tab\there"'),
        ("input 3x224x224", "input 3×224×224"),
        ("input clip :3 * 16*(n)", "input clip: 3×16×(n)"),
        ("input words:64 of  int64", "input words: 64 of int64"),
        ("input tokens  50*768", "input tokens 50×768"),
        ("input x: tokens (n+1)*c", "input x: tokens (n + 1)×c"),
        ("output p3,p4 if  training", "output p3, p4 if training"),
        ("param  classes:int=1000", "param classes: int = 1000"),
        ("param unit : block", "param unit: block"),
        ("default Conv(bias = false),BN( )", "default Conv(bias=false), BN()"),
        ("model a=B", "model a = B"),
        ("model a=B([(2,64)],n = 1,)", "model a = B([(2, 64)], n=1)"),
        ("block A{B}", "block A {\n  B\n}"),
        ("block A(c,s = 1)takes x,y{ B → C output z }", "block A(c, s=1) takes x, y {\n  B → C\n  output z\n}"),
        ("model A(){ }", "model A() { }"),
        ("(a,b)=in→Split( 2 )", "(a, b) = in → Split(2)"),
        ("share head=[A]*4", "share head = [A]×4"),
        ('use A,B as C from"x.cnn"', 'use A, B as C from "x.cnn"'),
        ("use A from resnet", "use A from resnet"),
        ("assert params<12M and rf>=224", "assert params < 12M and rf ≥ 224"),
        ("[ Conv3x3(32)->ReLU ]*2", "[Conv3x3(32) → ReLU]×2"),
        ("add{a|b}", "add{ a | b }"),
        ("cat(axis = 1){a|b->c}as d", "cat(axis=1){ a | b → c } as d"),
        ("cat{DWConv(k) for k in[3,5]as x if y}", "cat{ DWConv(k) for k in [3, 5] as x if y }"),
        ("conv1 :A*n as b if c else[d]", "conv1: A×n as b if c else [d]"),
        ("A*(n-1) if b else none", "A×(n - 1) if b else none"),
        ("{i}-{ j+1 }: A for i,j in enumerate(xs)", "{i}-{ j+1 }: A for i, j in enumerate(xs)"),
        ("( a ,b , )→parts[ 0 ]", "(a, b) → parts[0]"),
        ("A()", "A()"),
    ],
)
def test_signs_and_spaces(written: str, canonical: str) -> None:
    assert holds(written) == f"{canonical}\n"


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\ufeff", "\r\n"])
def test_an_empty_file_stays_empty(text: str) -> None:
    assert holds(text) == ""


def test_windows_line_ends_tabs_and_a_byte_order_mark() -> None:
    text = "\ufeff# net\r\n\r\ninput\t3×8×8\r\nblock A\t{\r\n\tReLU  \t# here\r\n}\r\n"
    assert holds(text) == "# net\n\ninput 3×8×8\nblock A {\n  ReLU  # here\n}\n"


def test_a_text_of_comments_alone() -> None:
    assert holds("\n\n  # one\n# two\n\n\n\n\t# three") == "# one\n# two\n\n# three\n"


def test_comments_and_blank_lines_between_statements() -> None:
    text = """
# head


let a = 1   # behind
# above b
let b = 2

# the documentation
# of A
block A { # begins

  # first

  B # body

  # last

}
"""
    assert (
        holds(text)
        == """\
# head

let a = 1  # behind
# above b
let b = 2

# the documentation
# of A
block A {  # begins
  # first

  B  # body

  # last
}
"""
    )


def test_comments_stay_with_their_elements() -> None:
    text = """
A # of A
    # above B
    → B → # behind B
    C
add{ # of add
# above the branch
A
# above id
| id # of id
} → [
  A # in
]
"""
    assert (
        holds(text)
        == """\
A  # of A
# above B
→ B  # behind B
→ C
add{  # of add
  # above the branch
  A
  # above id
| id  # of id
}
→ [
  A  # in
]
"""
    )


def test_comments_inside_of_values() -> None:
    text = """
model a = B(1, # one
  # two
  2
  # end
)
let c = a + # more
  b
let d = # none
  1
"""
    assert (
        holds(text)
        == """\
model a = B(
  1,  # one
  # two
  2,
  # end
)
let c = a  # more
  + b
let d =  # none
  1
"""
    )


def test_the_author_breaks_lines_of_a_chain() -> None:
    assert holds("A → B\n   → C →\nD") == "A → B\n→ C\n→ D\n"
    assert holds("x = A → B\n→ C") == "x = A → B\n  → C\n"
    assert holds("x = [\nA] → B") == "x = [\n  A\n]\n→ B\n"
    assert holds("share x = a\n\n→ add{ id\n| B → C\n → D }") == (
        "share x = a\n\n  → add{\n    id\n  | B → C\n    → D\n  }\n"
    )


def test_the_author_breaks_lines_of_lists() -> None:
    text = "let plan = [\n(1, 64), (1, 128),\n(2, 256)]\nmodel a = VGG([\n1, 2\n])\nConv3x3(8,\nstride=2) → A"
    assert (
        holds(text)
        == """\
let plan = [
  (1, 64), (1, 128),
  (2, 256),
]
model a = VGG([
  1, 2,
])
Conv3x3(
  8,
  stride=2,
)
→ A
"""
    )


def test_line_breaks_that_mean_nothing_go() -> None:
    assert holds("A if\na\nelse\n B →C\nlet x\n=\n1\n+ 2 input 3\n×4") == (
        "A if a else B → C\nlet x = 1 + 2\ninput 3×4\n"
    )


LONG = [
    "x = " + " → ".join(f"conv{i}: Conv3x3({i}, stride=2)" for i in range(12)),
    "features: [" + " → ".join(["Conv3x3(64)"] * 12) + "]×2 → avgpool: [" + " → ".join(["FC(64)"] * 9) + "]",
    "A → add{ " + " | ".join(["Conv3x3(64) → BN → ReLU"] * 5) + " } as e1 if training else id → B",
    "model a = B(" + ", ".join(f"argument{i}={i}" for i in range(20)) + ")",
    "model a = B([" + ", ".join("(2, 64)" for i in range(40)) + "])",
    "assert " + " and ".join(f"params < {i} × width" for i in range(12)),
    "let a = " + " + ".join(f"max(width{i}, f(height{i} × 2))" for i in range(12)),
    "let a = [f(c, d) for c, d in enumerate([1, 2, 3, 4, 5, 6, 7, 8]) if c × d × d > 100 and d ≠ 1 or c × c < d × d × d]",
    "let a = width if width × height × depth > 1000000 else height if height × depth > 10000 else depth if depth else 1",
    "block Name(" + ", ".join(f"parameter{i}={i}" for i in range(9)) + ") takes first, second { A }",
    "block Name takes " + ", ".join(f"tensor{i}" for i in range(30)) + " { A }",
    "(" + ", ".join(f"tensor{i}" for i in range(30)) + ") = in → Split(30)",
    "(" + ", ".join(f"tensor{i}" for i in range(30)) + ") → A",
    "output " + ", ".join(f"tensor{i}" for i in range(30)),
    "use " + ", ".join(f"Block{i} as B{i}" for i in range(30)) + " from resnet",
    "default " + ", ".join(f"Layer{i}(bias=false)" for i in range(30)),
    "downsample: [Conv1x1(channels, stride) → BN] if stride ≠ 1 or in.channels ≠ channels × expansion × groups else id",
    "A → Conv3x3(64)×(" + " + ".join(f"count{i}" for i in range(20)) + ") → B",
    "let a = " + "1 if b else " * 50 + "1",
]


@pytest.mark.parametrize("text", LONG)
def test_long_lines_are_broken(text: str) -> None:
    made = holds(text)
    assert made.count("\n") > 1
    assert max(map(len, made.split("\n"))) <= 100


def test_how_long_lines_are_broken() -> None:
    assert holds(LONG[2]) == (
        "A → add{\n"
        "  Conv3x3(64) → BN → ReLU\n"
        "| Conv3x3(64) → BN → ReLU\n"
        "| Conv3x3(64) → BN → ReLU\n"
        "| Conv3x3(64) → BN → ReLU\n"
        "| Conv3x3(64) → BN → ReLU\n"
        "} as e1 if training else id\n"
        "→ B\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "let a = " + "(" * 64 + "1" + ")" * 64,
        "let a = " + "(-" * 64 + "1" + ")" * 64,
        "let a = " + "f(x=1 + " * 64 + "1" + ")" * 64,
        "let a = " + "[" * 64 + "1" + "]" * 64,
        "let a = " + "not " * 64 + "a",
        "let a = " + "a[" * 64 + "1" + "]" * 64,
        "[" * 64 + "ReLU" + "]" * 64,
        "add{ id | " * 64 + "ReLU" + " }" * 64,
        "[\n" * 64 + "ReLU # here\n" + "]" * 64,
        "[add{ id | [" * 21 + "x" + "] }]" * 21,
    ],
)
def test_depth_up_to_the_limit(text: str) -> None:
    holds(text)


def test_a_chain_of_twenty_thousand_elements() -> None:
    text = " → ".join(["ReLU"] * 20_000)
    with at_most(calls=5_000_000):
        made = formatted(text)
    assert parsed(made) == parsed(text)
    assert max(map(len, made.split("\n"))) <= 100


def test_nested_groups_of_many_elements_cost_little() -> None:
    chain = " → ".join(["ReLU"] * 5_000)
    with at_most(calls=5_000_000):
        formatted("[" * 60 + chain + "]" * 60)


def test_a_text_that_spaces_make_too_long_is_refused() -> None:
    with pytest.raises(CnnError) as caught:
        formatted("[\n" * 60 + "→\n".join(["A"] * 18_000) + "]" * 60)
    assert [d.id for d in caught.value.diagnostics] == ["source-too-long"]


@pytest.mark.parametrize("text", ["[A", "A → → B", "let a = ", "block A { (a, ) }", '"'])
def test_wrong_programs_are_told_and_not_printed(text: str) -> None:
    with pytest.raises(CnnError) as expected:
        parsed(text)
    with pytest.raises(CnnError) as caught:
        formatted(text)
    assert [d.message for d in caught.value.diagnostics] == [d.message for d in expected.value.diagnostics]
