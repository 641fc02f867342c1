"""Themes: light, dark, or whichever the reader's browser asks for."""

from __future__ import annotations

from dataclasses import fields
from typing import Literal, get_args
from xml.etree import ElementTree

from cnndsl.backends.drawing.colours.palette import DARK, LIGHT, Palette

Theme = Literal["light", "dark", "auto"]
THEMES: tuple[Theme, ...] = get_args(Theme)


def _roles(palette: Palette) -> dict[str, str]:
    """Every colour of a palette by what it is for."""
    named: dict[str, str] = {}
    for field in fields(palette):
        value = getattr(palette, field.name)
        if isinstance(value, str):
            named[field.name] = value
        elif field.name == "depths":
            named |= {f"depth{number}": colour for number, colour in enumerate(value)}
        else:
            pairs = value.items() if field.name == "fills" else enumerate(value)
            for name, (fill, line) in pairs:
                named |= {f"{field.name}-{name}": fill, f"{field.name}-{name}-line": line}
    return named


def _marks() -> Palette:
    """A palette in which no two colours are equal: each number stands for a role until `follow` puts a real colour there."""
    number = iter(range(0xABC000, 0xABD000))

    def mark(_: object) -> str:
        return f"#{next(number):06x}"

    def pair(_: object) -> tuple[str, str]:
        return mark(None), mark(None)

    return Palette(
        **{field.name: mark(None) for field in fields(LIGHT) if isinstance(getattr(LIGHT, field.name), str)},
        depths=tuple(map(mark, LIGHT.depths)),
        fills={category: pair(None) for category in LIGHT.fills},
        heat=tuple(map(pair, LIGHT.heat)),
    )


AUTO = _marks()
_ROLE = {colour: role for role, colour in _roles(AUTO).items()}
_LIGHT, _DARK = _roles(LIGHT), _roles(DARK)
PALETTES: dict[Theme, Palette] = {"light": LIGHT, "dark": DARK, "auto": AUTO}


def follow(root: ElementTree.Element, namespace: str = "") -> None:
    """Gives a drawing in the palette `AUTO` its light colours, and a style sheet with the dark ones for readers who want them.

    The light colours are attributes, for programs that read no style sheets.
    """
    used: set[tuple[str, str]] = set()
    for element in root.iter():
        names = []
        for way in ("fill", "stroke"):
            role = _ROLE.get(element.get(way, ""))
            if role is not None:
                element.set(way, _LIGHT[role])
                names.append(f"cnn-{way}-{role}")
                used.add((way, role))
        if names:
            element.set("class", " ".join([*element.get("class", "").split(), *names]))
    if used:
        rules = "".join(f".cnn-{way}-{role}{{{way}:{_DARK[role]}}}" for way, role in sorted(used))
        style = ElementTree.Element(f"{namespace}style")
        style.text = f"@media (prefers-color-scheme: dark){{{rules}}}"
        root.insert(0, style)
