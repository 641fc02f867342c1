"""Guards `cnndsl/notebook.py`: `%%cnn` and networks in Jupyter, on a notebook that is executed by a real kernel."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from cnndsl.notebook import _arguments

CELLS = [
    "%load_ext cnndsl",
    "%%cnn small -P classes=7\nparam classes: int = 10\ninput 3×32×32\nConv3x3(16) → ReLU → GlobalAvgPool → FC(classes)",
    "small.params",
    "%%cnn\ninput 3×8×8\nConv3x3(4) → Rellu",
    "%%cnn two names\ninput 3×8×8\nReLU",
    "import cnndsl; cnndsl.load('lenet5')",
    "%%cnn wide --input 3x16x16\ninput image: 3×8×8\nConv3x3(2, stride=2)",
    "wide.graph.nodes[-1].type.shape",
]


@pytest.fixture(scope="module")
def executed() -> list[Any]:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def result(outputs: list[Any]) -> Any:
    return next(output.data for output in outputs if output.output_type == "execute_result")


def test_a_cell_is_a_network_that_shows_itself_and_is_kept(executed: list[Any]) -> None:
    shown = result(executed[1])
    # 3·16·9 + 16 and 16·7 + 7.
    assert result(executed[2])["text/plain"] == str(448 + 119)
    assert (
        shown["text/plain"] == "<cnndsl network <text>: 3×32×32 → 7, 567 parameters>"
        or "567 parameters" in shown["text/plain"]
    )
    assert "<svg" in shown["text/html"]
    assert "<table>" in shown["text/html"]
    assert result(executed[7])["text/plain"] == "(2, 8, 8)"


def test_what_is_wrong_is_told_without_a_traceback(executed: list[Any]) -> None:
    for outputs, said in ((executed[3], "did you mean `ReLU`?"), (executed[4], "expected one name for the network")):
        assert [output.output_type for output in outputs] == ["stream"]
        assert outputs[0].name == "stderr"
        assert said in outputs[0].text
        assert "Traceback" not in outputs[0].text


def test_any_network_shows_itself(executed: list[Any]) -> None:
    shown = result(executed[5])
    assert {"text/plain", "text/html", "image/svg+xml"} <= set(shown)
    ET.fromstring(shown["image/svg+xml"])


def test_arguments_of_a_cell() -> None:
    assert _arguments('net -P c=3 -P "w=[1, 2]" --input 3x8x8 --input clip=3x4x8x8') == (
        "net",
        {"c": "3", "w": "[1, 2]"},
        {"": "3x8x8", "clip": "3x4x8x8"},
    )
    for wrong in ("a b", "-P", "-P 3", "--input", '"', "1x"):
        with pytest.raises(ValueError):
            _arguments(wrong)
