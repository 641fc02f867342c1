"""Guards `benchmarking/bench.py` and `benchmarking/engines.py`. A benchmark's document: engines, errors, counts and
sums; nothing is said of how long anything takes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch

from cnndsl.analyses.summary import summarize
from cnndsl.backends.pytorch.live.inference import outputs
from cnndsl.backends.tvm.emitters.bf16.maps import FEATURE
from cnndsl.backends.tvm.examine.limits import Limits, best, measure_limits
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.benchmarking import bench as benches
from cnndsl.benchmarking.bench import BenchPlan, bench
from cnndsl.benchmarking.bench_report import BenchReport, schema
from cnndsl.benchmarking.engines import relative_error
from cnndsl.benchmarking.examples import drawn_examples, lively_weights
from cnndsl.cli import run
from cnndsl.pipeline import load, parse_text
from tests.few import few

GOLDEN = Path(__file__).parents[1] / "golden" / "bench.schema.json"
NETWORK = """input image: 3×18×18
stem: Conv3x3(16, stride=2) → bn: BN → ReLU → body: [add{ conv: Conv3x3(16) → BN → ReLU → SepConv3x3(16) | id }]
  → MaxPool → LRN(5) → GlobalAvgPool → fc: FC(10)"""
SHORT = BenchPlan(
    options=CompileOptions(threads=2), rounds=2, seconds=0.01, kernels=True, peers=("onnxruntime", "torch", "openvino")
)


@pytest.fixture(autouse=True, scope="module")
def _limits_measured_once() -> Iterator[None]:
    """The limits of the machine are measured, and not anew for every network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benches, "measure_limits", cache(partial(measure_limits, seconds=0.01)))
        yield


@pytest.fixture(autouse=True)
def _same_threads_afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    threads = torch.get_num_threads()
    for name in ("TVM_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "2")
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def report() -> BenchReport:
    return bench(parse_text(NETWORK, "small.cnn").graph, replace(SHORT, batch=2))


def test_engines_agree(report: BenchReport) -> None:
    assert [(row.engine, row.mode) for row in report.rows] == [
        ("cnndsl", "untuned"),
        ("onnxruntime", "default"),
        ("torch", "eager"),
        ("openvino", "latency"),
    ]
    assert report.notes == ()
    assert report.reference == "torch float64"
    for row in report.rows:
        # Not nothing either: float32 against float64.
        assert 1e-9 < row.max_rel_error < 1e-5
        assert row.runs >= 2 * 3
        assert 0 < row.p50_ms <= row.p90_ms <= row.p99_ms
    assert report.rows[0].ratio == 1.0
    assert BenchReport.model_validate_json(report.to_json()) == report
    assert report.machine.versions["torch"] == version("torch")


def test_kernels_do_all_of_the_work(report: BenchReport) -> None:
    graph = parse_text(NETWORK).graph
    kernels = report.kernels or ()
    assert report.macs == sum(k.macs for k in kernels) == 2 * summarize(graph).totals.macs
    assert sum(k.share for k in kernels) == pytest.approx(1)
    assert report.roofline_ms == pytest.approx(sum(k.roofline_ms for k in kernels))
    names = {node.name for node in graph.nodes}
    assert {layer.partition(":")[0] for k in kernels for layer in k.layers} <= names
    (stem,) = [k for k in kernels if "stem" in k.layers and k.macs]
    assert stem.macs == 2 * 9 * 9 * 16 * 27
    assert stem.shape == (2, 1, 9, 9, 16)
    for k in kernels:
        limits = report.limits
        assert k.roofline_ms >= 2 * k.macs / limits.gflops / 1e6 * 0.999
        assert k.of_roofline == pytest.approx(k.roofline_ms / k.ms)
    fc = [k for k in kernels if "fc" in k.layers and k.macs]
    assert sum(k.macs for k in fc) == 2 * 160


def test_the_schema_is_the_golden_one() -> None:
    assert schema() == json.loads(GOLDEN.read_text("utf-8"))


def test_what_is_missing_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    graph = parse_text("input x: 4\nFC(3)").graph
    found = bench(graph, replace(SHORT, peers=("openvino", "torch"), kernels=False))
    assert [row.engine for row in found.rows] == ["cnndsl", "torch"]
    assert found.notes == ("openvino is left out: openvino is not installed",)
    assert found.kernels is None


def test_a_peer_that_breaks_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(name: str, _task: object) -> None:
        raise RuntimeError(f"{name} has no operator\nand a long story")

    monkeypatch.setattr(benches, "open_peer", breaks)
    found = bench(parse_text("input x: 4\nFC(3)").graph, replace(SHORT, peers=("torch",), kernels=False))
    assert found.notes == ("torch is left out: RuntimeError: torch has no operator",)


@pytest.mark.parametrize("name", few(["squeezenet1_1", "mobilenet_v2"], 1))
def test_drawn_weights_let_the_input_through(name: str) -> None:
    graph = load(name, {}, {"": "3x64x64"}).graph
    weights = lively_weights(graph, 0)
    one, other = (next(iter(outputs(graph, weights, drawn_examples(graph, s, 1), "float32").values())) for s in (5, 6))
    assert np.abs(one - other).max() > 0.02 * np.abs(one).max()


def test_relative_error() -> None:
    expected = {"a": np.array([4.0, -8.0]), "b": np.zeros(2)}
    assert relative_error({"a": np.array([4.0, -8.0]), "b": np.zeros(2)}, expected) == 0
    assert relative_error({"a": np.array([4.0, -8.8]), "b": np.zeros(2)}, expected) == pytest.approx(0.1)
    assert relative_error({"a": np.array([4.0, np.nan]), "b": np.zeros(2)}, expected) == float("inf")


def test_the_best_limits() -> None:
    first, second = Limits(2.0, 8.0, None, 64), Limits(3.0, 7.0, 20.0, 64)
    assert best([first, second]) == Limits(3.0, 8.0, 20.0, 64)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["bench", "lenet5", "--engines", "torch", "--rounds", "1", "--seconds", "0.01", "--threads", "2"]
    assert run([*arguments, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["engine"] for row in document["rows"]] == ["cnndsl", "torch"]
    assert document["macs"] == 416_520
    assert document["kernels"] is None
    assert run(["bench", "lenet5", "--engines", "tensorrt"]) == 2
    assert "no engine is called 'tensorrt'; there are cnndsl, openvino, onnxruntime" in capsys.readouterr().err


@pytest.mark.slow
def test_torch_compile() -> None:
    found = bench(parse_text(NETWORK).graph, replace(SHORT, peers=("torch-compile",)))
    assert found.notes == ()
    assert [row.mode for row in found.rows] == ["untuned", "inductor"]
    assert found.rows[1].max_rel_error < 1e-5


@pytest.mark.skipif(FEATURE not in find_cpu("llvm").features, reason="this processor has no AVX512_BF16")
def test_bf16_against_its_peers() -> None:
    # PyTorch has no LRN in bf16.
    found = bench(
        parse_text(NETWORK.replace("LRN(5) → ", "")).graph,
        replace(SHORT, options=CompileOptions(precision="bf16", threads=2), kernels=False),
    )
    assert found.dtype == "bfloat16"
    assert [row.engine for row in found.rows] == ["cnndsl", "torch", "openvino"]
    assert found.notes == ("onnxruntime is left out: ONNX Runtime has no bf16 kernels for convolutions on CPUs",)
    for row in found.rows:
        assert 1e-5 < row.max_rel_error < 5e-2
