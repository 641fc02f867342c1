"""Guards `drawing/colours`: text can be read on every colour, heat maps are even, themes change nothing but colours."""

from __future__ import annotations

import re
from itertools import pairwise
from math import dist
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cnndsl.backends.drawing.colours.heat import STEPS, shades
from cnndsl.backends.drawing.colours.measure import MEASURES, Heat
from cnndsl.backends.drawing.colours.palette import DARK, LIGHT, Palette
from cnndsl.backends.drawing.colours.theme import AUTO
from cnndsl.backends.drawing.diagram.diagram import Box
from cnndsl.backends.drawing.diagram.structure import diagram
from cnndsl.backends.drawing.draw import content, to_svg
from cnndsl.backends.drawing.formats.graphviz import to_dot
from cnndsl.backends.drawing.formats.mermaid import to_mermaid
from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import load
from tests.backends.drawing.networks import resnet, unet

SVG = "{http://www.w3.org/2000/svg}"


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_can_be_read(palette: Palette) -> None:
    for fill in [palette.paper, *palette.depths, *(fill for fill, _ in palette.fills.values())]:
        assert contrast(palette.text, fill) >= 9
        assert contrast(palette.quiet, fill) >= 5
    assert contrast(palette.badge_text, palette.badge) >= 9
    assert contrast(palette.port_text, palette.port) >= 9
    for line in (palette.arrow, palette.skip):
        assert min(contrast(line, ground) for ground in (palette.paper, *palette.depths)) >= 4.5
    for fill, ink in palette.heat:
        assert contrast(fill, ink) >= 4.5


