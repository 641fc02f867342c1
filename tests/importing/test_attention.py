"""Attention as transformers write it: heads as an axis, windows in the batch, tables by position; all become plain layers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

import cnndsl
from cnndsl.importing.plain.batch import batch_first
from cnndsl.importing.readers.torch_export import BATCH, trace_module


class Heads(nn.Module):  # type: ignore[misc]
    """Queries, keys and values from one linear layer, as in timm: the batch is second for a while."""

    def __init__(self, fused: bool = True, windows: bool = False, table: bool = False) -> None:
        super().__init__()
        self.fused, self.windows = fused, windows
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)
        self.table = None
        if table:
            self.table = nn.Parameter(torch.randn(9, 2))
            y, x = torch.meshgrid(torch.arange(2), torch.arange(2), indexing="ij")
            y, x = y.flatten(), x.flatten()
            index = (y[:, None] - y[None] + 1) * 3 + x[:, None] - x[None] + 1
            self.register_buffer("index", index, persistent=False)

    def forward(self, image: Any) -> Any:
        x = image.permute(0, 2, 3, 1)
        b, h, w, c = x.shape
        if self.windows:
            x = x.view(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, c)
        else:
            x = x.reshape(b, -1, c)
        n = x.shape[1]
        q, k, v = self.qkv(x).reshape(-1, n, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        bias = None
        if self.table is not None:
            bias = self.table[self.index.view(-1)].view(4, 4, -1).permute(2, 0, 1).unsqueeze(0)
        if self.fused:
            y = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        else:
            scores = (q * 0.5) @ k.transpose(-2, -1)
            y = (scores if bias is None else scores + bias).softmax(-1) @ v
        y = self.proj(y.transpose(1, 2).reshape(-1, n, c))
        if self.windows:
            y = y.view(b, h // 2, w // 2, 2, 2, c).permute(0, 1, 3, 2, 4, 5)
        return y.reshape(b, h, w, c).permute(0, 3, 1, 2)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(("windows", "table"), [(False, False), (True, False), (True, True)])
def test_attention_with_heads_is_attend(fused: bool, windows: bool, table: bool) -> None:
    torch.manual_seed(0)
    net = cnndsl.from_torch(Heads(fused, windows, table).eval(), (8, 4, 4))
    words = [node.op.word for node in net.graph.nodes]
    assert words.count("attend") == 1
    assert words.count("RelPos") == table
    assert "Softmax" not in words
    assert net.report.max_rel_error is not None
    assert net.report.max_rel_error <= 1e-5


class Spread(nn.Module):  # type: ignore[misc]
    """A gate that is spread over the map, branches that are stacked, and tensors without a layer of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Conv1d(1, 1, 3, padding=1)
        self.shift = nn.Parameter(torch.randn(1))
        self.by = nn.Parameter(torch.randn(1, 3, 6, 6))
        self.register_buffer("grid", torch.arange(6.0)[None, None, None], persistent=False)

    def forward(self, x: Any) -> Any:
        gate = self.gate(x.mean((2, 3)).view(x.shape[0], 1, -1)).view(x.shape[0], -1, 1, 1)
        y = x * gate.expand_as(x)
        z = torch.stack([x - self.by, y * self.grid / 2, y + self.shift], 0).mean(0)
        return functional.pad(z.flatten(2), (0, 1), value=1.0)


def test_arithmetic_with_what_does_not_depend_on_the_input_has_layers_for_it() -> None:
    torch.manual_seed(0)
    net = cnndsl.from_torch(Spread().eval(), (3, 6, 6))
    words = [node.op.word for node in net.graph.nodes]
    assert (words.count("Weight"), words.count("Const"), words.count("mean")) == (2, 1, 1)
    assert net.report.max_rel_error is not None
    assert net.report.max_rel_error <= 1e-6


class Mixed(nn.Module):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        return x - x.mean(0, keepdim=True)


def test_what_mixes_examples_is_refused() -> None:
    with pytest.raises(cnndsl.CnnError, match="cannot-import") as caught:
        cnndsl.from_torch(Mixed().eval(), (3, 6, 6))
    assert any("mixes the batch" in note or "over the batch" in note for note in caught.value.diagnostics[0].notes)


def test_each_tensor_has_the_batch_first() -> None:
    trace = trace_module(Heads(windows=True), [((8, 4, 4), "float32")], "heads")
    assert {node.shape[0] for node in trace.nodes if node.shape} != {BATCH}
    moved = batch_first(trace)
    assert {node.shape[0] for node in moved.nodes if node.shape} == {BATCH}
    assert all(shape[0] == BATCH for node in moved.nodes for shape in node.parts)
