"""What PyTorch code writes out in several operations, as timm's networks do: read as layers, or as the arithmetic that it is."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

import cnndsl


class RootMeanSquare(nn.Module):  # type: ignore[misc]
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(channels) + 0.5)

    def forward(self, x: Any) -> Any:
        return x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-5) * self.weight.reshape(1, -1, 1, 1)


class FilterResponse(nn.Module):  # type: ignore[misc]
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(channels) + 0.5)
        self.bias = nn.Parameter(torch.randn(channels))
        self.tau = nn.Parameter(torch.randn(channels))

    def forward(self, x: Any) -> Any:
        x = x * x.square().mean((2, 3), keepdim=True).add(1e-5).rsqrt().expand(x.shape)
        x = x * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return torch.maximum(x, self.tau.reshape(1, -1, 1, 1))


class GroupDeviation(nn.Module):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        parts = x.reshape(x.shape[0], 4, 2, *x.shape[2:])
        std = parts.var((2, 3, 4), unbiased=False, keepdim=True).add(1e-5).sqrt()
        return x * x.sigmoid() / std.expand(parts.shape).reshape(x.shape)


class Deviation(nn.Module):  # type: ignore[misc]
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(channels) + 0.5)

    def forward(self, x: Any) -> Any:
        x = x.permute(0, 2, 3, 1)
        return (x * torch.rsqrt(x.var(-1, keepdim=True) + 1e-6) * self.weight).permute(0, 3, 1, 2)


class ShiftedPool(nn.Module):  # type: ignore[misc]
    """As NASNet's second path: the last windows lie in the padding alone."""

    def __init__(self) -> None:
        super().__init__()
        self.pad = nn.ZeroPad2d((-1, 1, -1, 1))
        self.pool = nn.AvgPool2d(1, stride=2, count_include_pad=False)

    def forward(self, x: Any) -> Any:
        return self.pool(self.pad(x))


class Blur(nn.Module):  # type: ignore[misc]
    def __init__(self, channels: int) -> None:
        super().__init__()
        row = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("filt", (row[:, None] * row).expand(channels, 1, 3, 3).clone(), persistent=False)

    def forward(self, x: Any) -> Any:
        return functional.conv2d(functional.pad(x, (1, 1, 1, 1)), self.filt, stride=2, groups=x.shape[1])


class FiltersOfExamples(nn.Module):  # type: ignore[misc]
    """As CondConv: each example has its own mixture of the experts' filters."""

    def __init__(self, before: int, after: int, window: int, groups: int) -> None:
        super().__init__()
        self.shape = (after, before // groups, window, window)
        self.groups = groups
        self.routing = nn.Linear(before, 3)
        self.weight = nn.Parameter(torch.randn(3, after * before // groups * window * window))

    def forward(self, x: Any) -> Any:
        batch, channels, height, width = x.shape
        mixture = torch.sigmoid(self.routing(x.mean((2, 3))))
        weight = torch.matmul(mixture, self.weight).view(batch * self.shape[0], *self.shape[1:])
        x = x.reshape(1, batch * channels, height, width)
        x = functional.conv2d(x, weight, None, 1, self.shape[-1] // 2, 1, self.groups * batch)
        return x.permute(1, 0, 2, 3).view(batch, self.shape[0], height, width)


class Positions(nn.Module):  # type: ignore[misc]
    """Positions' weights are enlarged to the size that they have already, as where a size could change."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Parameter(torch.randn(17, 8))

    def forward(self, x: Any) -> Any:
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([x.mean(1, keepdim=True), x], 1)
        first, rest = self.embed[None, :1], self.embed[None, 1:]
        rest = rest.reshape(1, 4, 4, 8).permute(0, 3, 1, 2)
        rest = functional.interpolate(rest, size=(4, 4), mode="bicubic", antialias=True, align_corners=False)
        return x + torch.cat([first, rest.permute(0, 2, 3, 1).reshape(1, 16, 8)], 1)


class Added(nn.Module):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        return torch.relu(x + 0)


class Windows(nn.Module):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        return functional.unfold(x, 3, padding=1, stride=2).transpose(1, 2)


CASES = {
    "root mean square": (nn.Sequential(RootMeanSquare(8)), ["RMSNorm"]),
    "filter response": (FilterResponse(8), ["Square", "GlobalAvgPool", "Sqrt", "LayerScale", "Weight", "max"]),
    "deviation in groups": (GroupDeviation(), ["Square", "Sqrt", "SiLU", "div"]),
    "deviation of the channels": (Deviation(8), ["Square", "Sum", "Sqrt", "LayerScale"]),
    "a window in the padding alone": (ShiftedPool(), ["Slice", "Pad", "AvgPool"]),
    "a blur that begins at zeros": (Blur(8), ["BlurPool"]),
    "filters for each example": (FiltersOfExamples(8, 4, 1, 1), ["matmul", "Weight"]),
    "windows of filters for each example": (FiltersOfExamples(8, 8, 3, 8), ["matmul", "Weight", "Unfold"]),
    "positions of the same size": (Positions(), ["ToTokens", "Mean", "cat", "Weight", "add"]),
    "nothing added": (Added(), ["ReLU"]),
    "windows as tokens": (Windows(), ["Unfold", "ToTokens"]),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_what_is_written_out_is_read(case: str) -> None:
    module, wanted = CASES[case]
    torch.manual_seed(0)
    size = (8, 4, 4) if isinstance(module, Positions) else (8, 6, 6)
    net = cnndsl.from_torch(module.eval(), size)
    words = {node.op.word for node in net.graph.nodes}
    assert {*wanted} <= words, net.text
    assert len(wanted) > 1 or words == {*wanted}
    error = net.report.max_rel_error_given
    assert error is not None
    assert error <= 1e-6
