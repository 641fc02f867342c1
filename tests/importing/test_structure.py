"""The structure of imported programs: shared modules, several tensors at an end, loops, brackets without a class."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import cnndsl
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.importing.from_torch import import_module
from cnndsl.importing.libraries.named import named
from cnndsl.pipeline import load
from tests.importing.same_graph import difference


class Pyramid(nn.Module):  # type: ignore[misc]
    """From the deepest map upwards, each is added to the one before it."""

    def __init__(self, widths: list[int], channels: int) -> None:
        super().__init__()
        self.inner = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in widths)
        self.outer = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in widths)

    def forward(self, maps: list[Any]) -> list[Any]:
        last = self.inner[-1](maps[-1])
        found = [self.outer[-1](last)]
        for n in range(len(maps) - 2, -1, -1):
            last = self.inner[n](maps[n]) + nn.functional.interpolate(last, size=maps[n].shape[-2:])
            found.insert(0, self.outer[n](last))
        return found


class Head(nn.Module):  # type: ignore[misc]
    """One set of weights for all levels."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *(nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU()) for _ in range(2))
        )
        self.scores = nn.Conv2d(channels, classes, 1)
        self.boxes = nn.Conv2d(channels, 4, 1)

    def forward(self, maps: list[Any]) -> dict[str, Any]:
        read = [self.conv(x) for x in maps]
        scores = [self.scores(x).permute(0, 2, 3, 1).flatten(1, 2) for x in read]
        boxes = [self.boxes(x).permute(0, 2, 3, 1).flatten(1, 2) for x in read]
        return {"scores": torch.cat(scores, 1), "boxes": torch.cat(boxes, 1)}


class Detector(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList(nn.Conv2d(3 if n == 0 else 8 * n, 8 * n + 8, 3, 2, 1) for n in range(3))
        self.pyramid = Pyramid([8, 16, 24], 8)
        self.head = Head(8, 5)

    def forward(self, x: Any) -> Any:
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return self.head(self.pyramid(maps))


DETECTOR = """\
# detector, imported from PyTorch's Detector.

block Pyramid takes stages_0, stages_1, stages_2 {
  outer_0 = stages_2 → inner: [
    2: Conv1x1(8) as inner_2 → Upsample(2) → add{ stages_1 → 1: Conv1x1(8) | id } as t1
    → Upsample(2) → add{ stages_0 → 0: Conv1x1 | id }
  ]
    → outer.0: Conv3x3
  outer_1 = t1 → outer.1: Conv3x3
  outer_2 = inner_2 → outer.2: Conv3x3
  output outer_0, outer_1, outer_2
}

block Head takes levels[] {
  share conv = [0: [Conv3x3 → ReLU] → 1: [Conv3x3 → ReLU]]
  share scores = Conv1x1(5)
  share boxes = Conv1x1(4)
  t1 = cat(axis=0){
    level → conv as conv_maps[] → scores → Permute(1, 2, 0) → Reshape(-1, 5) for level in levels
  }
  t2 = cat(axis=0){ level → boxes → Permute(1, 2, 0) → Reshape(-1, 4) for level in conv_maps }
  output t1, t2
}

input 3×64×64

stages_2 = in
  → stages: [
    Conv3x3(8, stride=2) as stages_0 → Conv3x3(16, stride=2) as stages_1 → Conv3x3(24, stride=2)
  ]
levels = (stages_0, stages_1, stages_2) → pyramid: Pyramid
(scores, boxes) = levels → head: Head
output scores, boxes
"""


def test_a_head_that_reads_all_levels_is_a_share_in_a_loop() -> None:
    module = Detector().eval()
    net = cnndsl.from_torch(module, (3, 64, 64))
    assert net.text == DETECTOR
    assert (net.report.form, net.report.max_rel_error) == ("blocks", 0.0)
    net.to_torch().load_state_dict(module.state_dict(), strict=True)


class Twice(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        x = self.conv(torch.relu(self.conv(x)))
        return self.fc(self.fc(x.mean((2, 3))))


def test_a_layer_that_runs_twice_is_a_share() -> None:
    net = cnndsl.from_torch(Twice().eval(), (4, 8, 8))
    assert net.text.splitlines()[2:] == [
        "input 4×8×8",
        "",
        "share conv = Conv3x3",
        "share fc = FC(4)",
        "conv → ReLU → conv → GlobalAvgPool → Flatten → fc×2",
    ]


class Up(nn.Module):  # type: ignore[misc]
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(2 * channels, channels, 2, 2)
        self.conv = nn.Conv2d(2 * channels, channels, 3, padding=1)

    def forward(self, x: Any, skip: Any) -> Any:
        return torch.relu(self.conv(torch.cat([skip, self.up(x)], 1)))


class Down(nn.Module):  # type: ignore[misc]
    def __init__(self, before: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, channels, 3, padding=1)

    def forward(self, x: Any) -> Any:
        x = torch.relu(self.conv(x))
        return x, nn.functional.max_pool2d(x, 2)


class Unet(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = Down(3, 8), Down(8, 16)
        self.middle = nn.Conv2d(16, 32, 3, padding=1)
        self.up2, self.up1 = Up(16), Up(8)

    def forward(self, x: Any) -> Any:
        a, x = self.down1(x)
        b, x = self.down2(x)
        return self.up1(self.up2(self.middle(x), b), a)


def test_blocks_take_and_give_several_tensors() -> None:
    net = cnndsl.from_torch(Unet().eval(), (3, 32, 32))
    assert net.report.form == "blocks"
    assert "block Down(channels) {" in net.text
    assert "block Up(channels) takes " in net.text
    assert "(down1_1, down1_2) = in → down1: Down(8)" in net.text
    assert net.report.max_rel_error == 0.0


def test_brackets_of_a_network_without_classes_become_blocks() -> None:
    graph = load("resnet18").graph
    with torch.device("meta"):
        module = to_torch(graph).eval()
    imported = import_module(module, [((3, 224, 224), "float32")], "resnet18", "built-in")
    assert imported.report.form == "blocks"
    assert imported.report.lines == 13
    assert "block Residual(channels, stride=1) {" in imported.text
    assert difference(graph, imported.graph) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "retinanet_resnet50_fpn",
        "retinanet_resnet50_fpn_v2",
        "fcos_resnet50_fpn",
        "ssd300_vgg16",
        "ssdlite320_mobilenet_v3_large",
        "fasterrcnn_resnet50_fpn",
        "fasterrcnn_mobilenet_v3_large_320_fpn",
    ],
)
def test_torchvisions_detectors_come_in_up_to_their_heads(name: str) -> None:
    from tests.oracle import torchvision_models

    torchvision_models()
    found = named(f"torchvision:{name}", {})
    size = (3, 256, 256) if found.size[1] > 320 else found.size
    imported = import_module(found.module, [(size, "float32")], name, found.origin)
    assert imported.report.form == "blocks"
    assert "takes levels[]" in imported.text
    assert imported.report.max_rel_error is not None
    assert imported.report.max_rel_error <= 1e-5


def test_a_number_that_every_place_takes_from_its_block_is_no_default() -> None:
    class Unit(nn.Module):  # type: ignore[misc]
        def __init__(self, slope: float) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)
            self.act = nn.LeakyReLU(slope)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.add(self.act(self.conv(x)), x)

    network = nn.Sequential(*map(Unit, (0.1, 0.2, 0.3, 0.1))).eval()
    text = import_module(network, [((3, 8, 8), "float32")], "x", "a test").text
    assert "Unit(slope) for slope in [0.1, 0.2, 0.3, 0.1]" in text
