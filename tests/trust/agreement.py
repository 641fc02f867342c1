"""What must be true of any network: everything that can be asked of it gives one answer, whoever is asked."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from types import ModuleType

import numpy as np
import torch

from cnndsl.arrays.drawn import drawn_inputs, drawn_weights
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.backends.pytorch.live.observe import observe
from cnndsl.backends.pytorch.writing.source import to_source
from cnndsl.backends.tvm.emitters.bf16.maps import FEATURE
from cnndsl.backends.tvm.emitters.recording.instructions import Call, Noted
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.choices import Choices
from cnndsl.backends.tvm.kernels.kernel import Tunable, key, settings
from cnndsl.backends.tvm.options import CompileOptions, Precision
from cnndsl.backends.tvm.package.loaded import Package
from cnndsl.backends.tvm.target import Cpu, Gpu, find_cpu
from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Source
from cnndsl.ir.graph import Graph
from cnndsl.passes.read_graph import read_graph
from cnndsl.pipeline import format_text, parse_text
from tests.trust.programs import Case

Arrays = dict[str, np.ndarray]


def static(text: str) -> Graph:
    """Shapes, MACs and the state dict are torch's; the text and the JSON that we write of it are the same network."""
    graph = parse_text(text).graph
    seen = observe(graph)
    assert {name: graph[name].type.shape for name in seen.shapes} == seen.shapes
    assert {e.key: (e.weight.shape, e.weight.dtype) for e in graph.weights} == dict(seen.state)
    assert [e.key for e in graph.weights] == list(seen.state)
    macs = {name: graph[name].op.macs(graph.input_types(graph[name]), graph[name].type) for name in seen.macs}
    assert macs == seen.macs
    assert read_graph(graph.model_dump_json().encode(), "net.json") == graph
    again = parse_text(format_text(Source("<text>", text))).graph
    plain = {"place", "frame"}
    assert [n.model_dump(exclude=plain) for n in again.nodes] == [n.model_dump(exclude=plain) for n in graph.nodes]
    return graph


def torch_outputs(graph: Graph, weights: Arrays, inputs: Arrays) -> Arrays:
    """The live module's outputs, which the generated file's are equal to, bit for bit."""
    live, file = to_torch(graph), _loaded(to_source(graph))
    written = next(v for v in reversed(vars(file).values()) if isinstance(v, type) and issubclass(v, torch.nn.Module))()
    results = [_run(graph, module, weights, inputs) for module in (live, written)]
    for name, value in results[0].items():
        assert np.array_equal(value, results[1][name], equal_nan=True), f"the generated file's `{name}` differs"
    return results[0]


def tvm_package(graph: Graph, weights: Arrays, case: Case) -> Package | None:
    """The network compiled as the case has it; None where a layer has no form in TVM, and the compiler says so.

    TVM's own shapes of all nodes are those of the graph."""
    from cnndsl.backends.tvm.build import build
    from cnndsl.backends.tvm.program.plain import relax_shapes

    try:
        shapes = relax_shapes(graph)
        package = build(
            graph,
            weights,
            case.target,
            case.batch,
            CompileOptions(strict_numerics=case.strict, precision=precision(case)),
            choices=drawn_choices(graph, weights, case) if case.tuned else None,
        )
    except CnnError as error:
        assert {d.id for d in error.diagnostics} == {"unsupported-by-backend"}
        return None
    assert shapes == {node.name: node.type.shape for node in graph.nodes}
    return package


def precision(case: Case) -> Precision:
    """In the compiler's words. A processor that cannot multiply bfloat16 numbers takes float32 in their place."""
    return "bf16" if case.precision == "bf16" and FEATURE in find_cpu("llvm").features else "f32"


def calls(graph: Graph, weights: Arrays, case: Case) -> Iterator[Call | Noted]:
    """The calls of kernels that the network is compiled to."""
    from cnndsl.backends.tvm.emitters.assemble import assemble
    from cnndsl.backends.tvm.program.passes import program_of

    program, cpu = program_of(graph, weights), find_cpu(case.target)
    options = CompileOptions(strict_numerics=case.strict, precision=precision(case))
    for batch in case.batch:
        yield from assemble(program, Job(cpu, options, batch)).calls


