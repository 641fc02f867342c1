"""Built-in networks through PyTorch and back: is the graph the same, and how long is the text? Measures, and writes a table.

    python -m tests.importing.round_trip measure --into results.jsonl [--seconds 3600] [NAME …]
    python -m tests.importing.round_trip write results.jsonl
    python -m tests.importing.round_trip check results.jsonl

Measuring goes on where results.jsonl ends. The table is docs/importing/round-trips.md; `check` fails where fewer networks of a
file come back as they were than it says.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from cnndsl.diagnostics.errors import CnnError
from cnndsl.disk import shelf
from cnndsl.importing.from_torch import import_module
from cnndsl.importing.imported import Report, lines_of
from cnndsl.pipeline import load
from tests.importing.coverage import undrawn
from tests.importing.same_graph import difference

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "importing" / "round-trips.md"
MOST = 1.5
"""How many times as long as the hand-written text an imported one may be."""


def names() -> list[tuple[str, str]]:
    """All built-in networks with their file, one of each file after the other."""
    files: dict[str, list[str]] = defaultdict(list)
    for name in shelf.architectures():
        source = shelf.architecture(name)
        assert source is not None
        files[Path(source.name).stem].append(name)
    turns = max(map(len, files.values()))
    return [(file, own[n]) for n in range(turns) for file, own in sorted(files.items()) if n < len(own)]


def measured(file: str, name: str) -> dict[str, Any]:
    """One network's line of results."""
    row: dict[str, Any] = {"kind": "built-in", "family": file, "name": name}
    start = time.process_time()
    try:
        report, row["different"] = there_and_back(name)
        row |= {"form": report.form, "lines": report.lines, "params": report.params, "macs": report.macs}
        row["error"] = report.max_rel_error
        row["hand"] = lines_of(shelf.architecture(name).text)  # type: ignore[union-attr]
    except CnnError as error:
        row |= {"refused": error.diagnostics[0].message, "notes": list(error.diagnostics[0].notes)}
    except Exception as error:
        row["failed"] = f"{type(error).__name__}: {error}"[:300]
    return row | {"seconds": round(time.process_time() - start, 1)}


def there_and_back(name: str) -> tuple[Report, str]:
    """What is said of a built-in network that was a PyTorch module in between, and the first difference of the graphs. Outputs
    are computed where there is one."""
    from cnndsl.backends.pytorch.live.module import to_torch

    graph = load(name).graph
    with undrawn():
        module = to_torch(graph).eval()
    inputs = [(i.type.shape, i.type.dtype) for i in graph.inputs]
    imported = import_module(module, inputs, name, "built-in", compare=False)
    found = difference(graph, imported.graph)
    if found:
        imported = import_module(to_torch(graph).eval(), inputs, name, "built-in", forms=[imported.report.form])
    return imported.report, found


def measure(into: Path, seconds: float, wanted: list[str]) -> None:
    """Appends a line for each network that has none yet, until the time is up."""
    done = {json.loads(line)["name"] for line in into.read_text().splitlines()} if into.exists() else set()
    end = time.monotonic() + seconds
    with into.open("a") as file:
        for own, name in names():
            if time.monotonic() > end:
                return
            if name not in done and (not wanted or name in wanted):
                print(json.dumps(measured(own, name)), file=file, flush=True)


