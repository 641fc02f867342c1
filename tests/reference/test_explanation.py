"""Guards `reference/explanation.py`. The generated page of layers is the one that is kept, and documents every
argument.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import cnndsl.ops  # noqa: F401  (fills the registry)
from cnndsl.ir.op import Op, registry
from cnndsl.passes.values.functions import FUNCTIONS
from cnndsl.reference.explanation import arguments_of, explain, layers_page, nearest_words

PAGE = Path(__file__).resolve().parents[2] / "docs" / "layers.md"


def test_the_page_of_layers_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == layers_page(), "run `make docs`"


@pytest.mark.parametrize("op", registry().values(), ids=lambda op: op.word)
def test_every_layer_says_what_it_does_and_what_it_takes(op: type[Op]) -> None:
    page = explain(op.word)
    assert page is not None
    assert op.__doc__
    assert all(argument.doc for argument in arguments_of(op))
    assert all(f"**{name}**" in page for name in op.arguments())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_explained(name: str) -> None:
    assert FUNCTIONS[name].usage in (explain(name) or "")


def test_other_words_get_the_nearest() -> None:
    assert explain("Convolutionn") is None
    assert nearest_words("relu")[0] == "ReLU"
    assert nearest_words("shape-missmatch")[0] == "shape-mismatch"
