"""Programs that were PyTorch modules in between, which say nothing of blocks: what is hard to find again in them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.importing.from_torch import import_module
from cnndsl.pipeline import parse_text
from tests.importing.same_graph import difference

ATTENDS = "input 8×4×4\nToTokens → attend(2){{ id | id | id | {} }}"


def came_back(text: str) -> str:
    """The program of a program's module; the two have the same graph."""
    graph = parse_text(text, "given.cnn").graph
    inputs = [(entry.type.shape, entry.type.dtype) for entry in graph.inputs]
    imported = import_module(to_torch(graph).eval(), inputs, "net", "there")
    assert difference(graph, imported.graph) == ""
    return imported.text


@pytest.mark.parametrize(
    "biases",
    [
        "table: RelPos(2, 4)",
        "table: RelPos(2, 4, index=levit)",
        "table: Weight([49, 2]) → places: RelPosIndex(4, saved=flat)",
    ],
)
def test_biases_by_position_are_found_in_what_picks_them(biases: str) -> None:
    text = came_back(ATTENDS.format(biases))
    assert ("RelPosIndex" if "saved" in biases else "RelPos(2, 4") in text


def test_a_silenced_branch_is_found_behind_another_layout() -> None:
    text = came_back(
        "input 8×4×4\nadd{ id | Permute(1, 2, 0) → Reshape(16, 8) → Linear → Permute(1, 0) → Reshape(8, 4, 4) → DropPath(0.1) }"
    )
    assert "DropPath(0.1)" in text


def test_a_layer_shared_beside_layers_that_are_not_is_a_line_of_its_module() -> None:
    text = came_back(
        """
block Pool {
  share pool = DWConv3x3(bias=false)
  cat{ Slice(0, 4) → pool | Slice(4, 8) → pool } → norm: LN
}

input 8×4×4
one: Pool → ReLU → two: Pool
"""
    )
    assert text.count("share pool = DWConv3x3") == 2


def test_a_tensor_behind_a_module_is_called_as_the_module() -> None:
    text = came_back(
        """
block Unit { Conv3x3 → ReLU → Conv3x3 }

input 8×4×4
down: Unit → Dropout as kept → MaxPool → up: Unit → Upsample(2) → cat{ kept | id } → out: Conv1x1
"""
    )
    assert "down: Unit → Dropout as down → MaxPool" in text


class Keeping(nn.Module):  # type: ignore[misc]
    """Computes something of its weights once, and again when it was trained."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.randn(8, 1, 1))
        self.kept: torch.Tensor | None = None

    def train(self, mode: bool = True) -> Keeping:
        self.kept = None if mode else self.kept
        return super().train(mode)  # type: ignore[no-any-return]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kept is None:
            self.kept = self.bias.exp()
        return x + self.kept


def test_what_a_module_keeps_of_its_runs_is_neither_imported_nor_changed() -> None:
    module, x = Keeping().eval(), torch.randn(1, 8, 2, 2)
    before = module(x)
    text = import_module(module, [((8, 2, 2), "float32")], "net", "there").text
    assert "Exp" in text
    assert torch.equal(module(x), before)
