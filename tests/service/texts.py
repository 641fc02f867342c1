"""Texts with the cursor in them, as the tests of the service ask about them."""

from __future__ import annotations

from pathlib import Path

from cnndsl.diagnostics.source import Source
from cnndsl.disk import shelf
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Edit


def at(text: str) -> tuple[Analysis, int]:
    """A text without its `‸`, which is the cursor, and the offset of that."""
    offset = text.index("‸")
    return Analysis(Source("net.cnn", text.replace("‸", ""))), offset


def of(text: str) -> Analysis:
    return Analysis(Source("net.cnn", text))


def built_in(name: str) -> Analysis:
    """A file of the shelf, as if it were open."""
    source = next(source for source in shelf.sources() if source.name == f"architectures/{name}.cnn")
    return Analysis(source)


def applied(text: str, edits: tuple[Edit, ...]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def saved(folder: Path, **texts: str) -> dict[str, Path]:
    """Files of these texts in a folder."""
    paths = {}
    for name, text in texts.items():
        paths[name] = folder / f"{name}.cnn"
        paths[name].write_text(text, "utf-8")
    return paths
