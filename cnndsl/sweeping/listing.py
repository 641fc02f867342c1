"""Rows as a table for people, as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from cnndsl.ir.written import in_bytes, in_time
from cnndsl.sweeping.rows import Row

IN_BYTES = frozenset({"memory", "training_memory"})
MOST_REASONS = 8
"""Reasons that are told, each with the variants that it is of."""


def columns(rows: Sequence[Row], swept: Sequence[str], figures: Sequence[str]) -> list[str]:
    """The names of the columns: the model and the sizes where there are several, the parameters, and the figures."""
    variants = [row.variant for row in rows]
    models = ["model"] if any(variant.model is not None for variant in variants) else []
    inputs = [name or "input" for name in (variants[0].inputs if variants else ())]
    return list(dict.fromkeys([*models, *swept, *inputs, *figures]))


def to_text(rows: Sequence[Row], names: Sequence[str]) -> str:
    """The table for people, numbers aligned on the right."""
    cells = [list(names), *([_cell(name, row.get(name)) for name in names] for row in map(Row.flat, rows))]
    return "\n".join(_lines(cells, rows, names, "  "))


def to_markdown(rows: Sequence[Row], names: Sequence[str]) -> str:
    """A Markdown table."""
    flat = [row.flat() for row in rows]
    dashes = ["---:" if _numeric(flat, name) else ":---" for name in names]
    lines = [list(names), dashes, *([_cell(name, row.get(name)).replace("|", "\\|") for name in names] for row in flat)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def to_csv(rows: Sequence[Row], names: Sequence[str]) -> str:
    """A line for each row, with plain numbers, for a spreadsheet."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in map(Row.flat, rows):
        writer.writerow([_inert(row.get(name)) for name in names])
    return text.getvalue()


def to_json(rows: Sequence[Row], refused: Sequence[Row], tried: int) -> str:
    """An object with the rows, those that cannot be built, and how many were tried."""
    told = {
        "schema": 1,
        "tried": tried,
        "rows": [row.to_json() for row in rows],
        "refused": [row.to_json() for row in refused],
    }
    return json.dumps(told, indent=1, ensure_ascii=False)


def reasons(refused: Sequence[Row]) -> list[str]:
    """What cannot be built and why, variants with one reason in one line."""
    groups: dict[str, list[Row]] = {}
    for row in refused:
        groups.setdefault(f"{row.id}", []).append(row)
    lines = []
    for id, rows in list(groups.items())[:MOST_REASONS]:
        others = f", and {len(rows) - 1:,} more" if len(rows) > 1 else ""
        lines.append(f"{rows[0].variant.words}{others}: {rows[0].reason} [{id}]")
    if len(groups) > MOST_REASONS:
        lines.append(f"… and {len(groups) - MOST_REASONS} reasons more; --format json has all")
    return lines


def _lines(cells: Sequence[Sequence[str]], rows: Sequence[Row], names: Sequence[str], gap: str) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    flat = [row.flat() for row in rows]
    right = [_numeric(flat, name) for name in names]
    return [
        gap.join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True)).rstrip()
        for line in cells
    ]


def _numeric(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    return all(isinstance(row.get(name), int | float | None) for row in rows)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if name == "latency":
        return in_time(value)
    return in_bytes(int(value)) if name in IN_BYTES else f"{value:,}"


def _inert(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
