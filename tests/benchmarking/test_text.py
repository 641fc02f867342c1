"""Guards `benchmarking/text.py` and `benchmarking/bench_report.py`. A report as JSON, text and Markdown."""

from __future__ import annotations

import json

from cnndsl.benchmarking.bench_report import BenchReport, KernelRow, Machine, Port, Roofline, Row
from cnndsl.benchmarking.text import to_markdown, to_text

REPORT = BenchReport(
    network="small",
    inputs=(Port(name="image", shape=(3, 8, 8)),),
    threads=2,
    batch=4,
    dtype="float32",
    macs=4_000_000,
    roofline_ms=0.5,
    of_roofline=0.25,
    limits=Roofline(gflops=200.4, memory_gb_s=40.0, cache_gb_s=None),
    machine=Machine(cpu="A CPU", cores=2, target="znver4", cache_bytes=None, system="Linux x86_64", versions={"torch": "2"}),
    rounds=7,
    seconds=0.25,
    reference="torch float64",
    rows=(
        Row(engine="cnndsl", mode="untuned", p50_ms=2.0, p90_ms=2.5, p99_ms=3.0, runs=9, ratio=1.0, max_rel_error=1e-6, compile_s=1.25),
        Row(engine="torch", mode="eager", p50_ms=8.0, p90_ms=8.5, p99_ms=9.0, runs=9, ratio=0.25, max_rel_error=2e-7, compile_s=0.5),
    ),
    kernels=(
        KernelRow(layers=("conv", "relu"), kernel="DirectConv", function="directconv", shape=(4, 1, 8, 8, 16), ms=1.5, share=0.75,
                  macs=4_000_000, gflops=5.3, bytes=1024, roofline_ms=0.4, of_roofline=0.2667),
        KernelRow(layers=(), kernel="Repack", function="repack", shape=(4, 10), ms=0.5, share=0.25, macs=0, gflops=0.0, bytes=160,
                  roofline_ms=0.1, of_roofline=0.2),
    ),
    notes=("openvino is left out: openvino is not installed",),
)  # fmt: skip

TEXT = """small  image 3×8×8, batch 4, float32, 2 threads

engine  mode     p50 ms  p90 ms  p99 ms  ours/theirs  rel. error  compile s
cnndsl  untuned   2.000   2.500   3.000        1.000     1.0e-06        1.2
torch   eager     8.000   8.500   9.000        0.250     2.0e-07        0.5

roofline 0.500 ms, of which we reach 25%
limits 200 GFLOP/s, 40 GB/s from memory
7 rounds in blocks of 0.25 s; errors against torch float64
openvino is left out: openvino is not installed

layers     kernel      result         ms  share  GFLOP/s  roofline ms  of roofline
conv relu  DirectConv  4×1×8×8×16  1.500  75.0%        5        0.400          27%
(layout)   Repack      4×10        0.500  25.0%                 0.100          20%"""


def test_text() -> None:
    assert to_text(REPORT) == TEXT


def test_markdown() -> None:
    lines = to_markdown(REPORT).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in table] == [
        "engine",
        "------",
        "cnndsl",
        "torch",
        "layers",
        "---------",
        "conv relu",
        "(layout)",
    ]
    assert len({len(line) for line in table[:4]}) == len({len(line) for line in table[4:]}) == 1
    assert "- roofline 0.500 ms, of which we reach 25%" in lines


def test_the_document_has_the_keys_of_the_interface() -> None:
    document = json.loads(REPORT.to_json())
    assert list(document)[:6] == ["schema", "network", "inputs", "threads", "batch", "dtype"]
    assert document["schema"] == 1
    assert document["rows"][1] == {
        "engine": "torch", "mode": "eager", "p50_ms": 8.0, "p90_ms": 8.5, "p99_ms": 9.0, "runs": 9, "ratio": 0.25,
        "max_rel_error": 2e-7, "compile_s": 0.5,
    }  # fmt: skip
