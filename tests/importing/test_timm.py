"""timm's networks, the two smallest of each family that comes in: as programs, with their own outputs. tests/importing/timm_smallest.json
has their names and how many lines each was written in; `tests.importing.coverage write` writes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnndsl.importing.from_torch import import_module
from cnndsl.importing.libraries.named import named
from tests.oracle import torchvision_models

SMALLEST: dict[str, dict[str, int]] = json.loads((Path(__file__).parent / "timm_smallest.json").read_text())
FAST = ("dla46_c",)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        pytest.param(name, lines, id=name, marks=[] if name in FAST else pytest.mark.slow)
        for own in SMALLEST.values()
        for name, lines in own.items()
    ],
)
def test_a_network_of_timm_is_imported_right(name: str, lines: int) -> None:
    torchvision_models()
    pytest.importorskip("timm")
    found = named(f"timm:{name}", {})
    report = import_module(found.module, [(found.size, "float32")], "net", found.origin).report
    assert report.lines <= 1.1 * lines
    assert report.max_rel_error is not None
    assert report.max_rel_error <= 1e-4
