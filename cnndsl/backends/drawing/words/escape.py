"""Makes text from a program inert: whatever it holds, it is shown and has no effect."""

from __future__ import annotations

from unicodedata import category
from urllib.parse import quote

# Graphviz expands backslashes in labels and tooltips. U+2216 looks like a backslash and has no meaning there.
_HTML = {"\\": "\u2216", "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"})
"""Unicode categories of what XML may not hold, what cannot be seen, and what turns the writing's direction."""


def visible(text: str) -> str:
    """The text with U+FFFD for characters that are no text, line ends among them."""
    return "".join("\ufffd" if category(c) in _HIDDEN else c for c in text)


def html(text: str) -> str:
    """Text inside a Graphviz HTML-like label."""
    return "".join(_HTML.get(c, c) for c in visible(text))


def html_tooltip(lines: str) -> str:
    """Lines as the value of a TOOLTIP in an HTML-like label."""
    return "&#10;".join(map(html, lines.split("\n")))


def quoted(lines: str) -> str:
    """Lines as a DOT string for a plain label or a tooltip, where Graphviz reads entities too."""
    return f'"{html_tooltip(lines)}"'


def identifier(key: str) -> str:
    """A key as an id in DOT and SVG: ASCII, different for different keys, plain ones unchanged."""
    return quote(key.encode("utf-8", "surrogatepass"), safe=":@")
