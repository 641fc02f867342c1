"""Guards `docs/coming-from-pytorch.md`. What stands beside a layer of PyTorch in its table is the same layer, by its weights and its values."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

import cnndsl
from tests.pages import ROOT

PAGE = (ROOT / "docs" / "coming-from-pytorch.md").read_text("utf-8")
SIZES = {"1d": (16, 9), "3d": (16, 5, 6, 7)}
"""Inputs of 16 channels by the ending of PyTorch's word; others get a map."""


def pairs() -> list[tuple[str, str]]:
    """PyTorch's layers with numbers in their table row, each with what stands beside it."""
    found = []
    for row in re.findall(r"^\| (`nn\..*) \| (`.*) \|$", PAGE, re.MULTILINE):
        theirs, ours = (re.findall(r"`([^`]+)`", cell) for cell in row)
        if len(theirs) == len(ours):
            found += [pair for pair in zip(theirs, ours, strict=True) if re.match(r"nn\.\w+\(", pair[0])]
    return [(theirs, ours) for theirs, ours in found if "Sequential" not in theirs]


def test_the_table_has_pairs() -> None:
    assert len(pairs()) > 10


@pytest.mark.parametrize(("theirs", "ours"), pairs())
def test_a_pair_computes_the_same(theirs: str, ours: str) -> None:
    module = eval(theirs, {"nn": nn})
    size = SIZES.get(theirs.partition("(")[0][-2:], (16, 8, 8))
    if isinstance(module, nn.Linear):
        size = (7, module.in_features)
    elif isinstance(module, nn.LayerNorm):
        size = (16,)
    kind = "tokens " if isinstance(module, nn.Linear) else ""
    net = cnndsl.parse(f"input {kind}{'×'.join(map(str, size))}\n{ours}")
    mine = net.to_torch().eval()
    torch.manual_seed(0)
    state = {key: torch.rand(value.shape).to(value.dtype) for key, value in module.state_dict().items()}
    module.load_state_dict(state)
    mine.load_state_dict(dict(zip(mine.state_dict(), state.values(), strict=True)))
    x = torch.rand(2, *size)
    with torch.inference_mode():
        torch.testing.assert_close(mine(x), module.eval()(x))
