"""Drawings inside HTML."""

from __future__ import annotations


def inline_svg(document: str) -> str:
    """The `<svg>` element of an SVG document: the XML declaration and document type before it may not stand in HTML."""
    return document[document.index("<svg") :]
