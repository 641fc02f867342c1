"""Where positions enter attention: rotary embedding, waves, tables with a class token; and what asks for all examples or heads alike."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

import cnndsl
from cnndsl.ops.attend import Attend
from cnndsl.ops.rel_pos import RelPos
from cnndsl.ops.rope import RoPE
from cnndsl.ops.sine_pos import SinePos


class OfTokens(nn.Module):  # type: ignore[misc]
    """A module of tokens, for a map."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Any) -> Any:
        return self.inner(x.flatten(2).transpose(1, 2))


def _table(angles: Any, halves: bool) -> Any:
    return torch.cat([angles, angles], -1) if halves else angles.repeat_interleave(2, -1)


def _axial(height: Any, width: Any, bands: Any, columns_first: bool = False) -> Any:
    """Angles of a map's positions, those of rows first."""
    axes = torch.meshgrid(height, width, indexing="ij")
    return torch.cat([axis.flatten()[:, None] * bands for axis in (axes[::-1] if columns_first else axes)], 1)


class Rotary(nn.Module):  # type: ignore[misc]
    """Attention as timm's EVA has it: queries and keys are turned, the first tokens aside."""

    def __init__(self, angles: Any, halves: bool, heads: int, channels: int, prefix: int) -> None:
        super().__init__()
        self.heads, self.halves, self.prefix = heads, halves, prefix
        self.qkv = nn.Linear(channels, 3 * channels)
        table = _table(angles, halves)
        self.register_buffer("rope", torch.cat([table.sin(), table.cos()], -1), persistent=False)

    def turned(self, x: Any) -> Any:
        sin, cos = self.rope.chunk(2, -1)
        if self.halves:
            first, second = x.chunk(2, -1)
            other = torch.cat([-second, first], -1)
        else:
            other = torch.stack([-x[..., 1::2], x[..., ::2]], -1).reshape(x.shape)
        return x * cos + other * sin

    def forward(self, x: Any) -> Any:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        p = self.prefix
        if p:
            q, k = (torch.cat([t[:, :, :p], self.turned(t[:, :, p:])], 2) for t in (q, k))
        else:
            q, k = self.turned(q), self.turned(k)
        return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c)


def _bands(count: int, base: float) -> Any:
    return base ** (-torch.arange(count) / count)


def _centred(n: int) -> Any:
    return 2 * torch.pi * (2 * (torch.arange(n) + 0.5) / n - 1)


