"""Blocks of imported programs: what instances of a class differ in is said by parameters, conditions and sizes that arrive."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

import cnndsl


class Tree(nn.Module):  # type: ignore[misc]
    """A class that holds itself, as DLA's trees do: the outer ones hand the inner ones two tensors."""

    def __init__(self, channels: int, levels: int) -> None:
        super().__init__()
        inner = (
            (lambda: nn.Conv2d(channels, channels, 3, padding=1)) if levels == 1 else lambda: Tree(channels, levels - 1)
        )
        self.levels = levels
        self.first, self.second = inner(), inner()
        self.root = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Any, beside: Any = None) -> Any:
        a = self.first(x)
        b = self.second(a) if self.levels == 1 else self.second(a, x)
        y = self.root(torch.cat([a, b], 1))
        return y if beside is None else y + beside


class Scaled(nn.Module):  # type: ignore[misc]
    def __init__(self, channels: int, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Any) -> Any:
        return x + self.conv(torch.relu(x)) * self.factor


class Stepping(nn.Module):  # type: ignore[misc]
    """The step is a number in the shortcut alone, which some instances lack."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(before, 2 * before, 1)
        self.down = nn.Conv2d(2 * before, 2 * before, 3, stride, 1, groups=2 * before) if stride > 1 else None
        self.project = nn.Conv2d(2 * before, channels, 1)
        self.shortcut = nn.Conv2d(before, channels, 1, stride) if stride > 1 or before != channels else None

    def forward(self, x: Any) -> Any:
        y = torch.relu(self.expand(x))
        if self.down is not None:
            y = self.down(y)
        return self.project(y) + (x if self.shortcut is None else self.shortcut(x))


class Padded(nn.Module):  # type: ignore[misc]
    def __init__(self, pad: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=pad)
        self.bn = nn.BatchNorm2d(4)

    def forward(self, x: Any) -> Any:
        return torch.relu(self.bn(self.conv(x)))


class Shifted(nn.Module):  # type: ignore[misc]
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Conv2d(channels, channels, 1)
        self.bias = nn.Parameter(torch.randn(channels))

    def forward(self, x: Any) -> Any:
        return torch.maximum(self.scale(x), self.bias.view(1, -1, 1, 1))


class Exchange(nn.Module):  # type: ignore[misc]
    """Two levels that read each other, as HRNet's; the next stage reads the last one first."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 3, 2, 1)

    def forward(self, x: list[Any]) -> list[Any]:
        fine, coarse = x
        up = nn.functional.interpolate(self.up(coarse), scale_factor=2.0)
        return [torch.relu(fine + up), torch.relu(self.down(fine) + coarse)]


class Exchanges(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse, self.last = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 4, 1)
        self.stages = nn.ModuleList(Exchange() for _ in range(3))

    def forward(self, x: Any) -> Any:
        levels = [self.fine(x), self.coarse(x)]
        for stage in self.stages:
            levels = stage(levels)
        deep = self.last(levels[1])
        return levels[0].mean((2, 3)) + deep.mean((2, 3))


def text_of(module: nn.Module, *size: int) -> str:
    net = cnndsl.from_torch(module.eval(), size, name="small")
    assert net.report.form == "blocks", net.text
    assert (net.report.max_rel_error_given or 0) <= 1e-6
    return net.text


def test_a_class_that_stands_in_itself_is_a_block_for_each_depth() -> None:
    text = text_of(nn.Sequential(Tree(4, 2), Tree(4, 2), nn.Conv2d(4, 4, 3)), 4, 6, 6)
    assert "block Tree " in text
    assert "Tree2" in text
    assert text.rpartition("input")[2].strip().endswith("Tree2_2×2 → Conv3x3(pad=valid)")


def test_a_number_in_a_sum_or_product_is_a_parameter() -> None:
    text = text_of(nn.Sequential(*(Scaled(4, factor) for factor in (0.5, 0.25, 0.125))), 4, 6, 6)
    assert "block Scaled(factor)" in text
    assert "Scaled(factor) for factor in [0.5, 0.25, 0.125]" in text


def test_a_step_that_matters_nowhere_else_is_one_where_its_part_is_not() -> None:
    steps = [Stepping(4, 8, 2), Stepping(8, 8, 1), Stepping(8, 8, 2), Stepping(8, 16, 1), Stepping(16, 16, 1)]
    text = text_of(nn.Sequential(*steps), 4, 16, 16)
    assert text.count("if stride ≠ 1") == 2
    assert "if stride ≠ 1 or in.channels ≠ channels" in text
    assert text.count("block ") == 1


def test_a_word_is_a_parameter_in_quotation_marks() -> None:
    text = text_of(nn.Sequential(Padded(1), Padded(1), Padded(1), Padded(2), Padded(0)), 4, 9, 9)
    assert 'block Padded(pad="same")' in text
    assert 'Padded(pad) for pad in ["same", "same", "same", 2, "valid"]' in text


def test_a_shape_is_said_by_the_channels_that_arrive() -> None:
    widen = [nn.Conv2d(4, 8, 1), nn.Conv2d(8, 12, 1)]
    text = text_of(nn.Sequential(Shifted(4), widen[0], Shifted(8), widen[1], Shifted(12)), 4, 6, 6)
    assert "Weight(shape=(in.channels,)) → Reshape(in.channels, 1, 1)" in text


def test_modules_of_one_class_give_their_levels_in_one_order() -> None:
    text = text_of(Exchanges(), 3, 8, 8)
    assert text.count("block ") == 1


def test_a_layer_may_have_a_long_label() -> None:
    names = ["a_module_with_a_long_name", "and_another_one_inside_of_it", "which_holds_the_convolution"]
    module: Any = nn.Conv2d(3, 4, 3)
    for name in reversed(names):
        around = nn.Sequential()
        around.add_module(name, module)
        module = around
    text = cnndsl.from_torch(module.eval(), (3, 8, 8), flat=True).text
    assert f"{'.'.join(names)}: Conv3x3(" in text
