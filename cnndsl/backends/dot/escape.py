"""Text from a program made inert: whatever it holds, it is shown and does nothing."""

from __future__ import annotations

from urllib.parse import quote

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


def visible(text: str) -> str:
    """The text in characters that XML may hold; others, and line ends of all kinds, become U+FFFD."""
    return "".join(c if _is_xml(ord(c)) else "\ufffd" for c in text)


def _is_xml(code: int) -> bool:
    if code < 0xA0:
        return 0x20 <= code < 0x7F
    return (
        code not in (0x2028, 0x2029)
        and not 0xD800 <= code <= 0xDFFF
        and code & 0xFFFE != 0xFFFE
        and not 0xFDD0 <= code <= 0xFDEF
    )


def html(text: str) -> str:
    """Text inside a Graphviz HTML-like label."""
    return "".join(_HTML.get(c, c) for c in visible(text))


def html_tooltip(lines: str) -> str:
    """Lines as the value of a TOOLTIP in an HTML-like label. Graphviz expands backslashes in it, so they are doubled."""
    return "&#10;".join(html(line).replace("\\", "\\\\") for line in lines.split("\n"))


def quoted(lines: str) -> str:
    """Lines as a DOT string for a label or a tooltip, where Graphviz expands entities and backslashes."""
    return '"' + html_tooltip(lines) + '"'


def identifier(key: str) -> str:
    """A key as an id in DOT and SVG: ASCII, different for different keys, plain ones unchanged."""
    return quote(key.encode("utf-8", "surrogatepass"), safe=":@")
