"""Colours of a diagram. Hues differ in lightness too, and no meaning hangs on a colour alone: every box has its word.

Text on the fills has a contrast of 9:1 or more, small text 5:1 or more (WCAG asks for 4.5:1); a test measures it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cnndsl.backends.drawing.colours.heat import shades
from cnndsl.ir.op import Category


@dataclass(frozen=True)
class Palette:
    """Colours as `#rrggbb`: fill and outline per category, fill and ink per shade of a heat map, and those of
    everything else."""

    paper: str
    text: str
    quiet: str
    """Small text: names, costs, shapes."""
    arrow: str
    skip: str
    """Arrows that go around something."""
    badge: str
    badge_text: str
    port: str
    port_text: str
    outline: str
    """Around clusters."""
    depths: tuple[str, ...]
    """Fills of clusters, by depth, in turn."""
    fills: Mapping[Category, tuple[str, str]]
    heat: tuple[tuple[str, str], ...]


LIGHT = Palette(
    paper="#ffffff",
    text="#1b2430",
    quiet="#4a5564",
    arrow="#5b6675",
    skip="#b0470b",
    badge="#2f3c4d",
    badge_text="#ffffff",
    port="#2f3c4d",
    port_text="#ffffff",
    outline="#c3cad4",
    depths=("#f4f6f9", "#ffffff"),
    fills={
        "convolution": ("#d6e6f7", "#5a8fc4"),
        "dense": ("#e4dcf3", "#8b73bd"),
        "pooling": ("#fbdfc9", "#cf8a4e"),
        "normalization": ("#e2ebdd", "#8aa57b"),
        "activation": ("#fbf0c4", "#c2a53c"),
        "regularization": ("#e8e8e8", "#9a9a9a"),
        "shape": ("#eeeae2", "#a89d87"),
        "merge": ("#ffffff", "#3d4a5c"),
        "attention": ("#f6d9e4", "#c4708f"),
    },
    heat=shades(dark=False),
)

DARK = Palette(
    paper="#0f141b",
    text="#eef2f7",
    quiet="#b9c3d0",
    arrow="#93a0b1",
    skip="#f0894a",
    badge="#d5dde8",
    badge_text="#141b24",
    port="#d5dde8",
    port_text="#141b24",
    outline="#3d4857",
    depths=("#161d27", "#0f141b"),
    fills={
        "convolution": ("#17324d", "#5d9bd6"),
        "dense": ("#2e2549", "#9d86d4"),
        "pooling": ("#472a13", "#d18f58"),
        "normalization": ("#253421", "#87a877"),
        "activation": ("#3c340f", "#bfa445"),
        "regularization": ("#2b2e33", "#8d939c"),
        "shape": ("#34302a", "#a4987f"),
        "merge": ("#161d27", "#aeb9c7"),
        "attention": ("#44202f", "#cc7d9b"),
    },
    heat=shades(dark=True),
)
