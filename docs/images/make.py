"""Draws the pictures of `docs/diagrams.md` beside this file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnndsl import draw_figure, load, read_image, receptive_field_figure, volumes_figure

here = Path(__file__).parent

load("lenet5").draw(here / "lenet5.svg", theme="auto")
load("resnet50").draw(here / "resnet50_depth1.svg", theme="auto", depth=1)
load("resnet50").draw(here / "resnet50.svg", theme="auto")
load("resnet50").draw(here / "resnet50_macs.svg", theme="auto", depth=2, color="macs")
load("inception_v3").draw(here / "inception_v3.svg", theme="auto")
load("densenet121").draw(here / "densenet121.svg", theme="auto")
load("unet").draw(here / "unet.svg", theme="auto", depth=1)
load("unet").draw(here / "unet_full.svg", theme="auto")
load("retinanet_resnet50_fpn").draw(here / "retinanet_depth2.svg", theme="auto", depth=2)
load("retinanet_resnet50_fpn").draw(here / "retinanet.svg", theme="auto")

for name in ("lenet5", "alexnet", "vgg16", "unet"):
    graph = load(name).graph
    draw_figure(lambda: volumes_figure(graph, theme="auto"), here / f"{name}_volumes.svg", "auto")  # noqa: B023

graph = load("vgg16").graph
picture = (read_image(here / "cat.jpg", graph.inputs[0].type.shape).transpose(1, 2, 0) * 255).round().astype(np.uint8)
draw_figure(lambda: receptive_field_figure(graph, picture, theme="auto"), here / "vgg16_rf.svg", "auto")
