"""Built-in networks through PyTorch and back: is the graph the same, and how long is the text? Measures, and writes a table.

    python -m tests.importing.round_trip measure --into results.jsonl [--seconds 3600] [NAME …]
    python -m tests.importing.round_trip write results.jsonl
    python -m tests.importing.round_trip check results.jsonl

Measuring goes on where results.jsonl ends. The table is docs/importing/round-trips.md; `check` fails where fewer networks of a
file come back as they were than it says.
"""

from __future__ import annotations

import argparse
import json
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
    """The page."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    same = [row for row in rows if row.get("different") == ""]
    short = [row for row in same if row["lines"] <= MOST * row["hand"]]
    files: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        files[row["family"]].append(row)
    lines = [
        "| file | networks | same graph | lines, of the hand-written file's | what differs |",
        "|---|---:|---:|---|---|",
    ]
    for file, own in sorted(files.items()):
        back = [row for row in own if "lines" in row]
        equal = sum(row.get("different") == "" for row in own)
        spans = sorted(row["lines"] for row in back)
        span = f"{spans[0]} to {spans[-1]} of {back[0]['hand']}" if back else ""
        why = next((_why(row) for row in own if row.get("different") != ""), "")
        lines.append(f"| {file} | {len(own)} | {equal} | {span} | {why.replace('|', '/')[:120]} |")
    PAGE.write_text(
        "\n\n".join(
            [
                "# Built-in networks there and back",
                "Written by `tests/importing/round_trip.py`. Each built-in network becomes a PyTorch module, which says nothing"
                " of blocks, and is imported again. The graph counts as the same where PyTorch is told the same for each layer,"
                " in the same places, with the same keys. The hand-written file's lines are those of its whole family.",
                f"{len(same)} of {len(rows)} are the same graph; {len(short)} of these have at most {MOST} times the lines. The first network of each file is"
                " measured here.",
                "\n".join(lines),
            ]
        )
        + "\n"
    )


def _why(row: dict[str, Any]) -> str:
    """What is not the same, in words."""
    return str(row.get("different") or row.get("failed") or "; ".join([row["refused"], *row["notes"][:2]]))


def check(path: Path) -> list[str]:
    """The files of which fewer networks come back as they were than the page says, in words."""
    same = [row["family"] for row in map(json.loads, path.read_text().splitlines()) if row.get("different") == ""]
    found = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[2].isdigit() and same.count(cells[0]) < int(cells[2]):
            found.append(f"{cells[0]}: {same.count(cells[0])} of {cells[2]} that the page says")
    return found


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
