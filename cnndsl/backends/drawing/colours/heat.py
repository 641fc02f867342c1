"""The shades of a heat map, equally far apart to the eye. They differ in lightness, so that no hue needs to be told apart.

The ramp runs through OKLab (Björn Ottosson: "A perceptual color space for image processing", 2020) from cream over orange to
a dark red, ever darker. Its shades are taken at equal distances along it.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate, pairwise
from math import cos, dist, pi, radians, sin

STEPS = 16
"""Shades of a heat map: more than the eye tells apart, and few enough to be named in a style sheet."""

Lab = tuple[float, float, float]


@cache
def shades(*, dark: bool) -> tuple[tuple[str, str], ...]:
    """`STEPS` pairs of fill and ink as `#rrggbb`, from the least to the most: on light paper most is the darkest, on dark
    paper the brightest. Black or white ink, whichever stands out more, has a contrast of at least 4.58 on any colour."""
    points = [_ramp(number / 500) for number in range(501)]
    reached = [0.0, *accumulate(dist(point, following) for point, following in pairwise(points))]
    chosen = [
        min(range(len(points)), key=lambda at: abs(reached[at] - reached[-1] * step / (STEPS - 1)))
        for step in range(STEPS)
    ]
    fills = [_hexadecimal(points[index]) for index in (reversed(chosen) if dark else chosen)]
    return tuple((fill, ink(fill)) for fill in fills)


def ink(fill: str) -> str:
    """Black or white, whichever stands out more on the fill."""
    # Both contrasts are equal where (L + 0.05)² = 1.05·0.05.
    return "#000000" if luminance(fill) > (1.05 * 0.05) ** 0.5 - 0.05 else "#ffffff"


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` as WCAG 2 defines it, from 0 to 1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _ramp(place: float) -> Lab:
    """The colour at a place from 0 to 1, in OKLab; the chroma keeps within what screens show."""
    hue, chroma = radians(95 - 75 * place), 0.025 + 0.115 * sin(pi * place**0.75)
    return 0.975 - 0.68 * place, chroma * cos(hue), chroma * sin(hue)


def _hexadecimal(colour: Lab) -> str:
    L, a, b = colour
    l, m, s = (  # noqa: E741
        (L + 0.3963377774 * a + 0.2158037573 * b) ** 3,
        (L - 0.1055613458 * a - 0.0638541728 * b) ** 3,
        (L - 0.0894841775 * a - 1.2914855480 * b) ** 3,
    )
    linear = (
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    )
    return "#" + "".join(f"{round(255 * _encoded(min(max(part, 0.0), 1.0))):02x}" for part in linear)


def _encoded(linear: float) -> float:
    """A part of a colour as sRGB writes it."""
    return 12.92 * linear if linear <= 0.0031308 else float(1.055 * linear ** (1 / 2.4) - 0.055)
