"""Which names a verb may write to: never a program's, never its own input's, never one of another kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

FOLDER = ""
"""As an ending: a name without one, which a folder has."""


def refuse_name(
    context: click.Context, output: Path | None, file: str, endings: Sequence[str], what: str, option: str = "-o"
) -> None:
    """Raises a UsageError where writing `what` to `output` would replace a program, the `file` that is read, or something
    whose ending says that it is another kind of file. `endings` are those that belong to `what`; none is fine, too."""
    if output is None or str(output) == "-":
        return
    suffix = output.suffix.lower()
    if suffix == ".cnn":
        raise click.UsageError(
            f"{option} {output} would replace a program with {what}; {_instead(output, endings, option)}", context
        )
    if _same(output, file):
        raise click.UsageError(
            f"{option} {output} is the file that is read; {_instead(output, endings, option)}", context
        )
    if suffix in _KINDS and suffix not in endings:
        raise click.UsageError(
            f"{option} {output} is named as {_KINDS[suffix]}, and {what} is written; {_instead(output, endings, option)}",
            context,
        )


_KINDS = {
    ".py": "a Python file",
    ".onnx": "an ONNX file",
    ".pt2": "an exported program",
    ".pt": "a PyTorch file",
    ".pth": "a PyTorch file",
    ".safetensors": "a file of weights",
    ".json": "a JSON file",
    ".html": "a web page",
    ".htm": "a web page",
    ".svg": "a picture",
    ".png": "a picture",
    ".pdf": "a picture",
    ".jpg": "a picture",
    ".jpeg": "a picture",
    ".npy": "an array",
    ".npz": "arrays",
    ".toml": "a file of options",
    ".md": "a page",
    ".txt": "a text",
    ".csv": "a table",
    ".c": "a C file",
    ".so": "a library",
    ".zip": "an archive",
    ".tar": "an archive",
    ".gz": "an archive",
}
"""Endings that say what a file is."""


def _instead(output: Path, endings: Sequence[str], option: str) -> str:
    if not output.stem:
        return "give another name"
    other = output.with_suffix(endings[0])
    if other == output:
        other = output.with_stem(f"{output.stem}-2")
    return f"write `{option} {other}`"


def _same(output: Path, file: str) -> bool:
    try:
        return output.samefile(file)
    except (OSError, ValueError):
        return False
