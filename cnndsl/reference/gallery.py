"""The built-in networks as rows of figures, and as a page with a diagram of each family."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from cnndsl.analyses.summary import summarize
from cnndsl.disk.shelf import architecture, architectures, papers
from cnndsl.ir.written import sizes
from cnndsl.pipeline import load


@dataclass(frozen=True)
class Row:
    """An architecture with its figures at its own input size."""

    name: str
    family: str
    year: int | None
    input: str
    params: int
    macs: int
    receptive_field: list[int]
    sees_all: bool
    """Whether that is the whole input, whatever its size."""
    paper: str


def rows() -> list[Row]:
    """Every built-in network that needs no argument, family by family."""
    return [figures_of(name) for name in architectures()]


def figures_of(name: str) -> Row:
    """One built-in network with its figures."""
    graph = load(name).graph
    summary = summarize(graph, ())
    field = summary.receptive_field
    source, paper = architecture(name), papers(name)
    years = re.findall(r"\b(?:19|20)[0-9]{2}\b", paper)
    return Row(
        name=name,
        family=Path(source.name).stem if source else name,
        year=int(years[0]) if years else None,
        input=", ".join(str(i.type) for i in graph.inputs),
        params=summary.totals.params,
        macs=summary.totals.macs,
        receptive_field=list(field.size) if field else [],
        sees_all=field is not None and field.state == "global",
        paper=paper,
    )


def short(number: int) -> str:
    """Three significant digits: 25.6M, 4.09G."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("K", 10**3)):
        if number >= size:
            return f"{number / size:#.3g}".rstrip(".") + unit if number < 1000 * size else f"{number // size}{unit}"
    return str(number)


def times(shape: list[int]) -> str:
    return sizes(shape) or "–"


def sight(row: Row) -> str:
    """The receptive field in a cell: `427×427`, or `all`."""
    return "all" if row.sees_all else times(row.receptive_field)


def page(found: list[Row]) -> str:
    """The gallery in Markdown; `diagrams` lists what it shows."""
    parts = [
        "# The built-in networks",
        "Written by `make docs` from the files in [`architectures/`](../../architectures). Figures are exact, at the input size shown.",
    ]
    for family, members in groupby(found, key=lambda row: row.family):
        listed = list(members)
        sources = list(dict.fromkeys(row.paper for row in listed if row.paper))
        table = ["| network | input | parameters | MACs | receptive field |", "|---|---|---:|---:|---:|"]
        table += [f"| `{r.name}` | {r.input} | {r.params:,} | {r.macs:,} | {sight(r)} |" for r in listed]
        parts += [
            f"## {family}",
            "\n".join(f"- {paper}" for paper in sources),
            f"[`{family}.cnn`](../../architectures/{family}.cnn)",
            "\n".join(table),
            f'<img src="{family}.svg" alt="{listed[0].name} as a diagram" height="480">',
        ]
    return "\n\n".join(part for part in parts if part) + "\n"


def diagrams(found: list[Row]) -> dict[str, str]:
    """The network that stands for each family in the gallery, by family."""
    return {family: next(members).name for family, members in groupby(found, key=lambda row: row.family)}
