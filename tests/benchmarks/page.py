"""`docs/performance.md`, from the documents that `make bench` has stored."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log

from cnndsl.benchmarking.bench_report import BenchReport, Row
from cnndsl.benchmarking.text import kernel_table, markdown_table
from cnndsl.ir.written import sizes

IN_DETAIL = ("resnet50", "mobilenet_v2")
"""Those whose kernels are listed."""
_PEERS = ("openvino", "onnxruntime", "torch-compile", "torch")

_HEAD = """# Performance

Written by `make bench` from the documents in [performance/](performance), as measured and without tuning.

## How it is measured

`cnndsl bench FILE` runs all engines in one process: same threads, batch, numbers and weights, each by the shortest way it
offers. The engines take turns in blocks of a quarter of a second, {rounds} of each. Blocks, because each engine keeps a pool
of threads that spin for a while after a run: called one by one in turn they take the cores from one another. A block begins
with runs that are not counted; each round begins with another engine. A ratio is the median over rounds of the ratio of medians,
so that what slows a whole round hides nothing; below 1 our package is faster. PyTorch runs as it comes, in its own layout; ONNX Runtime
and OpenVINO read the same ONNX file; OpenVINO is told to work for latency and in float32.

Errors are the largest of any output, in units of its largest value, against PyTorch in float64, and above 6·10⁹ multiply-adds
against float32. Weights are drawn so that numbers keep their size through all layers. With the first values of PyTorch maps shrink
from layer to layer until the output is its last bias, and any engine agrees with any other, whatever is wrong between.

The roofline is the sum over kernels of what takes longer: arithmetic at the machine's limit, or bytes at that of the memory
they come from. The limits are measured with kernels of our own: chains of multiply-adds in registers, and `a = b + s·c` over arrays larger
than the last level of cache, or a quarter of it. Weights count as coming from memory unless all of them fit into half of that cache.
Operations are those of the layers as they are defined: Winograd's transforms take fewer, so that such a kernel, and a network of them, may
be beyond its roofline.
"""


def page(reports: Mapping[str, tuple[float, BenchReport]]) -> str:
    """The page; `reports` by name, each with the most that our time may be of OpenVINO's."""
    first = next(iter(reports.values()))[1]
    lines = [_HEAD.format(rounds=first.rounds), *_machines(reports), "", "## Networks", ""]
    lines += [*_networks(reports), "", *_means(reports), "", "## Errors", "", *_errors(reports)]
    notes = [f"- {name}: {note}" for name, (_, report) in reports.items() for note in report.notes]
    if notes:
        lines += ["", "Left out or to be known:", "", *notes]
    for name in IN_DETAIL:
        if name in reports:
            lines += ["", *_kernels(name, reports[name][1])]
    return "\n".join([*lines, ""])


def _machines(reports: Mapping[str, tuple[float, BenchReport]]) -> list[str]:
    """The machine; where documents come from several, or from several versions, each of them."""
    found: dict[str, list[str]] = {}
    for name, (_, report) in reports.items():
        machine = report.machine
        versions = ", ".join(f"{package} {version}" for package, version in machine.versions.items())
        cache = f", {machine.cache_bytes / 2**20:g} MiB of last-level cache" if machine.cache_bytes else ""
        text = f"{machine.cpu} ({machine.target}), {machine.cores} cores{cache}; {report.threads} threads; {machine.system}; {versions}"
        found.setdefault(text, []).append(name)
    if len(found) == 1:
        return ["## Machine", "", f"{next(iter(found))}."]
    return ["## Machines", "", *(f"- {text}: {', '.join(names)}" for text, names in found.items())]


def _networks(reports: Mapping[str, tuple[float, BenchReport]]) -> list[str]:
    header = (
        "network",
        "input",
        "ours ms",
        "p99 ms",
        *(f"by {peer}" for peer in _PEERS),
        "to reach",
        "roofline ms",
        "of it",
        "compile s",
    )
    cells = []
    for name, (target, report) in reports.items():
        rows = {row.engine: row for row in report.rows}
        ours = rows["cnndsl"]
        shape = " ".join(sizes((report.batch, *i.shape)) for i in report.inputs)
        cells.append(
            [
                name,
                shape,
                f"{ours.p50_ms:.3f}",
                f"{ours.p99_ms:.3f}",
                *(_ratio(rows.get(peer)) for peer in _PEERS),
                f"{target:.2f}",
                f"{report.roofline_ms:.3f}",
                f"{report.of_roofline:.0%}",
                f"{ours.compile_s:.1f}",
            ]
        )
    return [
        "Medians and 99th percentiles of ours, and ours by each peer's; `to reach` is the most that the ratio to OpenVINO may be.",
        "`compile s` is the time from weights to the first answer, the import of TVM included.",
        "",
        *markdown_table(header, cells),
    ]


def _ratio(row: Row | None) -> str:
    return f"{row.ratio:.3f}" if row else "–"


def _means(reports: Mapping[str, tuple[float, BenchReport]]) -> list[str]:
    """A line: the geometric mean of the ratios to each peer."""
    parts = []
    for peer in _PEERS:
        ratios = [row.ratio for _, report in reports.values() for row in report.rows if row.engine == peer]
        if ratios:
            parts.append(f"{exp(sum(map(log, ratios)) / len(ratios)):.3f} to {peer} ({len(ratios)} networks)")
    return [f"Geometric means of the ratios: {', '.join(parts)}."] if parts else []


def _errors(reports: Mapping[str, tuple[float, BenchReport]]) -> list[str]:
    engines = ("cnndsl", *_PEERS)
    cells = []
    for name, (_, report) in reports.items():
        rows = {row.engine: row for row in report.rows}
        errors = [f"{rows[engine].max_rel_error:.1e}" if engine in rows else "–" for engine in engines]
        cells.append([name, report.reference, *errors])
    return markdown_table(("network", "against", *engines), cells)


def _kernels(name: str, report: BenchReport) -> list[str]:
    kernels = report.kernels or ()
    total = sum(kernel.ms for kernel in kernels)
    kinds: dict[str, list[float]] = {}
    for kernel in kernels:
        sums = kinds.setdefault(kernel.kernel, [0, 0.0, 0.0])
        sums[0] += 1
        sums[1] += kernel.ms
        sums[2] += kernel.roofline_ms
    ordered = sorted(kinds.items(), key=lambda item: -item[1][1])
    cells = [
        [kind, f"{calls:.0f}", f"{ms:.3f}", f"{ms / total:.1%}", f"{roofline:.3f}", f"{roofline / ms:.0%}"]
        for kind, (calls, ms, roofline) in ordered
    ]
    limits = report.limits
    cache = f", {limits.cache_gb_s:.0f} GB/s from the last level of cache" if limits.cache_gb_s else ""
    return [
        f"## Kernels of {name}",
        "",
        f"Limits in this run: {limits.gflops:.0f} GFLOP/s, {limits.memory_gb_s:.0f} GB/s from memory{cache}.",
        "",
        *markdown_table(("kernel", "calls", "ms", "share", "roofline ms", "of roofline"), cells, words=1),
        "",
        *kernel_table(kernels),
    ]
