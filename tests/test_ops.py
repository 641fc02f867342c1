"""Guards `ops/` and `ir/op.py`. The house's rule of one file a layer, and the registry that finds it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cnndsl.ops  # noqa: F401  (fills the registry)
from cnndsl.ir.op import find, registry


@pytest.mark.parametrize("word", sorted(registry()))
def test_a_layer_is_in_the_file_of_its_name(word: str) -> None:
    op = registry()[word]
    assert op.__module__.rpartition(".")[2].removesuffix("_merge").replace("_", "") == word.lower()


@pytest.mark.parametrize("word", sorted(registry()))
def test_every_argument_is_documented(word: str) -> None:
    op = registry()[word]
    assert set(op.documentation()) >= {*op.arguments(), *({"window"} & set(op.model_fields))}
    assert op.examples
    assert op.__doc__


def test_only_the_files_of_words_that_are_met_are_read() -> None:
    code = (
        "import sys; from cnndsl.pipeline import parse_text; parse_text('input 3×8×8\\nConv3x3(4) → ReLU6');"
        "print(sorted(m.rpartition('.')[2] for m in sys.modules if m.startswith('cnndsl.ops.')))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['conv', 'relu6']"


def test_a_word_nobody_has_is_not_found() -> None:
    assert find("Conv4D") is None
    assert find("conv") is None
