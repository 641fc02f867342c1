"""A report for people: text for a terminal, Markdown for a page."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.benchmarking.bench_report import BenchReport, KernelRow
from cnndsl.ir.written import sizes

_ENGINES = ("engine", "mode", "p50 ms", "p90 ms", "p99 ms", "ours/theirs", "rel. error", "compile s")
_KERNELS = ("layers", "kernel", "result", "ms", "share", "GFLOP/s", "roofline ms", "of roofline")
_WORDS = 2
"""Columns on the left that hold words."""


def to_text(report: BenchReport) -> str:
    """The table of engines, the roofline, and the table of kernels where it was asked for."""
    lines = [_title(report), "", *_aligned(_ENGINES, _engine_cells(report)), "", *_facts(report)]
    if report.kernels is not None:
        lines += ["", *_aligned(_KERNELS, [kernel_cells(kernel) for kernel in report.kernels], words=3)]
    return "\n".join(lines)


def to_markdown(report: BenchReport) -> str:
    """The same as Markdown."""
    lines = [_title(report), "", *markdown_table(_ENGINES, _engine_cells(report)), ""]
    lines += [f"- {fact}" for fact in _facts(report)]
    if report.kernels is not None:
        lines += ["", *kernel_table(report.kernels)]
    return "\n".join(lines)


def kernel_table(kernels: Sequence[KernelRow]) -> list[str]:
    """The table of kernels in Markdown."""
    return markdown_table(_KERNELS, [kernel_cells(kernel) for kernel in kernels], words=3)


def markdown_table(header: Sequence[str], cells: Sequence[Sequence[str]], words: int = _WORDS) -> list[str]:
    """Lines of a table, aligned in its source too; all but the first `words` columns are numbers."""
    widths = [max(3, *map(len, column)) for column in zip(header, *cells, strict=True)]
    dashes = ["-" * w if i < words else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return [f"| {_line(row, widths, words, ' | ')} |" for row in [header, dashes, *cells]]


def _aligned(header: Sequence[str], cells: Sequence[Sequence[str]], words: int = _WORDS) -> list[str]:
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    return [_line(row, widths, words, "  ").rstrip() for row in [header, *cells]]


def _line(row: Sequence[str], widths: Sequence[int], words: int, between: str) -> str:
    return between.join(
        cell.ljust(w) if i < words else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
    )


def _title(report: BenchReport) -> str:
    inputs = ", ".join(f"{i.name} {sizes(i.shape)}" for i in report.inputs)
    return (
        f"{report.network}  {inputs}, batch {report.batch}, {report.dtype}, "
        f"{report.threads} {'thread' if report.threads == 1 else 'threads'}"
    )


def _engine_cells(report: BenchReport) -> list[list[str]]:
    return [
        [
            row.engine,
            row.mode,
            *(f"{value:.3f}" for value in (row.p50_ms, row.p90_ms, row.p99_ms)),
            f"{row.ratio:.3f}",
            f"{row.max_rel_error:.1e}",
            f"{row.compile_s:.1f}",
        ]
        for row in report.rows
    ]


def _facts(report: BenchReport) -> list[str]:
    limits = report.limits
    cache = f", {limits.cache_gb_s:.0f} GB/s from the last level of cache" if limits.cache_gb_s else ""
    return [
        f"roofline {report.roofline_ms:.3f} ms, of which we reach {report.of_roofline:.0%}",
        f"limits {limits.gflops:.0f} GFLOP/s, {limits.memory_gb_s:.0f} GB/s from memory{cache}",
        f"{report.rounds} rounds in blocks of {report.seconds:g} s; errors against {report.reference}",
        *report.notes,
    ]


def kernel_cells(kernel: KernelRow) -> list[str]:
    return [
        " ".join(kernel.layers) or "(layout)",
        kernel.kernel,
        sizes(kernel.shape),
        f"{kernel.ms:.3f}",
        f"{kernel.share:.1%}",
        f"{kernel.gflops:.0f}" if kernel.macs else "",
        f"{kernel.roofline_ms:.3f}",
        f"{kernel.of_roofline:.0%}",
    ]
