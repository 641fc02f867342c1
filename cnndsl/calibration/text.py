"""A report of a quantised network for people."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.calibration.report import LayerError, QuantizationReport
from cnndsl.ir.written import in_bytes

HEADER = ("layer", "computed together", "from", "to", "saturated", "alone dB", "through dB")
WORDS = 2
"""Columns on the left that hold words."""
MOST_WORDS = 4
LEVELS = "▁▂▃▄▅▆▇█"


def rows(report: QuantizationReport) -> list[tuple[str, ...]]:
    """The cells of the table, a row for each layer."""
    return [_cells(layer) for layer in report.layers]


def _cells(layer: LayerError) -> tuple[str, ...]:
    words = " ".join(layer.layers[:MOST_WORDS]) + (" …" if len(layer.layers) > MOST_WORDS else "")
    if layer.kept:
        return (layer.name, words, "float32", "", "", "", "")
    return (
        layer.name,
        words,
        _number(layer.low),
        _number(layer.high),
        "" if layer.saturated is None else f"{layer.saturated:.2%}",
        _db(layer.own_db),
        _db(layer.through_db),
    )


def _histogram(counts: tuple[int, ...] | None) -> str:
    """A character for each count, as high as its share of the largest, and at least the lowest where there is any."""
    most = max(counts or (0,))
    return "".join(" " if not n else LEVELS[min(7, 8 * n // most)] for n in counts or ()) if most else ""


def _number(value: float | None) -> str:
    return "real" if value is None else f"{value + 0:.4g}"


def _db(value: float | None) -> str:
    return "exact" if value is None else f"{value:.1f}"


def facts(report: QuantizationReport) -> list[str]:
    """What is said below the table."""
    others = "other" if report.held_out else "of the same"
    examples = f"{report.measured:,} {others} example{'s' if report.measured != 1 else ''}"
    same = "" if report.agreement is None else f"; the largest output is the same for {report.agreement:.1%}"
    lines = [
        f"calibrated with {report.pictures:,} example{'s' if report.pictures != 1 else ''} in {report.seconds:.1f} s",
        f"outputs against float32 on {examples}: {_db(report.sqnr_db)} dB, error {report.error:.2%}{same}",
        f"weights {in_bytes(report.weights_bytes)}, in float32 {in_bytes(report.float_bytes)}",
    ]
    if report.kept:
        lines.append(f"in float32: {', '.join(report.kept)}")
    return lines


def to_text(report: QuantizationReport, *, histograms: bool = False) -> str:
    """The table and the facts; with `histograms` also how the results of each layer lie over the numbers from 0 to 255, in
    sixteenths: the higher the character, the more of them."""
    cells: Sequence[tuple[str, ...]] = [HEADER, *rows(report)]
    if histograms:
        drawn = ["0 to 255", *(_histogram(layer.histogram) for layer in report.layers)]
        cells = [(*row, column) for row, column in zip(cells, drawn, strict=True)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(c.ljust(w) if i < WORDS else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    ]
    return "\n".join([*(line.rstrip() for line in lines), "", *facts(report)])