WAYS = {
    "as over the map of training": (
        _axial(torch.arange(4) / 4 * 6, torch.arange(4) / 4 * 6, _bands(4, 10000)),
        (False, 2, 32, 1),
        RoPE(size=4, heads=2, prefix=1, grid=6),
    ),
    "columns first, from one": (
        _axial(torch.arange(3) + 1.0, torch.arange(4) + 1.0, _bands(4, 100), columns_first=True),
        (False, 2, 32, 0),
        RoPE(size=(3, 4), heads=2, base=100, offset=1, order="xy"),
    ),
    "from the middle": (
        _axial(_centred(5), _centred(4), _bands(4, 100)),
        (True, 2, 32, 5),
        RoPE(size=(5, 4), heads=2, prefix=5, base=100, positions="centred", pairs="halves"),
    ),
    "a sequence": (
        torch.arange(10)[:, None] * _bands(8, 10000),
        (True, 1, 16, 0),
        RoPE(size=(10,), pairs="halves"),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_rotary_embedding_is_found_from_its_tables(way: str) -> None:
    angles, (halves, heads, channels, prefix), expected = WAYS[way]
    torch.manual_seed(0)
    module = OfTokens(Rotary(angles, halves, heads, channels, prefix)).eval()
    net = cnndsl.from_torch(module, (channels, len(angles) + prefix))
    assert [node.op for node in net.graph.nodes if isinstance(node.op, RoPE)] == [expected] * 2, net.text
    assert sum(isinstance(node.op, Attend) for node in net.graph.nodes) == 1
    assert net.report.max_rel_error is not None
    assert net.report.max_rel_error <= 1e-5


def test_tables_that_no_rotary_embedding_has_are_not_taken_for_one() -> None:
    angles = torch.rand(8, 8, generator=torch.manual_seed(0))
    net = cnndsl.from_torch(Rotary(angles, True, 1, 16, 0).eval(), (8, 16))
    assert "RoPE" not in net.text


class Waves(nn.Module):  # type: ignore[misc]
    """Positions as EdgeNeXt and XCiT have them, made into a tensor to add by a convolution."""

    def __init__(self, once: bool) -> None:
        super().__init__()
        self.once, self.projection = once, nn.Conv2d(48, 8, 1)

    def forward(self, x: Any) -> Any:
        b, _, h, w = x.shape
        ones = torch.ones(1 if self.once else b, h, w, device=x.device)
        y = ones.cumsum(1) / (h + 1e-6) * 2 * torch.pi
        z = ones.cumsum(2) / (w + 1e-6) * 2 * torch.pi
        places = torch.arange(24, device=x.device)
        by = 10000.0 ** (2 * torch.div(places, 2, rounding_mode="floor") / 24)
        waves = [
            torch.stack([(t[..., None] / by)[..., 0::2].sin(), (t[..., None] / by)[..., 1::2].cos()], 4).flatten(3)
            for t in (y, z)
        ]
        added = self.projection(torch.cat(waves, 3).permute(0, 3, 1, 2))
        return x + (added.repeat(b, 1, 1, 1) if self.once else added)


@pytest.mark.parametrize("once", [True, False])
def test_waves_of_positions_are_a_layer(once: bool) -> None:
    net = cnndsl.from_torch(Waves(once).eval(), (8, 10, 12))
    assert [node.op for node in net.graph.nodes if isinstance(node.op, SinePos)] == [SinePos(channels=48)], net.text
    assert net.report.max_rel_error is not None
    assert net.report.max_rel_error <= 1e-5


class WithToken(nn.Module):  # type: ignore[misc]
    """Biases by relative position with a class token before the positions, as in BEiT."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.table = nn.Parameter(torch.randn(3 * 5 + 3, 2))
        y, x = (axis.flatten() for axis in torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij"))
        index = torch.zeros(7, 7, dtype=torch.int64)
        index[1:, 1:] = (y[:, None] - y + 1) * 5 + x[:, None] - x + 2
        index[0, :], index[:, 0], index[0, 0] = 15, 16, 17
        self.register_buffer("index", index, persistent=False)

    def forward(self, x: Any) -> Any:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        bias = self.table[self.index.view(-1)].view(n, n, -1).permute(2, 0, 1)[None]
        return functional.scaled_dot_product_attention(q, k, v, bias).transpose(1, 2).reshape(b, n, c)


class OneKey(nn.Module):  # type: ignore[misc]
    """Heads that share a key and a value, over a map."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Conv2d(8, 12, 1), nn.Conv2d(8, 4, 1, 2), nn.Conv2d(8, 4, 1, 2)

    def forward(self, x: Any) -> Any:
        b, _, h, w = x.shape
        q = self.q(x).reshape(b, 3, 4, h * w).transpose(-1, -2)
        k, v = (t.reshape(b, 1, 4, -1).transpose(-1, -2) for t in (self.k(x), self.v(x)))
        y = functional.scaled_dot_product_attention(q, k, v)
        return y.transpose(1, 2).reshape(b, h, w, 12).permute(0, 3, 1, 2)


class Pooled(nn.Module):  # type: ignore[misc]
    """A trained token asks all others, as in SigLIP's pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.latent = nn.Parameter(torch.randn(1, 1, 8))
        self.q, self.kv = nn.Linear(8, 8), nn.Linear(8, 16)

    def forward(self, x: Any) -> Any:
        b, n, c = x.shape
        q = self.q(self.latent.expand(b, -1, -1)).reshape(b, 1, 2, 4).transpose(1, 2)
        k, v = self.kv(x).reshape(b, n, 2, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, 1, c)


class ByOffset(nn.Module):  # type: ignore[misc]
    """Scores that are computed from how far two positions lie apart, for every pair of them."""

    def __init__(self) -> None:
        super().__init__()
        self.mapped = nn.Linear(3, 2)
        place = torch.arange(7.0)
        apart = place[None] - place[:, None]
        x, y = apart.repeat(7, 7), apart.repeat_interleave(7, 0).repeat_interleave(7, 1)
        self.register_buffer("apart", torch.stack([x, y, x**2 + y**2], -1)[None], persistent=False)

    def forward(self, x: Any) -> Any:
        scores = self.mapped(self.apart.expand(x.shape[0], -1, -1, -1)).permute(0, 3, 1, 2)
        return x[:, None] + scores.softmax(-1)


CASES: dict[str, tuple[Any, tuple[int, ...], list[str]]] = {
    "a class token among relative positions": (
        OfTokens(WithToken()),
        (8, 7),
        ["Linear", "RelPos", "Slice", "ToTokens", "attend"],
    ),
    "one key for all heads": (OneKey(), (8, 4, 4), ["Conv", "Reshape", "ToMap", "ToTokens", "attend"]),
    "a trained token that asks": (
        OfTokens(Pooled()),
        (8, 5),
        ["Linear", "Reshape", "Slice", "ToTokens", "Weight", "attend"],
    ),
    "scores by offset": (
        ByOffset(),
        (49, 49),
        ["Const", "Linear", "Permute", "RelPosIndex", "Reshape", "Softmax", "add"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_enters_attention_has_layers_for_it(case: str) -> None:
    module, size, wanted = CASES[case]
    torch.manual_seed(0)
    net = cnndsl.from_torch(module.eval(), size)
    assert sorted({node.op.word for node in net.graph.nodes}) == wanted, net.text
    assert net.report.max_rel_error_given is not None
    assert net.report.max_rel_error_given <= 1e-5
    if case == "scores by offset":
        assert "[x, y, y × y + x × x] for x in" in net.text
    if "class token" in case:
        assert RelPos(heads=2, size=(2, 3), token=True) in [node.op for node in net.graph.nodes]
