"""Guards the recipe for coloured cells in `docs/distribution.md`: the page that nbconvert makes, with the settings that the recipe names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

RECIPE = Path(__file__).resolve().parents[1] / "docs" / "distribution.md"
CELL = "%%cnn small --input 3x8x8\ninput 3×8×8\nConv3x3(4) → ReLU  # first"


def settings() -> Any:
    """The lines of the recipe, as nbconvert reads them from its file of settings."""
    config = pytest.importorskip("traitlets.config").Config()
    (recipe,) = re.findall(r"^```text\n(c\.Highlight.*?)^```", RECIPE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    exec(compile(recipe, str(RECIPE), "exec"), {"c": config})
    return config


def cells(config: Any) -> list[str]:
    """What the page shows of a network's cell and of a cell of Python."""
    nbformat = pytest.importorskip("nbformat")
    nbconvert = pytest.importorskip("nbconvert")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(CELL), nbformat.v4.new_code_cell("x = 1")],
        metadata={"language_info": {"name": "python", "pygments_lexer": "ipython3"}},
    )
    page, _ = nbconvert.HTMLExporter(config=config).from_notebook_node(notebook)
    return re.findall(r'<div class="highlight[^>]*><pre>(.*?)</pre>', page, re.DOTALL)


def test_a_cell_of_a_network_has_the_colours_of_the_language() -> None:
    network, python = cells(settings())
    for coloured in ('<span class="nb">Conv3x3</span>', '<span class="nb">ReLU</span>', '<span class="c1"># first'):
        assert coloured in network
    assert '<span class="kd">input</span>' in network.splitlines()[1]
    assert re.sub("<[^>]*>", "", network).strip() == CELL
    assert '<span class="mi">1</span>' in python


def test_without_the_recipe_a_cell_of_a_network_is_plain() -> None:
    network, _ = cells(None)
    assert "Conv3x3(4) → ReLU" in network
