"""Draws the pictures of `docs/diagrams.md` beside this file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnndsl.arrays.inputs import read_image
from cnndsl.backends.drawing.draw import draw, draw_figure
from cnndsl.backends.drawing.figures.fields import fields
from cnndsl.backends.drawing.figures.volumes import volumes
from cnndsl.pipeline import load

here = Path(__file__).parent

draw(load("lenet5").graph, here / "lenet5.svg", theme="auto")
draw(load("resnet50").graph, here / "resnet50_depth1.svg", theme="auto", depth=1)
draw(load("resnet50").graph, here / "resnet50.svg", theme="auto")
draw(load("resnet50").graph, here / "resnet50_macs.svg", theme="auto", depth=2, color="macs")
draw(load("inception_v3").graph, here / "inception_v3.svg", theme="auto")
draw(load("densenet121").graph, here / "densenet121.svg", theme="auto")
draw(load("unet").graph, here / "unet.svg", theme="auto", depth=1)
draw(load("unet").graph, here / "unet_full.svg", theme="auto")
draw(load("retinanet_resnet50_fpn").graph, here / "retinanet_depth2.svg", theme="auto", depth=2)
draw(load("retinanet_resnet50_fpn").graph, here / "retinanet.svg", theme="auto")

for name in ("lenet5", "alexnet", "vgg16", "unet"):
    graph = load(name).graph
    draw_figure(lambda: volumes(graph, theme="auto"), here / f"{name}_volumes.svg", "auto")  # noqa: B023

graph = load("vgg16").graph
picture = (read_image(here / "cat.jpg", graph.inputs[0].type.shape).transpose(1, 2, 0) * 255).round().astype(np.uint8)
draw_figure(lambda: fields(graph, picture, theme="auto"), here / "vgg16_rf.svg", "auto")
