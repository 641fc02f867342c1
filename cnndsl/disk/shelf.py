"""Finds what ships beside the code: grammars and architectures, in a checkout, an installed package or a zip.

The names of models are read from the texts by regular expressions, because parsing all of them would double the time in which
`cnndsl list` and every mistyped name are answered. `tests/disk/test_shelf.py` holds these expressions against the parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import takewhile
from pathlib import Path

from cnndsl.diagnostics.source import Source

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MODEL = re.compile(r"^[ \t]*model[ \t]+([A-Za-z_][A-Za-z0-9_]*)", re.MULTILINE)
_CITES = re.compile(r"#\s*(.+: .+, (?:19|20)\d\d(?:, arXiv:[\d.]*\d)?)\.?")
_INPUT = re.compile(r"^[ \t]*input\b", re.MULTILINE)


@cache
def folder(name: str) -> Traversable:
    """A data folder, inside the installed package or zip, else beside it in a checkout."""
    inside = files("cnndsl").joinpath(name)
    if inside.is_dir():
        return inside
    root = Path(__file__).resolve().parents[2]
    if (root / "pyproject.toml").is_file() and (root / name).is_dir():
        return root / name
    raise FileNotFoundError(f"the data folder {name!r} of cnndsl is missing; install cnndsl again")


def read_data(folder_name: str, file: str) -> str:
    """The text of one file of a data folder."""
    return folder(folder_name).joinpath(file).read_text(encoding="utf-8")


def architecture(name: str) -> Source | None:
    """The built-in file called `name`, else the one that holds a model of that name; None without either."""
    if not _NAME.fullmatch(name):
        return None
    if folder("architectures").joinpath(f"{name}.cnn").is_file():
        return _source(name)
    return next((source for source in sources() if name in _MODEL.findall(source.text)), None)


def architectures() -> list[str]:
    """Names of the models on the shelf that need no argument, file by file in the order they are written.

    A file without `model` is one model named after it; one of blocks alone holds none.
    """
    return [name for source in sources() for name in _models(source)]


def papers(name: str) -> str:
    """The source papers of a built-in model: of the comments in its paragraph, else at the head of its file.

    A citation is a comment line of its own: `# Authors: Title, year, arXiv:number.` Returns "" without any.
    """
    source = architecture(name)
    if source is None:
        return ""
    lines = source.text.splitlines()
    at = next((i for i, line in enumerate(lines) if (m := _MODEL.match(line)) and m[1] == name), 0)
    paragraph = reversed(list(takewhile(str.strip, reversed(lines[:at]))))
    head = takewhile(lambda line: line.startswith("#"), lines)
    return "; ".join(_citations(paragraph) or _citations(head))


def _citations(lines: Iterable[str]) -> list[str]:
    return [match[1] for line in lines if (match := _CITES.fullmatch(line.strip()))]


def _models(source: Source) -> list[str]:
    found = list(_MODEL.finditer(source.text))
    if not found:
        return [Path(source.name).stem] if _INPUT.search(source.text) else []
    return [match[1] for match in found if not _needs_arguments(source.text, match.end())]


def _needs_arguments(text: str, start: int) -> bool:
    """Whether the parameters that open at `start` include one without a default."""
    if not text.startswith("(", start):
        return False
    depth, parameter = 0, ""
    for position in range(start, len(text)):
        character = text[position]
        depth += (character in "([") - (character in ")]")
        if depth == 0 or (depth == 1 and character == ","):
            if parameter.strip() and "=" not in parameter:
                return True
            parameter = ""
        elif depth > 1 or character != "(":
            parameter += character
        if depth == 0:
            break
    return False


def about(name: str) -> str:
    """What a built-in model's file says of its family, in its first line; "" without one."""
    source = architecture(name)
    first = source.text.partition("\n")[0] if source else ""
    return first.removeprefix("#").strip() if first.startswith("#") else ""


@cache
def sources() -> tuple[Source, ...]:
    """The text of every built-in file, by name."""
    names = sorted(entry.name for entry in folder("architectures").iterdir() if entry.name.endswith(".cnn"))
    return tuple(_source(name.removesuffix(".cnn")) for name in names)


def _source(stem: str) -> Source:
    return Source(f"architectures/{stem}.cnn", read_data("architectures", f"{stem}.cnn"))
