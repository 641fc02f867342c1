"""One network measured: our package, its peers in turns with it, and the distance of each to what the machine can
do."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from cnndsl.analyses.cost import cost, total
from cnndsl.arrays.weights import checked
from cnndsl.backends.tvm.examine.limits import Limits, best, measure_limits
from cnndsl.backends.tvm.examine.stage import Stage, Tell, untold
from cnndsl.backends.tvm.library import cores
from cnndsl.backends.tvm.options import DEFAULT, CompileOptions
from cnndsl.benchmarking import machine
from cnndsl.benchmarking.bench_report import BenchReport, KernelRow, Port, Roofline, Row
from cnndsl.benchmarking.engines import OURS, PEERS, Engine, Task, open_ours, open_peer, relative_error
from cnndsl.benchmarking.examples import drawn_examples, lively_weights
from cnndsl.benchmarking.peers_in_int8 import WholeNumbers
from cnndsl.benchmarking.rounds import Samples, percentile, ratio, take_turns
from cnndsl.diagnostics.errors import MissingPart
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.examine.profile import KernelTime
    from cnndsl.backends.tvm.options import Precision
    from cnndsl.backends.tvm.package.built import BuiltPackage
    from cnndsl.quantization.quantization import Quantization

    Arrays = dict[str, np.ndarray]

_DTYPES: dict[Precision, Literal["float32", "bfloat16", "int8"]] = {
    "f32": "float32",
    "bf16": "bfloat16",
    "int8": "int8",
}
EXAMPLES = 16
"""Drawn examples that are calibrated with in precision int8."""
_CHEAP = 6e9
"""A network of up to so many multiply-adds runs in float64 within a few seconds."""
_DULL = 1e-3
"""Where two examples give outputs as near as this, in units of the largest, agreement proves little."""


@dataclass(frozen=True)
class BenchPlan:
    """What to measure, and how long. A block is `seconds` of one engine; a round is a block of each."""

    peers: tuple[str, ...] = tuple(PEERS)
    options: CompileOptions = DEFAULT
    """Of our package; the peers get its precision and number of threads."""
    batch: int = 1
    rounds: int = 7
    seconds: float = 0.25
    kernels: bool = False
    choices: Mapping[Any, Any] | None = None
    """What tuning has found, by processor; None for kernels by their rules."""


def bench(
    graph: Graph,
    plan: BenchPlan | None = None,
    weights: Mapping[str, np.ndarray] | None = None,
    tell: Tell = untold,
    quantization: Quantization | None = None,
) -> BenchReport:
    """Measures the network with these weights, or with drawn ones. `tell` hears what is being done.

    In precision int8 ours is `quantization`, and peers are given it as a file; without it ours and the peers quantise the
    weights, each with its own tool and all with the same drawn examples. A peer that is not installed, or cannot do this, is named in the report's notes. Best in a process that has not
    yet used TVM or PyTorch: their pools are then made with the right number of threads. Raises `CnnError` and
    `MissingPart` of our own back ends.
    """
    plan = plan or BenchPlan()
    threads = plan.options.threads or cores()
    os.environ["TVM_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(threads)
    tell(Stage.PREPARING, "drawing weights and inputs")
    arrays = lively_weights(graph, 0) if weights is None else checked(graph, weights, "the given weights")
    inputs = drawn_examples(graph, 2, plan.batch)
    if quantization is None:
        expected, reference, notes = _reference(graph, arrays, inputs, tell)
    else:
        expected, reference, notes = _defined(graph, quantization, inputs)
    with TemporaryDirectory() as folder:
        exported = _exporter(graph, arrays, plan.batch, Path(folder))
        whole = _whole(graph, arrays, quantization, plan, Path(folder), tell)
        task = Task(graph, arrays, inputs, threads, plan.options.precision, exported, whole)
        tell(Stage.COMPILING, "compiling cnndsl")
        ours, package = open_ours(task, lambda: _compile(task, plan), "untuned" if plan.choices is None else "tuned")
        opened = {OURS: ours}
        # The limits are measured before the peers have pools of threads, and again after they have run.
        limits = [_limits(task, package)]
        for name in plan.peers:
            tell(Stage.COMPARING, f"compiling {name}")
            _open(name, task, opened, notes)
        errors = {name: relative_error(engine.outputs(), expected) for name, engine in opened.items()}
        tell(Stage.COMPARING, f"{plan.rounds} rounds of {', '.join(opened)}")
        samples = take_turns({name: engine.run for name, engine in opened.items()}, plan.rounds, plan.seconds)
    tell(Stage.COMPARING, "kernels and the machine's limits")
    rows = tuple(_row(name, engine, samples, errors[name]) for name, engine in opened.items())
    limits.append(_limits(task, package))
    return _report(graph, plan, task, package, best(limits), rows, reference, notes)


def _reference(graph: Graph, weights: Arrays, inputs: Arrays, tell: Tell) -> tuple[Arrays, str, list[str]]:
    """Outputs that errors are taken against, what computed them, and whether they say anything."""
    import numpy as np

    from cnndsl.backends.pytorch.live.inference import outputs

    count = len(next(iter(inputs.values())))
    dtype = "float64" if total(cost(graph)).macs * count <= _CHEAP else "float32"
    tell(Stage.COMPARING, f"the reference, by torch in {dtype}")
    expected = outputs(graph, weights, inputs, dtype)
    others = outputs(graph, weights, drawn_examples(graph, 3, count), "float32")
    dull = [
        name
        for name, array in expected.items()
        if float(np.abs(array - others[name]).max(initial=0)) <= _DULL * (float(np.abs(array).max(initial=0)) or 1)
    ]
    notes = [f"`{name}` hardly depends on the input, so that its error proves little" for name in dull]
    return expected, f"torch {dtype}", notes


def _defined(graph: Graph, quantization: Quantization, inputs: Arrays) -> tuple[Arrays, str, list[str]]:
    """The same of a quantised network whose weights in float32 nobody has."""
    from cnndsl.calibration.reference import outputs

    return outputs(graph, quantization, inputs), "the definition in whole numbers", []


def _whole(
    graph: Graph, weights: Arrays, given: Quantization | None, plan: BenchPlan, folder: Path, tell: Tell
) -> WholeNumbers | None:
    """What is measured in precision int8; None in others."""
    import numpy as np

    if plan.options.precision != "int8":
        return None
    examples = None
    if given is None:
        from cnndsl.calibration.calibrate import quantize

        tell(Stage.PREPARING, "quantising")
        parts = [drawn_examples(graph, 10 + i, plan.batch) for i in range(-(-EXAMPLES // plan.batch))]
        examples = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
        flat = {name: array.reshape(-1, *array.shape[2:]) for name, array in examples.items()}
        given = quantize(graph, weights, flat, {}).quantization
    quantization = given

    @cache
    def file() -> Path:
        from cnndsl.calibration.on_reals.onnx import write_quantized_onnx

        write_quantized_onnx(graph, quantization, folder / "whole.onnx", plan.batch)
        return folder / "whole.onnx"

    return WholeNumbers(quantization, file, examples)


def _exporter(graph: Graph, weights: Arrays, batch: int, folder: Path) -> Callable[[], Path]:
    @cache
    def file() -> Path:
        from cnndsl.backends.pytorch.live.export import write_onnx

        path = folder / "network.onnx"
        write_onnx(graph, weights, path, batch)
        return path

    return file


def _compile(task: Task, plan: BenchPlan) -> BuiltPackage:
    from cnndsl.backends.tvm.build import build

    options = replace(plan.options, threads=task.threads)
    table = None if task.whole is None else task.whole.quantization
    return build(task.graph, task.weights, batch=task.batch, options=options, choices=plan.choices, quantization=table)


def _open(name: str, task: Task, opened: dict[str, Engine], notes: list[str]) -> None:
    try:
        opened[name] = open_peer(name, task)
    except MissingPart as missing:
        notes.append(f"{name} is left out: {missing.message}")
    except Exception as error:  # noqa: BLE001  (whatever a peer cannot do must not stop the others)
        first = str(error).strip().partition("\n")[0]
        notes.append(f"{name} is left out: {type(error).__name__}: {first}")


def _row(name: str, engine: Engine, samples: Samples, error: float) -> Row:
    blocks = samples[name]
    return Row(
        engine=name,
        mode=engine.mode,
        p50_ms=1e3 * percentile(blocks, 0.5),
        p90_ms=1e3 * percentile(blocks, 0.9),
        p99_ms=1e3 * percentile(blocks, 0.99),
        runs=sum(map(len, blocks)),
        ratio=ratio(samples[OURS], blocks),
        max_rel_error=error,
        compile_s=engine.compile_s,
    )


def _limits(task: Task, package: BuiltPackage) -> Limits:
    return measure_limits(package.compiled(task.batch).job.cpu, task.threads, task.precision)


def _report(
    graph: Graph,
    plan: BenchPlan,
    task: Task,
    package: BuiltPackage,
    limits: Limits,
    rows: Sequence[Row],
    reference: str,
    notes: Sequence[str],
) -> BenchReport:
    from cnndsl.backends.tvm.examine.profile import profile

    compiled = package.compiled(task.batch)
    times = profile(compiled, list(task.inputs.values()), min(1.0, plan.rounds * plan.seconds))
    kernels = _kernels(times, limits)
    roofline = sum(kernel.roofline_ms for kernel in kernels)
    return BenchReport(
        network=graph.name,
        inputs=tuple(Port(name=i.name, shape=i.type.shape) for i in graph.inputs),
        threads=task.threads,
        batch=task.batch,
        dtype=_DTYPES[task.precision],
        macs=sum(kernel.macs for kernel in kernels),
        roofline_ms=roofline,
        of_roofline=roofline / rows[0].p50_ms,
        limits=Roofline(
            gflops=limits.flops / 1e9,
            memory_gb_s=limits.memory / 1e9,
            cache_gb_s=limits.cache / 1e9 if limits.cache else None,
        ),
        machine=machine.describe(compiled.job.target.name, limits.cache_bytes),
        rounds=plan.rounds,
        seconds=plan.seconds,
        reference=reference,
        rows=tuple(rows),
        kernels=kernels if plan.kernels else None,
        notes=tuple(notes),
    )


def _kernels(times: Sequence[KernelTime], limits: Limits) -> tuple[KernelRow, ...]:
    """The table of kernels. Weights come from memory unless all of them together fit into the last level of cache
    with room for as much again; maps come from that cache where they do."""
    room = (limits.cache_bytes or 0) / 2
    weights_at = limits.cache if limits.cache and sum(t.weight_bytes for t in times) <= room else limits.memory
    whole = sum(t.time for t in times)
    rows = []
    for t in times:
        maps_at = limits.cache if limits.cache and t.map_bytes <= room else limits.memory
        least = max(2 * t.macs / limits.flops, t.weight_bytes / weights_at + t.map_bytes / maps_at)
        rows.append(
            KernelRow(
                layers=t.layers,
                kernel=t.kernel,
                function=t.function,
                shape=t.shape,
                ms=1e3 * t.time,
                share=t.time / whole,
                macs=t.macs,
                gflops=2 * t.macs / t.time / 1e9,
                bytes=t.weight_bytes + t.map_bytes,
                roofline_ms=1e3 * least,
                of_roofline=least / t.time,
            )
        )
    return tuple(rows)