def drawn_choices(graph: Graph, weights: Arrays, case: Case) -> dict[Cpu | Gpu, Choices]:
    """One of its candidates for each kernel: all must be right, whichever tuning takes."""
    random = Random(case.tuned)
    found = {
        key(call.kernel): random.choice(settings(call.kernel))[0]
        for call in calls(graph, weights, case)
        if isinstance(call.kernel, Tunable)
    }
    return {find_cpu(case.target): Choices(found)}


def tvm_outputs(graph: Graph, package: Package, inputs: Arrays) -> Arrays:
    """The package's outputs by name."""
    result = package(*inputs.values())
    return result if isinstance(result, dict) else {graph.outputs[0].name: result}


def compare(expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray], limit: Mapping[str, float]) -> None:
    """Relative to the largest value of each tensor."""
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].shape == value.shape
        assert found[name].dtype == value.dtype
        error = distance(value, found[name])
        assert error <= limit[name], f"`{name}` is off by {error:.1e}, {limit[name]:.1e} is allowed"


def distance(expected: np.ndarray, found: np.ndarray) -> float:
    """The largest error in units of the largest value; zero where values leave float32 on both sides."""
    value, other = np.asarray(expected, np.float64), np.asarray(found, np.float64)
    scale = float(np.abs(value).max(initial=0)) or 1.0
    if not np.isfinite(scale) or scale > 1e20:
        # A chain of squares and sums that leaves float32: engines round differently on the way there.
        return 0.0
    return float(np.abs(value - other).max(initial=0)) / scale


def limits(graph: Graph, weights: Arrays, inputs: Arrays, expected: Arrays, precision: str) -> dict[str, float]:
    """How far each output may be off: 1e-4, in bfloat16 2e-2; more where PyTorch itself cannot tell.

    Networks that divide by small numbers, or take differences of large ones, make errors grow; those that divide by a number's
    own size turn its sign round. What the like errors make of PyTorch's own result is measured: in float32 against float64,
    and with weights and inputs rounded to bfloat16, or moved by as much as that may move them.
    """
    if precision == "bf16":
        random = np.random.default_rng(0)
        near = [[{k: _rounded(v) for k, v in arrays.items()} for arrays in (weights, inputs)]]
        near += [[{k: _moved(v, random) for k, v in arrays.items()} for arrays in (weights, inputs)] for _ in range(16)]
        others, usual, factor = [_run(graph, to_torch(graph), *one) for one in near], 2e-2, 4
    else:
        others, usual, factor = [_run(graph, to_torch(graph).double(), weights, inputs)], 1e-4, 50
    return {
        name: max(usual, *(factor * distance(value, other[name]) for other in others))
        for name, value in expected.items()
    }


def drawn_for(graph: Graph, count: int) -> tuple[Arrays, Arrays]:
    """Weights, and inputs of `count` examples that differ."""
    each = [drawn_inputs(graph, seed) for seed in range(count)]
    return drawn_weights(graph, 0), {name: np.concatenate([one[name] for one in each]) for name in each[0]}


def _run(graph: Graph, module: torch.nn.Module, weights: Arrays, inputs: Arrays) -> Arrays:
    module.load_state_dict({key: torch.from_numpy(np.array(value)) for key, value in weights.items()})
    wide = any(parameter.dtype == torch.float64 for parameter in module.state_dict().values())
    given = [torch.from_numpy(value) for value in inputs.values()]
    with torch.no_grad():
        return _named(graph, module.eval()(*(x.double() if wide and x.is_floating_point() else x for x in given)))


def _rounded(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        return array
    rounded: np.ndarray = torch.from_numpy(np.array(array)).bfloat16().float().numpy()
    return rounded


def _moved(array: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each number further or nearer by no more than rounding to bfloat16 moves it."""
    if array.dtype.kind != "f":
        return array
    moved: np.ndarray = (array * (1 + random.uniform(-(2**-9), 2**-9, array.shape))).astype(array.dtype)
    return moved


def _named(graph: Graph, value: object) -> Arrays:
    names = [output.name for output in graph.outputs if not output.training]
    if isinstance(value, torch.Tensor):
        return {names[0]: value.numpy()}
    values = list(value.values()) if isinstance(value, dict) else list(value)  # type: ignore[call-overload]
    return {name: tensor.numpy() for name, tensor in zip(names, values, strict=True)}


def _loaded(text: str) -> ModuleType:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated.py"
        path.write_text(text, "utf-8")
        spec = importlib.util.spec_from_file_location("generated", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
