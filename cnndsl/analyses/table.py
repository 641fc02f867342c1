"""The outline of a network as a text table, CSV or Markdown."""

from __future__ import annotations

import csv
from io import StringIO
from typing import NamedTuple

from cnndsl.analyses.document import FieldReport, NetworkTime, Summary
from cnndsl.analyses.outline import Outline, Row
from cnndsl.ir.written import in_bytes, in_time, sizes

COLUMNS = ("layer", "kind", "output", "params", "params%", "macs", "macs%", "flops", "rf", "latency")
"""Columns by the names that `--columns` takes."""
USUAL = ("layer", "kind", "output", "params", "macs", "rf")
WIDE = ("layer", "kind", "output", "params", "params%", "macs", "macs%", "rf")
"""With bars for the share of the whole: what a terminal shows that has room for them."""
TITLES = {"params": "parameters", "params%": "share", "macs": "MACs", "macs%": "share", "flops": "FLOPs"} | {
    "rf": "receptive field"
}
NUMBERS = frozenset({"params", "macs", "flops", "rf", "latency"})
BAR = 8
"""Characters of a full bar, each in eighths."""
LEAST = 12
"""Characters that a shortened column keeps."""


def to_text(outline: Outline, width: int | None = None, columns: tuple[str, ...] | None = None) -> str:
    """The table for people: a tree, numbers aligned on the right, and the totals below.

    With `width`, what is written in the layers is shortened until a line fits. Where no columns are asked for, bars say
    each row's share of the parameters and MACs, if they fit beside the rest.
    """
    if columns is None:
        wide = (*WIDE, *usual(outline.summary)[len(USUAL) :])
        if width is not None and _width(outline, wide) <= width:
            return to_text(outline, width, wide)
        columns = usual(outline.summary)
    cells = [[cell(row, column, outline.summary) for column in columns] for row in outline.rows]
    header = [TITLES.get(column, column) for column in columns]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    if width is not None:
        for column in ("kind", "layer"):
            if column in columns and (over := sum(widths) + 2 * (len(widths) - 1) - width) > 0:
                index = columns.index(column)
                widths[index] = max(min(LEAST, widths[index]), widths[index] - over)
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    shape = ", ".join(map(str, outline.inputs))
    lines = [f"{outline.summary.model}  {shape}", rule, _line(header, widths, columns), rule]
    lines += [_line(row, widths, columns) for row in cells]
    return "\n".join([*lines, rule, *total_lines(outline)])


def usual(summary: Summary) -> tuple[str, ...]:
    """The columns that are shown where none are asked for: with the time, where the summary has it."""
    return (*USUAL, "latency") if summary.latency is not None else USUAL


def _width(outline: Outline, columns: tuple[str, ...]) -> int:
    """Characters of a line that shortens nothing."""
    rows = [
        [TITLES.get(column, column) for column in columns],
        *([cell(row, column, outline.summary) for column in columns] for row in outline.rows),
    ]
    return sum(max(map(len, column)) for column in zip(*rows, strict=True)) + 2 * (len(columns) - 1)


def to_markdown(outline: Outline, columns: tuple[str, ...] = USUAL) -> str:
    """A Markdown table, aligned in its source too, and the totals as a list."""
    header = [TITLES.get(column, column) for column in columns]
    cells = [
        [_indented(row) if column == "layer" else _escaped(cell(row, column, outline.summary)) for column in columns]
        for row in outline.rows
    ]
    widths = [max(3, *map(len, column)) for column in zip(header, *cells, strict=True)]
    dashes = ["-" * (w - 1) + ":" if c in NUMBERS else "-" * w for c, w in zip(columns, widths, strict=True)]
    lines = [f"| {_line(row, widths, columns, ' | ')} |" for row in [header, dashes, *cells]]
    listed = [f"- {total.name} {total.value}" for total in totals(outline.summary)]
    return "\n".join([*lines, "", *listed])


