"""What is measured: our package and its peers, each made ready to run one batch of given inputs on so many threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.options import Precision
from cnndsl.backends.tvm.package.loaded import load
from cnndsl.benchmarking.peers_in_int8 import WholeNumbers, quantized_by_nncf, quantized_by_onnxruntime
from cnndsl.benchmarking.untold import untold
from cnndsl.diagnostics.errors import MissingPart
from cnndsl.diagnostics.extras import how_to_install
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.package.built import BuiltPackage

    Arrays = dict[str, np.ndarray]

OURS = "cnndsl"


@dataclass(frozen=True)
class Task:
    """What every engine is to do. `onnx` gives the network as a file for just this batch, made when first asked for."""

    graph: Graph
    weights: Mapping[str, np.ndarray]
    inputs: Mapping[str, np.ndarray]
    """With the batch axis, each aligned to a cache line."""
    threads: int
    precision: Precision
    onnx: Callable[[], Path]
    whole: WholeNumbers | None = None
    """In precision int8."""

    @property
    def batch(self) -> int:
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True)
class Engine:
    """Ready to run. `run` is one inference by the shortest way the engine offers; `outputs` gives its results as
    float32."""

    mode: str
    run: Callable[[], object]
    outputs: Callable[[], Arrays]
    compile_s: float


def open_ours(task: Task, compile: Callable[[], BuiltPackage], mode: str) -> tuple[Engine, BuiltPackage]:
    """Our package, which `compile` makes, as it is written and loaded. Raises `MissingPart` without a compiler that links it."""
    start = time.perf_counter()
    made = compile()
    with TemporaryDirectory(prefix="cnndsl-", ignore_cleanup_errors=True) as folder:
        # What is open may go, on systems that let go of it.
        package = load(made.export(Path(folder) / "package"))
    arrays = tuple(task.inputs.values())
    names = [o.name for o in task.graph.outputs if not o.training]

    def outputs() -> Arrays:
        found = package(*arrays)
        return found if isinstance(found, dict) else {names[0]: found}

    outputs()
    return Engine(mode, lambda: package(*arrays), outputs, time.perf_counter() - start), made


def open_peer(name: str, task: Task) -> Engine:
    """A peer by its name in `PEERS`. Raises `MissingPart` where it is not installed or cannot do what is asked."""
    return PEERS[name](task)


def _onnxruntime(task: Task) -> Engine:
    if task.precision == "bf16":
        raise MissingPart(
            "ONNX Runtime has no bf16 kernels for convolutions on CPUs", "measure it with `--precision f32`"
        )
    try:
        import onnxruntime
    except ImportError:
        raise _not_installed("onnxruntime") from None
    start = time.perf_counter()
    file, mode = str(task.onnx()), "default"
    if task.whole is not None:
        file, mode = quantized_by_onnxruntime(task.onnx, task.whole)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task.threads
    options.inter_op_num_threads = 1
    errors_only = 3
    options.log_severity_level = errors_only
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    given, names = dict(task.inputs), [o.name for o in session.get_outputs()]
    session.run(None, given)
    took = time.perf_counter() - start
    return Engine(
        mode,
        lambda: session.run(None, given),
        lambda: dict(zip(names, session.run(None, given), strict=True)),
        took,
    )


def _openvino(task: Task) -> Engine:
    try:
        with untold():
            import openvino
    except ImportError:
        raise _not_installed("openvino") from None
    import numpy as np

    start = time.perf_counter()
    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": task.threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32" if task.whole is not None else task.precision,
    }
    read, mode = core.read_model(task.onnx()) if task.whole is None else None, "latency"
    if task.whole is not None:
        read, mode = quantized_by_nncf(core, task.onnx, task.whole)
    model = core.compile_model(read, "CPU", settings)
    request = model.create_infer_request()
    given = [openvino.Tensor(x, shared_memory=True) for x in task.inputs.values()]
    for index, tensor in enumerate(given):
        request.set_input_tensor(index, tensor)
    names = [o.name for o in task.graph.outputs if not o.training]

    def outputs() -> Arrays:
        request.infer()
        return {name: np.array(request.get_output_tensor(i).data, np.float32) for i, name in enumerate(names)}

    request.infer()
    return Engine(mode, request.infer, outputs, time.perf_counter() - start)


def _torch(task: Task, *, compiled: bool) -> Engine:
    if task.whole is not None:
        raise MissingPart("PyTorch is not measured in int8", "measure it with `--precision f32`")
    from cnndsl.backends.pytorch.live.inference import runner

    start = time.perf_counter()
    dtype = "bfloat16" if task.precision == "bf16" else "float32"
    run, outputs = runner(task.graph, task.weights, task.inputs, dtype, task.threads, compiled=compiled)
    return Engine("inductor" if compiled else "eager", run, outputs, time.perf_counter() - start)


PEERS: dict[str, Callable[[Task], Engine]] = {
    "openvino": _openvino,
    "onnxruntime": _onnxruntime,
    "torch-compile": lambda task: _torch(task, compiled=True),
    "torch": lambda task: _torch(task, compiled=False),
}


def _not_installed(package: str) -> MissingPart:
    return MissingPart(f"{package} is not installed", how_to_install("bench"))


def relative_error(found: Mapping[str, Any], expected: Mapping[str, Any]) -> float:
    """The largest error of any output, in units of that output's largest value; infinite for what is not a number."""
    import numpy as np

    worst = 0.0
    for name, array in expected.items():
        scale = float(np.abs(array).max(initial=0.0)) or 1.0
        error = float(np.abs(np.asarray(found[name], np.float64) - array).max(initial=0.0)) / scale
        worst = max(worst, error if error == error else float("inf"))
    return worst
