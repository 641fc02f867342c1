"""What quantising costs trained networks, as `docs/quantization.md` says: `docs/quantization/study.py`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tests.published.trained import entry_of, photograph

STUDY = Path(__file__).parents[2] / "docs" / "quantization" / "study.py"


def study() -> Any:
    spec = importlib.util.spec_from_file_location("study", STUDY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.slow
def test_efficientnet_lite0_says_of_photographs_what_it_says_in_float32() -> None:
    entry_of("efficientnet_lite0:imagenet")
    rows = study().lite0(photograph("coffee.png").parent)
    _, by, db, same, *_ = cells(next(rows))
    assert by == "cnndsl"
    assert float(db) > 21
    assert float(same.rstrip("%")) > 93


@pytest.mark.slow
def test_lenet_recognises_as_many_digits_as_in_float32() -> None:
    _, _, db, _, right, before = cells(next(study().digits()))
    assert float(db) > 40
    assert float(before.rstrip("%")) - float(right.rstrip("%")) <= 0.3