def to_csv(outline: Outline) -> str:
    """One line a row, with full names and plain numbers, for a spreadsheet."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    axes = ("size", "stride", "start")
    writer.writerow(
        ["name", "level", "kind", "times", "output", "params", "macs", "flops", *(f"rf_{a}" for a in axes), "rf_state"]
    )
    for row in outline.rows:
        seen = row.receptive_field
        figures = [_times(getattr(seen, axis)) for axis in axes] + [seen.state] if seen else ["", "", "", ""]
        writer.writerow(
            [
                row.name,
                len(row.branches),
                row.title,
                row.times,
                _times(row.type.shape),
                row.params,
                row.macs,
                row.flops,
                *figures,
            ]
        )
    return text.getvalue()


class Total(NamedTuple):
    """A figure of the whole network: a whole number, words, or a number and what it counts."""

    name: str
    number: int | None
    words: str = ""

    @property
    def value(self) -> str:
        """The figure without its name, on one line."""
        number = [] if self.number is None else [f"{self.number:,}"]
        return " ".join([*number, *self.words.split()])


def totals(summary: Summary, *, repeated: bool = False) -> list[Total]:
    """The figures of the whole network. With `repeated` the last of them says what `×N` in a row means."""
    sums = summary.totals
    peak = sums.peak_memory_bytes
    counted = f"batch {peak.batch}{'' if peak.precision == 'f32' else f', {peak.precision}'}"
    memory = f"{in_bytes(peak.inference)} in inference, {in_bytes(peak.training)} in training ({counted})"
    found = [
        Total("parameters", sums.params),
        Total("buffers", sums.buffers),
        Total("MACs", sums.macs),
        Total("FLOPs", sums.flops),
        Total("activations", sums.activations),
        Total("depth", sums.depth, "layers with weights on the longest path"),
        Total("peak memory", None, memory),
        Total("receptive field", None, _in_words(summary)),
    ]
    if len(summary.outputs) > 1:
        named = (f"{o.name} {sizes(o.shape)}{' (only in training)' if o.training else ''}" for o in summary.outputs)
        found.append(Total("outputs", None, ", ".join(named)))
    if summary.latency is not None:
        found += _time_totals(summary.latency)
    if repeated:
        alike = "N alike rounds: the row sums all of them, the rows below it are the first one's"
        found.append(Total("×N", None, alike))
    return found


def _time_totals(time: NetworkTime) -> list[Total]:
    rough = ", rough" if time.rough else ""
    error = -(-round(100 * time.error) // 5) * 5
    kind = "" if (time.precision, time.batch) == ("f32", 1) else f", {time.precision}, batch {time.batch}"
    words = f"{in_time(time.seconds)} ± {error} %{rough} on {time.machine} ({time.state}){kind}"
    whole = sum(time.by_reason.values()) or 1.0
    parts = sorted(time.by_reason.items(), key=lambda part: -part[1])
    shares = ", ".join(f"{name} {100 * t / whole:.0f} %" for name, t in parts)
    maps = f", {in_bytes(time.map_bytes)} of maps" if time.map_bytes is not None else ""
    return [
        Total("latency", None, words),
        Total("of which", None, f"{shares}; {time.calls} calls"),
        Total("package", None, f"{in_bytes(time.weight_bytes)} of weights{maps}"),
    ]


def total_lines(outline: Outline) -> list[str]:
    """The totals as lines of text, names and numbers aligned."""
    found = totals(outline.summary, repeated=any(row.times > 1 for row in outline.rows))
    wide = max(len(f"{total.number:,}") for total in found if total.number is not None)
    return [
        f"{total.name:<15} "
        + "  ".join([*([f"{total.number:>{wide},}"] if total.number is not None else []), *filter(None, [total.words])])
        for total in found
    ]


def _in_words(summary: Summary) -> str:
    seen = summary.receptive_field
    if seen is None:
        return "not known: no map before the output has the input's axes"
    if seen.state == "global":
        return f"all of the input, at {seen.node}"
    unit = "pixels" if len(seen.size) > 1 else "positions"
    padding = tuple(-start for start in seen.start)
    words = f"{_times(seen.size)} {unit} at {seen.node}, stride {_short(seen.stride)}, padding {_short(padding)}"
    return (
        words
        if seen.state == "exact"
        else f"{words}; unaligned: positions see different pixels, and this holds all of them"
    )


def cell(row: Row, column: str, summary: Summary) -> str:
    """What a row has in a column of `COLUMNS`."""
    match column:
        case "layer":
            times = f" ×{row.times}" if row.times > 1 else ""
            return "".join(_bars(row.branches)) + (row.label) + times
        case "kind":
            return row.title
        case "output":
            return str(row.type)
        case "params":
            return f"{row.params:,}" if row.params else "–"
        case "macs":
            return f"{row.macs:,}" if row.macs else "–"
        case "params%":
            return _share(row.params, summary.totals.params)
        case "macs%":
            return _share(row.macs, summary.totals.macs)
        case "flops":
            return f"{row.flops:,}" if row.flops else "–"
        case "rf":
            return sight(row.receptive_field)
        case "latency":
            return _spent(row)
    raise ValueError(f"no column is called {column!r}; there are {', '.join(COLUMNS)}")


def _spent(row: Row) -> str:
    """The time and what takes most of it: `120 µs arithmetic`."""
    if not row.latency:
        return "–"
    reason = max(row.latency, key=lambda name: row.latency[name])
    return f"{in_time(sum(row.latency.values()))} {reason}"


def _share(part: int, whole: int) -> str:
    """A bar and the percentage: `███▌     44 %`; nothing for nothing."""
    if not part:
        return ""
    eighths = max(1, round(BAR * 8 * part / whole))
    bar = "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
    return f"{bar:<{BAR}} {100 * part / whole:>3.0f} %" if 200 * part >= whole else f"{bar:<{BAR}} <1 %"


def sight(seen: FieldReport | None) -> str:
    """Size and stride, `427 /32`; `~` where paths are not aligned."""
    if seen is None:
        return "–"
    if seen.state == "global":
        return "all"
    rough = "~" if seen.state == "unaligned" else ""
    return f"{rough}{_short(seen.size)} /{_short(seen.stride)}"


def _bars(branches: tuple[bool, ...]) -> list[str]:
    return ["│  " if more else "   " for more in branches[:-1]] + ["├─ " if branches[-1] else "└─ "]


def _indented(row: Row) -> str:
    return "&emsp;" * (len(row.branches) - 1) + _escaped(row.label) + (f" ×{row.times}" if row.times > 1 else "")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _line(cells: list[str], widths: list[int], columns: tuple[str, ...], gap: str = "  ") -> str:
    fitted = [
        text if len(text) <= width else text[: width - 1] + "…" for text, width in zip(cells, widths, strict=True)
    ]
    padded = [
        text.rjust(width) if column in NUMBERS else text.ljust(width)
        for text, width, column in zip(fitted, widths, columns, strict=True)
    ]
    return gap.join(padded).rstrip() if gap == "  " else gap.join(padded)


def _times(numbers: tuple[int | float, ...]) -> str:
    return "×".join(f"{number:.4g}" if isinstance(number, float) else str(number) for number in numbers)


def _short(numbers: tuple[int | float, ...]) -> str:
    """One number where all axes agree."""
    return _times(numbers[:1] if len(set(numbers)) == 1 else numbers)
