"""The SVG of Graphviz made fit for a page: tooltips become `<title>`, ids are ours, and nothing in it can act."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from cnndsl.backends.drawing.colours.theme import follow
from cnndsl.backends.drawing.words.escape import visible

SVG = "{http://www.w3.org/2000/svg}"
_TIP = "{http://www.w3.org/1999/xlink}title"
_TEXT = f"{SVG}title"

ElementTree.register_namespace("", SVG[1:-1])


def tidy(svg: bytes, description: str = "") -> bytes:
    """The picture with every `<a>` gone and its tooltip where browsers and screen readers look for it.

    Boxes keep the ids the DOT text gave them, ops inside a box become `<g class="cell">`. The picture itself is a
    document for screen readers, with a title and the description, and its boxes and clusters are symbols in it.
    """
    # Graphviz wrote this SVG from text that `escape` made inert, and it declares no entities.
    root = ElementTree.fromstring(svg)  # noqa: S314
    picture = next(root.iter(f"{SVG}g"))
    name = picture.findtext(_TEXT) or "network"
    for group in list(root.iter(f"{SVG}g")):
        _settle(group)
    for group in root.iter(f"{SVG}g"):
        for child in list(group):
            if child.tag == f"{SVG}text" and not "".join(child.itertext()).strip(" \u00a0"):
                group.remove(child)
    _lift(picture)
    follow(root, SVG)
    describe(root, f"Diagram of {name}", description)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def describe(root: ElementTree.Element, title: str, description: str) -> None:
    """Tells screen readers what the whole picture is."""
    root.set("role", "graphics-document")
    root.set("aria-roledescription", "diagram")
    root.set("aria-label", visible(title))
    if description:
        about = ElementTree.Element(f"{SVG}desc", {"id": "description"})
        about.text = visible(description)
        root.insert(0, about)
        root.set("aria-describedby", "description")


def _settle(group: ElementTree.Element) -> None:
    """Gives an element its tooltip as `<title>`, in the place of Graphviz's own title and of the links around it."""
    kind = group.get("class")
    own = next((child for child in group if child.tag == _TEXT), None)
    tips = [tip for tip in _unwrap(group) if tip.strip()]
    if own is not None and kind != "graph":
        group.remove(own)
    if kind is None:
        group.set("id", group.get("id", "").removeprefix("a_"))
        group.set("class", "cell")
    if tips and kind != "graph":
        title = ElementTree.Element(_TEXT)
        title.text = tips[0]
        group.insert(0, title)
        if kind != "edge":
            # The title is the symbol's name, too.
            group.set("role", "graphics-symbol")


def _lift(picture: ElementTree.Element) -> None:
    """Puts the words of clusters' headings over the arrows that run into the clusters, with a rim of the cluster's colour;
    what is under the mouse stays the cluster. The badge has a ground of its own and stays where it is."""
    ground = "none"
    over = ElementTree.Element(f"{SVG}g", {"class": "headings", "pointer-events": "none"})
    for cluster in picture:
        if cluster.get("class") != "cluster":
            continue
        grounds = 0
        for child in list(cluster):
            grounds += child.tag not in (_TEXT, f"{SVG}text")
            if grounds == 1 and child.tag == f"{SVG}text":
                cluster.remove(child)
                child.attrib |= {
                    "stroke": ground,
                    "stroke-width": "3",
                    "stroke-linejoin": "round",
                    "paint-order": "stroke",
                }
                over.append(child)
            elif child.tag != _TEXT:
                ground = child.get("fill", "none")
    if len(over):
        picture.append(over)


def _unwrap(group: ElementTree.Element) -> Iterator[str]:
    """Puts the content of links in the links' place; gives their tooltips."""
    for index in range(len(group) - 1, -1, -1):
        child = group[index]
        if child.tag == f"{SVG}g" and child.get("id") == f"a_{group.get('id')}":
            # Around all of a box Graphviz puts a group, and the link in that; one of another name is an op in the box.
            yield from _unwrap(child)
            group[index : index + 1] = list(child)
        elif child.tag == f"{SVG}a":
            yield child.get(_TIP, "")
            group[index : index + 1] = list(child)
