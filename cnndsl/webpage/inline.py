"""What stands inside a page: drawings, data, and the files that ship beside the code."""

from __future__ import annotations

import json
from importlib.resources import files

from cnndsl.diagnostics.errors import MissingPart


def inline_svg(document: str) -> str:
    """The `<svg>` element of an SVG document: the XML declaration and document type before it may not stand in HTML."""
    return document[document.index("<svg") :]


def inline_json(value: object) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def asset(name: str) -> str:
    """The text of a file of `webpage/assets`. Raises `MissingPart`."""
    try:
        return files("cnndsl.webpage").joinpath("assets", name).read_text("utf-8")
    except FileNotFoundError:
        raise MissingPart(f"the page's `{name}` is missing", "install cnndsl again") from None