def write(path: Path) -> None:
    """The page. Files of which nothing is among the results keep their line."""
    families: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in map(json.loads, path.read_text().splitlines()):
        families[row["family"]].append(row)
    lines = {said[0]: line for line in PAGE.read_text().splitlines() if (said := _cells(line))}
    for family, own in families.items():
        back = [row for row in own if "lines" in row]
        equal = sum(row.get("different") == "" for row in own)
        spans = sorted(row["lines"] for row in back)
        span = f"{spans[0]} to {spans[-1]} of {back[0]['hand']}" if back else ""
        why = next((_why(row) for row in own if row.get("different") != ""), "")
        lines[family] = f"| {family} | {len(own)} | {equal} | {span} | {why.replace('|', '/')} |"
    rows = [_cells(line) for line in lines.values()]
    same = [own for own in rows if own[2] != "0"]
    short = [own for own in same if int(own[3].split()[2]) <= MOST * int(own[3].split()[4])]
    head = inspect.cleandoc(
        f"""
        # Built-in networks there and back

        Written by `tests/importing/round_trip.py`. Each built-in network becomes a PyTorch module, which says nothing of blocks, and is
        imported again. The graph counts as the same where PyTorch is told the same for each layer, in the same places, with the same
        keys; several layers that only move numbers, such as `Reshape` and `Permute`, count as one movement, however it is written. Where
        the graph is not the same, outputs are compared on drawn weights, and it is said how far they agree; a line without that was measured
        before, as files that are not measured again keep their line. The hand-written file's lines are those of its whole family.

        {sum(int(own[2]) for own in rows)} of {sum(int(own[1]) for own in rows)} are the same graph; {len(short)} of these have at most
        {MOST} times the lines. The first network of each file is measured here.

        | file | networks | same graph | lines, of the hand-written file's | what differs |
        |---|---:|---:|---|---|
        """
    )
    PAGE.write_text("\n".join([head, *(lines[family] for family in sorted(lines))]) + "\n")


def _cells(line: str) -> list[str]:
    """The cells of a file's line; none of another line."""
    cells = [cell.strip() for cell in line.strip("|").split(" | ")]
    return cells if len(cells) == 5 and cells[1].isdigit() else []


REASONS = {
    r"numbers of `\S*matmul\S*` and `\S*attend`": "attention that is written out, `matmul`, `Softmax`, `matmul`, is `attend`, which is that",
    r"2 outputs and 1": "the output that only training has takes no weights of its own, and is not looked for then",
    r"`?\(.mul .* and `?\(.LayerScale": "a product with a `Weight` for each channel is `LayerScale`, which is that",
    r"`?\('Pad .* and `?\(": "`Pad` and the layer behind it, which pads as well, are one layer",
}
"""What a first difference comes from, by how it is told."""


def _why(row: dict[str, Any]) -> str:
    """What is not the same, in words, and how far the outputs agree."""
    if "different" not in row:
        return str(row.get("failed") or "; ".join([row["refused"], *row["notes"][:2]]))[:300]
    told = next((words for pattern, words in REASONS.items() if re.match(pattern, row["different"])), None)
    if told is None:
        first, _, second = row["different"].partition(" and ")
        named = [re.sub(r"^\W*(\w+).*", r"`\1`", one) for one in (first, second)]
        told = f"{named[0]} is told otherwise than {'that of the file' if named[0] == named[1] else named[1]}"
    error = row.get("error")
    return told + (
        "" if error is None else "; outputs equal bit for bit" if not error else f"; outputs within {error:.0e}"
    )


def check(path: Path) -> list[str]:
    """The files of which fewer networks come back as they were than the page says, in words."""
    same = [row["family"] for row in map(json.loads, path.read_text().splitlines()) if row.get("different") == ""]
    said = filter(None, map(_cells, PAGE.read_text().splitlines()))
    return [
        f"{own[0]}: {same.count(own[0])} of {own[2]} that the page says"
        for own in said
        if same.count(own[0]) < int(own[2])
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("measure")
    first.add_argument("names", nargs="*")
    first.add_argument("--into", type=Path, required=True)
    first.add_argument("--seconds", type=float, default=1e9)
    commands.add_parser("write").add_argument("results", type=Path)
    commands.add_parser("check").add_argument("results", type=Path)
    given = parser.parse_args()
    if given.command == "measure":
        measure(given.into, given.seconds, given.names)
    elif given.command == "check":
        if fewer := check(given.results):
            raise SystemExit("\n".join(fewer))
    else:
        write(given.results)


if __name__ == "__main__":
    main()
