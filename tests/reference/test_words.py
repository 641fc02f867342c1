"""Guards `reference/notions.py`, `reference/limits.py` and the tables of `habits/`: what `explain` knows beside layers, and that
what the tables tell people to write is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.habits.arguments import meanings
from cnndsl.habits.words import foreign, words
from cnndsl.ir.op import registry
from cnndsl.pipeline import parse_text
from cnndsl.reference.explanation import explain
from cnndsl.reference.limits import LIMITS, limits_table

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("conv", "# Conv"),
        ("Conv3x3", "# Conv\n"),
        ("conv3x3", "# Conv\n"),
        ("Conv3×3", "# Conv\n"),
        ("relu", "# ReLU"),
        ("stride", "The step between windows"),
        ("MACs", "Multiply-adds"),
        ("macs", "Multiply-adds"),
        ("receptive field", "What part of the input"),
        ("resnet50", "25,557,032 parameters"),
        ("BatchNorm2d", "written `BN`"),
        ("nn.BatchNorm2d", "written `BN`"),
        ("SE", "use SE from squeeze_excitation"),
        ("LSTM", "no recurrent layers"),
        ("limits", "| layers of a network | 100,000 |"),
        ("for", "brackets make one of several"),
    ],
)
def test_explain_knows_what_people_ask(word: str, says: str) -> None:
    assert says in (explain(word) or "")


def test_the_table_of_limits_stands_in_the_language() -> None:
    assert limits_table() in (ROOT / "docs" / "language.md").read_text("utf-8"), limits_table()


def test_every_limit_of_programs_is_in_the_table() -> None:
    values = {most for _, most, _ in LIMITS}
    rooms = [*(ROOT / "cnndsl" / "passes").rglob("*.py"), *(ROOT / "cnndsl" / "syntax").rglob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in rooms)
    names = set(re.findall(r"^(MOST_[A-Z_]+) =", text, re.MULTILINE))
    listed = (ROOT / "cnndsl" / "reference" / "limits.py").read_text("utf-8")
    inner = {"MOST_CHARACTERS", "MOST_WRONG_SIGNS", "MOST_POSITIONAL"}
    assert {name for name in names if name not in listed} == inner
    assert len(values) > 8


def test_the_tables_are_large_enough() -> None:
    assert len(words()) + len(meanings()) >= 300


IN = "input 16×32×32\na = ReLU\nb = SiLU\n"


@pytest.mark.parametrize("write", sorted({word.write for word in words().values() if word.write}))
def test_what_a_foreign_word_is_said_to_be_builds(write: str) -> None:
    if write.startswith(("input", "output", "model")):
        return
    start = {"LayerScale": "b", "ClassToken": "b → ToTokens", "Attention": "b → ToTokens"}
    first = next((text for word, text in start.items() if word in write), "b")
    first = "b → ToTokens" if write == "PosEmbed" else first
    use = "use SE from squeeze_excitation\n" if write.startswith("SE(") else ""
    body = (
        f"{write} → ReLU"
        if write.startswith(("add{ a", "cat", "mul", "sub", "max", "mean", "div", "min"))
        else f"{first} → {write}"
    )
    if write.startswith("matmul"):
        body = "matmul{ a | b }"
    if write == "Split(2)":
        body = "(c, d) = b → Split(2)\nc → ReLU"
    if write == "Reshape(8, 4, 4)":
        body = "b → Reshape(64, 16, 16)"
    if write == "Reshape(1, 8, 8)":
        body = "b → Reshape(16, 1, 32, 32)"
    if write == "Conv3x3x3(64)":
        body = "b → Reshape(4, 4, 32, 32) → Conv3x3x3(64)"
    try:
        assert parse_text(use + IN + body).graph
    except CnnError as error:
        raise AssertionError(f"{body}: {error}") from None


@pytest.mark.parametrize("name", sorted(words()))
def test_no_word_of_ours_is_foreign(name: str) -> None:
    op = registry().get(name)
    word = foreign(name)
    assert word is not None
    assert op is None or name in word.write or not word.write


def test_arguments_are_of_layers() -> None:
    known = {name for op in registry().values() for name in op.model_fields}
    ours = {n for meaning in meanings().values() if meaning.startswith("=") for n in meaning[1:].split()}
    assert ours <= known
