"""A picture as a file, in the format that the file's ending asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from cnndsl.backends.dot.emit import Options, to_dot
from cnndsl.backends.dot.mermaid import to_mermaid
from cnndsl.backends.dot.render import FORMATS, render
from cnndsl.errors import CnnError, Diagnostic
from cnndsl.files import write_atomically
from cnndsl.ir.graph import Graph

ENDINGS = (*(f".{format}" for format in FORMATS), ".dot", ".mmd")


def draw(graph: Graph, path: str | Path, **options: Unpack[Options]) -> None:
    """Writes the picture of a graph; options as for `to_dot`. The file appears whole or not at all.

    `.dot` and `.mmd` (Mermaid) are text and need nothing; `.svg`, `.png` and `.pdf` need Graphviz. Raises CnnError
    (`unknown-format`) for another ending, before anything is drawn, and what `render` raises.
    """
    path = Path(path)
    write_atomically(path, content(graph, path.suffix, **options))


def content(graph: Graph, ending: str, **options: Unpack[Options]) -> bytes:
    """What `draw` writes to a file with this ending, such as `.svg`."""
    ending = ending.lower()
    if ending not in ENDINGS:
        found = f"`{ending}`" if ending else "a name without an ending"
        raise CnnError(
            [
                Diagnostic(
                    "unknown-format",
                    f"cannot tell from {found} how to draw",
                    help=f"end the name in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}",
                )
            ]
        )
    texts: dict[str, Callable[..., str]] = {".dot": to_dot, ".mmd": to_mermaid}
    if ending in texts:
        return texts[ending](graph, **options).encode()
    return next(render(to_dot(graph, **options), format) for format in FORMATS if ending == f".{format}")
