"""Guards `pipeline.py`. Whatever a text says, it becomes a graph or a CnnError, and soon."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.render import render_all
from cnndsl.disk import shelf
from cnndsl.pipeline import parse_text
from tests.passes.test_wrong_programs import CASES

_TOKEN = re.compile(r"\s+|#[^\n]*|\"[^\"\n]*\"|[A-Za-z0-9_.]+|->|\*\*|//|==|[^\w\s]")

PROGRAMS = [
    *(case[1] for case in CASES if len(case[1]) < 400),
    *(source.text for name in ("lenet5", "alexnet", "vgg", "resnet") if (source := shelf.architecture(name))),
]
WORDS = sorted(
    {token for text in PROGRAMS for token in _TOKEN.findall(text) if not token.isspace() and len(token) < 30}
)

once = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True,
)


def becomes_something(text: str) -> None:
    try:
        graph = parse_text(text).graph
        assert len({node.name for node in graph.nodes}) == len(graph.nodes)
        assert len({entry.key for entry in graph.weights}) == len(graph.weights)
    except CnnError as error:
        assert error.diagnostics
        said = render_all(error.diagnostics)
        for diagnostic in error.diagnostics:
            assert diagnostic.span is not None
            assert diagnostic.help
            assert f"[{diagnostic.id}]" in said


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A program with tokens deleted, doubled, exchanged or put in."""
    tokens = _TOKEN.findall(draw(st.sampled_from(PROGRAMS)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(tokens) - 1, 0)))
        match draw(st.sampled_from(["delete", "double", "swap", "insert", "replace"])):
            case "delete":
                del tokens[at : at + 1]
            case "double":
                tokens[at:at] = tokens[at : at + draw(st.integers(1, 5))]
            case "swap" if tokens:
                other = draw(st.integers(0, len(tokens) - 1))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case "insert":
                tokens.insert(at, draw(st.sampled_from(WORDS)))
            case _:
                tokens[at : at + 1] = [draw(st.sampled_from(WORDS))]
    return "".join(tokens)


@once
@given(mutated())
def test_programs_with_tokens_lost_doubled_and_exchanged(text: str) -> None:
    becomes_something(text)


@once
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
def test_words_in_any_order(text: str) -> None:
    becomes_something("input 3×8×8\n" + text)


@once
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    becomes_something(text)


@once
@given(st.sampled_from(PROGRAMS), st.binary(min_size=1, max_size=4), st.floats(0, 1))
def test_any_bytes_in_a_program(program: str, noise: bytes, where: float) -> None:
    data = program.encode()
    at = int(where * len(data))
    becomes_something(
        (data[:at] + noise + data[at:]).decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()
    )


def test_any_file(tmp_path: Path) -> None:
    from cnndsl.pipeline import check

    path = tmp_path / "noise.cnn"
    for data in (b"\xff\xfe", b"\x00" * 10, bytes(range(256)), "input 3\nReLU".encode("utf-16"), b"\xef\xbb\xbf"):
        path.write_bytes(data)
        assert check(str(path))
