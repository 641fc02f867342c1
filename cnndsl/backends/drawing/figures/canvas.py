"""A figure that we lay out ourselves, as flat shapes from back to front, and its SVG. Lengths are in points, y runs down."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import Literal, Self
from xml.etree import ElementTree

from cnndsl.backends.drawing.colours.theme import follow
from cnndsl.backends.drawing.formats.svg import SVG, describe
from cnndsl.backends.drawing.words.escape import identifier, visible

Point = tuple[float, float]
FAMILY = ("Helvetica", "Arial", "Liberation Sans", "sans-serif")


@dataclass(frozen=True)
class Polygon:
    """A closed shape; `opacity` is that of the fill, and without a fill there is only the outline."""

    points: tuple[Point, ...]
    fill: str | None
    line: str | None = None
    width: float = 0.8
    opacity: float = 1.0
    dashed: bool = False

    def moved(self, right: float, down: float) -> Self:
        """The same elsewhere."""
        return replace(self, points=tuple((x + right, y + down) for x, y in self.points))


@dataclass(frozen=True)
class Line:
    """Straight from point to point."""

    points: tuple[Point, ...]
    colour: str
    width: float = 0.8
    dashed: bool = False

    def moved(self, right: float, down: float) -> Self:
        """The same elsewhere."""
        return replace(self, points=tuple((x + right, y + down) for x, y in self.points))


@dataclass(frozen=True)
class Text:
    """A line of text that stands on `y`; `x` is its start, middle or end."""

    x: float
    y: float
    text: str
    colour: str
    size: float = 9.0
    anchor: Literal["start", "middle", "end"] = "middle"
    bold: bool = False

    def moved(self, right: float, down: float) -> Self:
        """The same elsewhere."""
        return replace(self, x=self.x + right, y=self.y + down)

    @property
    def width(self) -> float:
        """An upper bound of its width: on average a letter of Helvetica is half as wide as its size."""
        return len(self.text) * self.size * (0.6 if self.bold else 0.56)


@dataclass(frozen=True)
class Picture:
    """A PNG in a rectangle."""

    x: float
    y: float
    width: float
    height: float
    png: bytes = field(repr=False)
    smooth: bool = True

    def moved(self, right: float, down: float) -> Self:
        """The same elsewhere."""
        return replace(self, x=self.x + right, y=self.y + down)


Shape = Polygon | Line | Text | Picture


@dataclass(frozen=True)
class Group:
    """Shapes that show one thing. `facts`, what is known of it, is their tooltip; `key` becomes their id in the file."""

    shapes: tuple[Shape, ...]
    key: str = ""
    facts: str = ""


@dataclass(frozen=True)
class Figure:
    """A whole figure on its paper."""

    title: str
    description: str
    width: float
    height: float
    paper: str
    groups: tuple[Group, ...]


def figure_svg(figure: Figure) -> bytes:
    """The figure as an SVG document that needs nothing else and does nothing."""
    root = ElementTree.Element(
        f"{SVG}svg",
        {
            "width": f"{number(figure.width)}pt",
            "height": f"{number(figure.height)}pt",
            "viewBox": f"0 0 {number(figure.width)} {number(figure.height)}",
            "font-family": ",".join(FAMILY),
        },
    )
    size = {"width": number(figure.width), "height": number(figure.height)}
    ElementTree.SubElement(root, f"{SVG}rect", {**size, "fill": figure.paper})
    for group in figure.groups:
        parent = ElementTree.SubElement(root, f"{SVG}g")
        if group.key:
            parent.set("id", identifier(group.key))
        if group.facts:
            parent.set("role", "graphics-symbol")
            lines = (visible(line) for line in group.facts.split("\n"))
            ElementTree.SubElement(parent, f"{SVG}title").text = "\n".join(lines)
        for shape in group.shapes:
            _draw(parent, shape)
    follow(root, SVG)
    describe(root, figure.title, figure.description)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _draw(parent: ElementTree.Element, shape: Shape) -> None:
    match shape:
        case Polygon():
            look = {"points": _points(shape.points), "fill": shape.fill or "none"}
            if shape.opacity != 1:
                look["fill-opacity"] = number(shape.opacity)
            if shape.line:
                look |= {"stroke": shape.line, "stroke-width": number(shape.width), "stroke-linejoin": "round"}
            if shape.dashed:
                look["stroke-dasharray"] = "4 3"
            ElementTree.SubElement(parent, f"{SVG}polygon", look)
        case Line():
            look = {"points": _points(shape.points), "fill": "none", "stroke": shape.colour}
            look["stroke-width"] = number(shape.width)
            if shape.dashed:
                look["stroke-dasharray"] = "3 2"
            ElementTree.SubElement(parent, f"{SVG}polyline", look)
        case Text():
            look = {"x": number(shape.x), "y": number(shape.y), "font-size": number(shape.size)}
            look |= {"text-anchor": shape.anchor, "fill": shape.colour}
            if shape.bold:
                look["font-weight"] = "bold"
            ElementTree.SubElement(parent, f"{SVG}text", look).text = visible(shape.text)
        case Picture():
            look = {"x": number(shape.x), "y": number(shape.y)}
            look |= {"width": number(shape.width), "height": number(shape.height), "preserveAspectRatio": "none"}
            if not shape.smooth:
                look["style"] = "image-rendering:pixelated"
            look["href"] = f"data:image/png;base64,{b64encode(shape.png).decode()}"
            ElementTree.SubElement(parent, f"{SVG}image", look)


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def number(value: float) -> str:
    """To a hundredth of a point, without zeros at the end."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
