"""Modules as programs: the texts that they become, what is proved of them, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import cnndsl
from cnndsl.diagnostics.errors import CnnError


class Residual(nn.Module):  # type: ignore[misc]
    def __init__(self, before: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1 or before != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Any) -> Any:
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class Small(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(Residual(3, 16), Residual(16, 16), Residual(16, 16))
        self.layer2 = nn.Sequential(Residual(16, 32, 2), Residual(32, 32))
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Any) -> Any:
        return self.fc(self.layer2(self.layer1(x)).mean((2, 3)))


SMALL = """\
# small, imported from PyTorch's Small.

default Conv(bias=false)

block Residual(channels, stride=1) {
  add{
    conv1: Conv3x3(channels, stride=stride) → bn1: BN → ReLU → conv2: Conv3x3 → bn2: BN
  | downsample: [Conv1x1(channels, stride=stride) → BN] if stride ≠ 1 or in.channels ≠ channels
      else id
  }
  → ReLU
}

input 3×32×32

layer1: [Residual(16)×3] → layer2: [Residual(32, stride=2) → Residual(32)] → GlobalAvgPool
→ fc: FC(10)
"""


def test_a_residual_network_reads_as_a_person_writes_it() -> None:
    module = Small().eval()
    net = cnndsl.from_torch(module, (3, 32, 32))
    assert net.text == SMALL
    assert net.report.form == "blocks"
    assert (net.report.max_rel_error, net.report.max_rel_error_given) == (0.0, 0.0)
    net.to_torch().load_state_dict(module.state_dict(), strict=True)


def test_the_module_stays_as_it_is() -> None:
    module = Small().train()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    cnndsl.from_torch(module, torch.zeros(1, 3, 32, 32))
    assert module.training
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())


def test_a_flat_text_has_chains_alone() -> None:
    net = cnndsl.from_torch(Small().eval(), (3, 32, 32), flat=True)
    assert net.report.form == "flat"
    assert "block" not in net.text
    assert "layer2.0.downsample.1: BN" in net.text


class Grown(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.grown = nn.ModuleList(nn.Conv2d(4 + 2 * n, 2, 3, padding=1) for n in range(4))

    def forward(self, x: Any) -> Any:
        maps = [x]
        for layer in self.grown:
            maps.append(layer(torch.cat(maps, 1)))
        return torch.cat(maps, 1)


def test_a_list_that_grows_is_a_repeat() -> None:
    net = cnndsl.from_torch(Grown().eval(), (4, 8, 8))
    assert "grown: [cat{ id | Conv3x3(2) }×4]" in net.text


class InPlace(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Any) -> Any:
        y = self.conv(x)
        z = torch.relu_(y)
        return torch.cat([y, z], 1)


def test_what_is_changed_in_place_is_changed_for_all_its_readers() -> None:
    net = cnndsl.from_torch(InPlace().eval(), (3, 8, 8))
    assert [node.op.word for node in net.graph.nodes] == ["Conv", "ReLU", "cat"]


class Rotated(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)

    def forward(self, x: Any) -> Any:
        return torch.cumsum(torch.cumsum(self.stem(x), 2), 3).cumprod(2)


def test_all_that_has_no_counterpart_is_named_with_its_place() -> None:
    with pytest.raises(CnnError) as caught:
        cnndsl.from_torch(Rotated().eval(), (3, 8, 8))
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.id, diagnostic.message) == (
        "cannot-import",
        "`PyTorch's Rotated` cannot be said in the language: 3 of its operations have no counterpart",
    )
    assert diagnostic.notes == ("cumsum (2×)", "cumprod (1×)")


class Chosen(nn.Module):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        return x if x.sum() > 0 else -x


class HalfInside(nn.Module):  # type: ignore[misc]
    """What is computed under autocast is an operation with a body of its own in the exported program."""

    def __init__(self, enabled: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.enabled = enabled

    def forward(self, x: Any) -> Any:
        with torch.autocast("cpu", enabled=self.enabled):
            return torch.relu(self.conv(x))


def test_an_operation_with_a_body_is_refused_by_its_name() -> None:
    with pytest.raises(CnnError) as raised:
        cnndsl.from_torch(HalfInside(True), (3, 8, 8))
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.id == "cannot-import"
    assert any("autocast" in note for note in diagnostic.notes), diagnostic.notes


def test_an_operation_with_a_body_that_changes_nothing_is_its_body() -> None:
    net = cnndsl.from_torch(HalfInside(False).eval(), (3, 8, 8))
    assert [node.op.word for node in net.graph.nodes] == ["Conv", "ReLU"]


def test_control_flow_on_numbers_is_refused() -> None:
    with pytest.raises(CnnError, match=r"torch\.export cannot follow its forward"):
        cnndsl.from_torch(Chosen().eval(), (3, 8, 8))


class Heads(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.aux = nn.Conv2d(8, 2, 1)
        self.fc = nn.Linear(8, 2)

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        y = self.fc(x.mean((2, 3)))
        return (y, self.aux(x)) if self.training else y


def test_heads_that_only_training_has_are_outputs_of_training() -> None:
    net = cnndsl.from_torch(Heads().eval(), (3, 8, 8))
    assert [output.training for output in net.graph.outputs] == [False, True]
    assert {entry.node for entry in net.graph.weights} == {"stem", "aux", "fc"}


class Spare(nn.Module):  # type: ignore[misc]
    """A convolution whose result nobody reads, one that never runs, or a constant that its code makes."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.conv = nn.Conv2d(3, 4, 3)
        self.spare = nn.Conv2d(4, 5, 1) if kind != "constant" else nn.Identity()

    def forward(self, x: Any) -> Any:
        y = self.conv(x)
        if self.kind == "dead end":
            torch.relu(self.spare(y))
        if self.kind == "constant":
            y = torch.maximum(y, torch.tensor([0.5, 1, 2, 3], device=y.device).reshape(4, 1, 1))
        return y.tanh()


