"""Colours of a diagram. Hues differ in lightness too, and no meaning hangs on a colour alone: every box has its word.

Dark text on the fills has a contrast of 9:1 or more, small text 5:1 or more (WCAG asks for 4.5:1); a test measures it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cnndsl.ir.op import Category


@dataclass(frozen=True)
class Palette:
    """Colours as `#rrggbb`: fill and outline per category, and those of everything else."""

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
)
