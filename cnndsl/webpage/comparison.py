"""The page of a difference: figures, what changed, and both diagrams side by side with the change coloured."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from string import Template
from xml.etree import ElementTree

from cnndsl.analyses.differences import words
from cnndsl.analyses.differences.document import Difference, Kind
from cnndsl.analyses.differences.figures import figures
from cnndsl.analyses.differences.gathered import Change, changes
from cnndsl.analyses.differences.several import Compared
from cnndsl.analyses.differences.text import grown, key_lists, ports
from cnndsl.backends.drawing.draw import element_ids, to_svg
from cnndsl.ir.graph import Graph
from cnndsl.version import __version__
from cnndsl.webpage.inline import asset, inline_json, inline_svg

ORDER: tuple[Kind, ...] = ("added", "removed", "changed", "moved", "rewired", "renamed", "resized")
"""Kinds from the one that a reader most wants to see: a box that stands for several layers has the colour of the first."""
LEGEND = {
    "added": "added",
    "removed": "removed",
    "changed": "another word or other arguments",
    "moved": "moved, or reads other layers",
    "renamed": "renamed",
    "resized": "the same, with other shapes",
}
SVG = "{http://www.w3.org/2000/svg}"


def comparison_page(compared: Compared) -> str:
    """The whole page; it loads nothing and runs its own script alone. Raises `MissingPart` where Graphviz is missing."""
    script = asset("comparison.js")
    told = [
        (pair, found)
        for pair, found in zip(compared.pairs, compared.differences, strict=True)
        if not found.equal or len(compared.pairs) == 1
    ]
    sections, data = [], []
    for number, (pair, found) in enumerate(told):
        section, facts = _section(number, *pair, found)
        sections.append(section)
        data.append(facts)
    title = words.title(told[0][1]) if len(told) == 1 else "networks compared"
    return Template(asset("comparison.html")).substitute(
        title=escape(title),
        version=escape(__version__),
        css=asset("comparison.css"),
        js=script,
        hash=b64encode(sha256(script.encode()).digest()).decode(),
        sections="\n".join(sections),
        others="".join(f"<p>{escape(line)}</p>" for line in compared.others()),
        data=inline_json(data),
    )


def _section(number: int, old: Graph, new: Graph, found: Difference) -> tuple[str, list[dict[str, list[str]]]]:
    """The part of one model; and for each change the elements of the drawings that show it, to be followed by the script."""
    marks = _marks(found)
    elements = element_ids(old), element_ids(new)
    drawings = [
        _coloured(graph, f"{which}{number}-", {ids[name]: mark for name, mark in reversed(mine.items())})
        for graph, which, ids, mine in zip((old, new), ("old", "new"), elements, marks, strict=True)
    ]
    listed = changes(found)
    lines = "".join(_item(index, change) for index, change in enumerate(listed))
    rows = "".join(
        f"<tr{'' if f.change else ' class=same'}><th>{escape(f.name)}</th><td>{escape(f.old)}</td><td>{escape(f.new)}</td>"
        f"<td>{escape(f.change or 'same')}</td></tr>"
        for f in figures(found)
    )
    keys = "".join(
        f"<details><summary>{escape(title)}</summary><ul>{''.join(f'<li><code>{escape(k)}</code>' for k in keyed)}</ul></details>"
        for title, keyed in key_lists(found)
    )
    legend = "".join(f'<li class="d-{kind}">{escape(text)}' for kind, text in LEGEND.items())
    text = f"""<section>
<h1>{escape(words.title(found))}</h1>
<div class="facts">
<table><thead><tr><th></th><th>old</th><th>new</th><th>change</th></tr></thead><tbody>{rows}</tbody></table>
<div>
<h2>Layers</h2><p>{escape(words.same(found) if found.equal else words.layers(found))}.</p>
<ul class="changes">{"".join(_port(*port) for port in ports(found))}{lines}</ul>
<h2>Weights</h2><p>{escape(words.weights(found))}.</p>{keys}
</div>
</div>
<ul class="legend">{legend}</ul>
<div class="panes">
<figure><figcaption>old: {escape(found.old.file or found.old.model)}</figcaption><div class="pane" tabindex="0">{drawings[0]}</div></figure>
<figure><figcaption>new: {escape(found.new.file or found.new.model)}</figcaption><div class="pane" tabindex="0">{drawings[1]}</div></figure>
</div>
</section>"""
    return text, [_shown(number, change, *elements) for change in listed]


def _item(index: int, change: Change) -> str:
    more = f' <span class="quiet">{escape(grown(change))}</span>' if grown(change) else ""
    return (
        f'<li class="d-{_mark(change.kinds)}"><button type="button" data-change="{index}">'
        f"<code>{escape(change.what)}</code> {escape(change.words)}{more}</button>"
    )


def _port(mark: str, port: str, told: str) -> str:
    kind = {"+": "added", "-": "removed"}.get(mark, "changed")
    return f'<li class="d-{kind}">{escape(port)} <code>{escape(told)}</code>'


def _mark(kinds: tuple[Kind, ...]) -> Kind:
    kind = min(kinds, key=ORDER.index)
    return "moved" if kind == "rewired" else kind


def _marks(found: Difference) -> tuple[dict[str, Kind], dict[str, Kind]]:
    """What is shown of each layer, by its name in the old and in the new network; the most telling first."""
    ordered = sorted(found.layers, key=lambda layer: min(map(ORDER.index, layer.kinds)))
    old = {layer.old: _mark(layer.kinds) for layer in ordered if layer.old is not None}
    new = {layer.new: _mark(layer.kinds) for layer in ordered if layer.new is not None}
    return old, new


def _shown(number: int, change: Change, old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, list[str]]:
    sides = {
        f"old{number}-": (old, [layer.old for layer in change.layers]),
        f"new{number}-": (new, [layer.new for layer in change.layers]),
    }
    return {
        prefix.rstrip("-0123456789"): list(dict.fromkeys(prefix + ids[name] for name in names if name is not None))
        for prefix, (ids, names) in sides.items()
    }


def _coloured(graph: Graph, prefix: str, marks: Mapping[str, Kind]) -> str:
    """The drawing, its ids made its own, and the elements of layers that changed in a class of their kind."""
    # Our own drawing, which declares no entities.
    root = ElementTree.fromstring(to_svg(graph, theme="auto"))  # noqa: S314
    for box, element in _elements(root):
        mark = marks.get(element.get("id", ""))
        if mark is not None:
            _mark_element(element, mark)
            if box is not None and element.find(f"{SVG}path") is None:
                # The first layer of a box has no ground of its own: it is the box's.
                _mark_element(box, mark)
    for element in root.iter():
        for name in ("id", "aria-describedby"):
            if name in element.attrib:
                element.set(name, prefix + element.attrib[name])
    return inline_svg(ElementTree.tostring(root, encoding="unicode"))


def _elements(root: ElementTree.Element) -> Iterator[tuple[ElementTree.Element | None, ElementTree.Element]]:
    """Groups with their id, and the box that each lies in."""
    for group in root.iter(f"{SVG}g"):
        for child in group.findall(f"{SVG}g"):
            yield (group if group.get("id", "").startswith("box:") else None), child


def _mark_element(element: ElementTree.Element, mark: Kind) -> None:
    element.set("class", f"{element.get('class', '')} d-{mark}".strip())