def test_a_layer_that_nobody_reads_is_kept_with_its_weights() -> None:
    net = cnndsl.from_torch(Spare("dead end"), (3, 8, 8))
    assert [entry.key for entry in net.graph.weights] == ["conv.weight", "conv.bias", "spare.weight", "spare.bias"]
    assert "unread = conv → spare: Conv1x1(5)" in net.text
    assert [output.name for output in net.graph.outputs] == ["tanh"]


def test_weights_that_no_forward_takes_are_told() -> None:
    with pytest.raises(CnnError, match="it holds weights that its forward never takes") as caught:
        cnndsl.from_torch(Spare("idle"), (3, 8, 8))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.notes == ("found: `spare.weight`, `spare.bias`",)


def test_constants_that_code_makes_have_their_numbers_where_the_weights_have_none() -> None:
    with_numbers = cnndsl.from_torch(Spare("constant"), (3, 8, 8))
    without = cnndsl.from_torch(Spare("constant").to("meta"), (3, 8, 8))
    assert without.text == with_numbers.text
    assert "Const(values=(((0.5,),), ((1,),), ((2,),), ((3,),)))" in without.text
    assert without.arrays is None


class Separable(nn.Module):  # type: ignore[misc]
    """Keras' layer as PyTorch has it."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.ModuleDict(
            {"depthwise": nn.Conv2d(3, 3, 3, 2, 1, groups=3, bias=False), "pointwise": nn.Conv2d(3, 8, 1, bias=False)}
        )

    def forward(self, x: Any) -> Any:
        return self.block["pointwise"](self.block["depthwise"](x))


def test_a_depthwise_and_a_pointwise_convolution_are_one_layer() -> None:
    net = cnndsl.from_torch(Separable(), (3, 8, 8))
    assert "block: SepConv3x3(8, 2, bias=false)" in net.text
    assert net.report.max_rel_error == 0.0
