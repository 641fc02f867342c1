"""`cnndsl diff --git-driver`: what git runs in the place of its own diff, for files whose attribute names this driver.

Git gives seven words: the path, then for the old and for the new side a file with the content, its hash and its mode; for a
renamed file two more, the new path and what git says of the renaming; for a file in conflict the path alone. Git stops at the
first file for which its driver fails, so whatever cannot be compared as a network is shown as a text.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.voice import say
from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.excerpt import visible
from cnndsl.disk.files import open_file

if TYPE_CHECKING:
    from cnndsl.ir.graph import Graph
    from cnndsl.passes.read_program import Origin

NOTHING = "/dev/null"
"""What git names as the file of a side that has none."""


def drive(context: click.Context, words: Sequence[str]) -> None:
    """Says the difference of one file. Raises a UsageError for other words than git's."""
    if len(words) == 1:
        say(f"cnndsl diff {words[0]}\n{words[0]} is in conflict\n")
        return
    if len(words) not in (7, 9):
        raise click.UsageError(f"--git-driver takes the seven words that git gives, found {len(words)}", context)
    path, old, _, _, new, _, _ = words[:7]
    now = words[7] if len(words) == 9 else path
    say(f"cnndsl diff a/{path} b/{now}")
    texts = _content(old), _content(new)
    sides = [_Text("a", path, texts[0]), _Text("b", now, texts[1])]
    say(_network(sides) if old != NOTHING and new != NOTHING else _alone(sides))
    say("")


class _Text:
    """One side: its text, and the path that it has in the repository."""

    def __init__(self, letter: str, path: str, data: bytes) -> None:
        self.name = f"{letter}/{path}"
        self.data = data
        self._path = Path(path)

    def origin(self) -> Origin:
        from cnndsl.passes.read_program import Origin
        from cnndsl.syntax.scan import decode

        return Origin(decode(self.name, self.data), self._path, self._path.stem, None)

    def graphs(self) -> dict[str, Graph]:
        """Every model that needs no argument. Raises `CnnError`."""
        from dataclasses import replace

        from cnndsl.pipeline import load_origin, models

        origin = self.origin()
        found = models(origin)
        return {name: load_origin(replace(origin, model=name), {}, {}, over_budget=True).graph for name in found}


def _network(sides: Sequence[_Text]) -> str:
    """The difference by meaning; of what cannot be built, the difference of its text."""
    from cnndsl.analyses.differences.several import Compared

    found = []
    for side in sides:
        try:
            found.append(side.graphs())
        except CnnError as error:
            return f"{_why(side, error)}\n{_lines(sides)}"
    if not any(found):
        return f"a file of blocks, without a network of its own\n{_lines(sides)}"
    old, new = found
    compared = Compared.of(old, new)
    told = [str(compared)]
    if compared.equal and sides[0].data != sides[1].data:
        told.append("the text has changed, and the network has not")
    if any(_uses_files(graph) for graphs in found for graph in graphs.values()):
        told.append("files that both use are read as they are in the working folder")
    return "\n\n".join(told)


def _alone(sides: Sequence[_Text]) -> str:
    """A file that came or went: its networks, a line each."""
    side = sides[0] if sides[0].data else sides[1]
    what = "removed" if side is sides[0] else "new"
    try:
        graphs = side.graphs()
    except CnnError as error:
        return f"{_why(side, error)}\n{_lines(sides)}"
    from cnndsl.analyses.summary import summarize

    lines = []
    for name, graph in graphs.items():
        totals = summarize(graph).totals
        lines.append(f"{what} network {name}: {totals.params:,} parameters, {totals.macs:,} MACs")
    return "\n".join(lines) or f"{what} file of blocks, without a network of its own\n{_lines(sides)}"


def _why(side: _Text, error: CnnError) -> str:
    first = error.diagnostics[0]
    return f"{side.name} is no network: {first.message} [{first.id}]"


def _lines(sides: Sequence[_Text]) -> str:
    """The difference of the texts, line by line."""
    old, new = (side.data.decode(errors="replace").splitlines() for side in sides)
    found = difflib.unified_diff(old, new, sides[0].name, sides[1].name, lineterm="")
    return "\n".join(map(visible, found))


def _uses_files(graph: Graph) -> bool:
    return sum(not name.startswith("architectures/") for name in graph.sources) > 1


def _content(file: str) -> bytes:
    if file == NOTHING:
        return b""
    from cnndsl.syntax.scan import MOST_BYTES

    with open_file(file) as stream:
        return stream.read(MOST_BYTES + 1)