def lab(colour: str) -> tuple[float, float, float]:
    """CIE L*a*b* under D65, from the definitions of sRGB and CIE 1976."""
    linear = [
        (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4)
        for p in (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    ]
    rows = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    xyz = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in rows]
    x, y, z = (
        v ** (1 / 3) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116
        for v in (a / b for a, b in zip(xyz, (0.95047, 1.0, 1.08883), strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def protanopic(colour: str) -> str:
    """As seen without red cones: Viénot, Brettel, Mollon, 1999, in linear light."""
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in (r, g, b)]
    seen = (
        0.11238 * linear[0] + 0.88762 * linear[1],
        0.11238 * linear[0] + 0.88762 * linear[1],
        0.00401 * linear[0] - 0.00401 * linear[1] + linear[2],
    )
    back = (12.92 * p if p <= 0.0031308 else 1.055 * p ** (1 / 2.4) - 0.055 for p in (min(max(v, 0), 1) for v in seen))
    return "#" + "".join(f"{round(255 * p):02x}" for p in back)


@pytest.mark.parametrize("dark", [False, True])
def test_shades_are_even_and_ordered_by_lightness(dark: bool) -> None:
    fills = [fill for fill, _ in shades(dark=dark)]
    assert len(set(fills)) == STEPS
    for seen in (fills, list(map(protanopic, fills))):
        lightness = [lab(fill)[0] for fill in seen]
        assert lightness == sorted(lightness, reverse=not dark)
        assert min(abs(a - b) for a, b in pairwise(lightness)) > 2.0
    steps = [dist(lab(a), lab(b)) for a, b in pairwise(fills)]
    assert max(steps) < 3 * min(steps)


def test_a_theme_changes_colours_alone() -> None:
    def plain(text: str) -> str:
        return re.sub("#[0-9a-f]{6}", "#", text)

    graph = resnet()
    assert plain(to_dot(graph)) == plain(to_dot(graph, theme="dark")) == plain(to_dot(graph, theme="auto"))
    assert to_dot(graph) != to_dot(graph, theme="dark")
    dark = to_mermaid(graph, theme="dark")
    assert DARK.port in dark
    assert LIGHT.port not in dark


def test_auto_is_light_with_a_style_sheet_for_the_dark() -> None:
    pytest.importorskip("pygraphviz")
    for color in (None, "macs"):
        auto = to_svg(resnet(), theme="auto", color=color)
        assert "#abc" not in auto
        root, light, dark = (
            ElementTree.fromstring(text)
            for text in (
                auto,
                to_svg(resnet(), color=color),
                to_svg(resnet(), theme="dark", color=color),
            )
        )
        style = root.find(f"{SVG}style")
        assert style is not None
        rules = {
            (name, way): colour
            for name, way, colour in re.findall(r"\.([\w-]+)\{(fill|stroke):(#[0-9a-f]{6})\}", style.text or "")
        }
        assert re.fullmatch(
            r"@media \(prefers-color-scheme: dark\)\{(\.[\w-]+\{\w+:#[0-9a-f]{6}\})+\}", style.text or ""
        )
        root.remove(style)
        for mine, day, night in zip(root.iter(), light.iter(), dark.iter(), strict=True):
            for way in ("fill", "stroke"):
                assert mine.get(way) == day.get(way)
                named = [rules[name, way] for name in mine.get("class", "").split() if (name, way) in rules]
                assert named == ([night.get(way)] if (night.get(way) or "").startswith("#") else [])


def test_marks_are_all_different() -> None:
    text = repr(AUTO)
    marks = re.findall("#[0-9a-f]{6}", text)
    assert len(marks) == len(set(marks)) == len(re.findall("#[0-9a-f]{6}", repr(LIGHT)))


@pytest.mark.parametrize("ending", [".png", ".pdf", ".dot", ".mmd"])
def test_only_svg_follows_its_reader(ending: str) -> None:
    with pytest.raises(CnnError) as caught:
        content(resnet(), ending, theme="auto")
    assert caught.value.diagnostics[0].id == "theme-without-reader"


def test_heat_is_what_the_box_has() -> None:
    picture = diagram(load("vgg16").graph)
    first = next(box.key for box in picture.boxes() if isinstance(box, Box) and box.head.node.op.category == "dense")
    heat = Heat(picture, "params")
    assert heat.ends == (1027646, 102764544)  # a hundredth of the most; fc6: 25088·4096 + 4096
    assert heat.below  # the first pair has 64·64·9 + 64 each
    assert heat.step("op:features.0") == 0
    assert heat.step(first) == STEPS - 1
    assert heat.step("op:features.4") is None  # pooling has none
    macs = Heat(picture, "macs")
    assert macs.ends is not None
    assert macs.ends[1] == 64 * 64 * 9 * 224 * 224
    field = Heat(picture, "rf")
    assert field.ends == (5, 224)
    assert field.note("op:features.28") == ""  # stands for the run that op:features.24 begins
    assert field.note("op:features.24") == "sees 196 px"
    memory = Heat(picture, "memory")
    assert memory.ends == (256902, 2 * 64 * 224 * 224 * 4)  # a hundredth, rounded up; a convolution and its ReLU


@pytest.mark.parametrize("measure", MEASURES)
def test_heat_maps_have_a_legend_and_shade_every_box_that_has_any(measure: str) -> None:
    graph = unet()
    picture = diagram(graph)
    heat = Heat(picture, measure)  # type: ignore[arg-type]
    text = to_dot(graph, color=measure)  # type: ignore[arg-type]
    assert text.count("labelloc=t") == 1
    for fill, _ in LIGHT.heat:
        steps = [
            box for box in picture.boxes() if (step := heat.step(box.key)) is not None and LIGHT.heat[step][0] == fill
        ]
        # Once in the legend, and in every box or circle.
        assert text.count(fill) == 1 + len(steps)
    mermaid = to_mermaid(graph, color=measure)  # type: ignore[arg-type]
    assert "  legend[" in mermaid
    assert "classDef convolution" not in mermaid


def test_the_same_for_every_hash_seed(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    script = (
        "import sys; from cnndsl.pipeline import load; from cnndsl.backends.drawing.formats.graphviz import to_dot\n"
        "from cnndsl.backends.drawing.formats.mermaid import to_mermaid\n"
        "for name in ('googlenet', 'unet', 'densenet121'):\n"
        "    g = load(name).graph\n"
        "    print(to_dot(g, color='macs', theme='auto'), to_dot(g, expand=True), to_mermaid(g))\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(found) == 1
