"""Compares, layer by layer, what we say of a network with what PyTorch does and what TVM does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal

from cnndsl.arrays.drawn import drawn_inputs, drawn_weights
from cnndsl.backends.tvm.examine.stage import Stage, Tell, untold
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.options import Precision
    from cnndsl.quantization.quantization import Quantization

    Arrays = dict[str, np.ndarray]

LIMIT = 1e-5
"""The largest relative error between two engines, in units of the largest value of the tensor."""

BF16_LIMIT = 2e-2
"""The same for a package that multiplies bfloat16 numbers."""

INT8_LIMIT = 5e-2
"""The same behind layers that stay in float32 in a package of whole numbers: what differs there in the last bits may round to
the next whole number."""


@dataclass(frozen=True)
class Finding:
    """One thing that was compared: how many of it, whether all agreed, and where they first did not."""

    what: str
    between: str
    count: int
    agrees: bool
    detail: str
    first: str | None = None
    """The first layer, weight or output that disagrees."""


def verify(
    graph: Graph,
    seed: int = 0,
    precision: Precision = "f32",
    tell: Tell = untold,
    quantization: Quantization | None = None,
) -> Iterable[Finding]:
    """Compares static figures, PyTorch and TVM; every finding as soon as it is known. `tell` hears what is done next.

    Shapes, MACs, parameters and the state dict are compared exactly. For values, weights and inputs are drawn from
    `seed`; TVM runs every node in its plain form, within `plain_limit`, and then the whole package as it would be
    shipped. A package in `precision` bf16 is compared layer by layer, and may be `BF16_LIMIT` off. One in int8 is that of
    `quantization`, or else of the drawn weights, calibrated with drawn inputs: every tensor of whole numbers must be the same
    as in `calibration/reference.py`. Raises `CnnError` (unsupported-by-backend, unsupported-by-target, not-quantized,
    wrong-quantization) and `MissingPart`.
    """
    tell(Stage.PREPARING, "comparing figures")
    yield from _statics(graph)
    if precision == "int8":
        yield from _whole_numbers(graph, seed, quantization, tell)
    else:
        yield from _values(graph, seed, precision, tell)


def _statics(graph: Graph) -> Iterable[Finding]:
    from cnndsl.backends.pytorch.live.observe import observe
    from cnndsl.backends.tvm.program.plain import relax_shapes

    seen = observe(graph)
    nodes = [node for node in graph.nodes if node.name in seen.shapes]
    shapes = {node.name: node.type.shape for node in graph.nodes}
    here = {node.name: shapes[node.name] for node in nodes}
    yield _equal("shapes", "ours and PyTorch", here, seen.shapes, "equal")
    macs = {node.name: node.op.macs(graph.input_types(node), node.type) for node in nodes}
    yield _equal("MACs", "ours and PyTorch", macs, seen.macs, f"{sum(macs.values()):,} in all")
    state = {entry.key: (entry.weight.shape, entry.weight.dtype) for entry in graph.weights}
    yield _equal("state dict", "ours and PyTorch", state, seen.state, "same keys, order, shapes, types")
    totals = {
        "trained": sum(entry.weight.elements for entry in graph.weights if entry.weight.trained),
        "buffers": sum(entry.weight.elements for entry in graph.weights if not entry.weight.trained),
    }
    in_torch = {"trained": seen.params, "buffers": seen.buffers}
    counts = f"{totals['trained']:,} and {totals['buffers']:,} in buffers"
    yield _equal("parameters", "ours and PyTorch", totals, in_torch, counts)
    yield _equal("shapes", "ours and TVM", shapes, relax_shapes(graph), "equal")


def _equal(what: str, between: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], detail: str) -> Finding:
    """Compares two mappings entry by entry, order included."""
    for (name, value), (other, found) in zip(ours.items(), theirs.items(), strict=False):
        if name != other:
            return Finding(what, between, len(ours), False, f"`{other}` stands where we have `{name}`", name)
        if value != found:
            return Finding(what, between, len(ours), False, f"`{name}`: ours {value}, theirs {found}", name)
    if len(ours) != len(theirs):
        more = next(iter(ours.keys() ^ theirs.keys()))
        return Finding(what, between, len(ours), False, f"only one side has `{more}`", more)
    return Finding(what, between, len(ours), True, detail)


def _values(graph: Graph, seed: int, precision: Literal["f32", "bf16"], tell: Tell) -> Iterable[Finding]:
    from cnndsl.backends.pytorch.live.observe import activations as torch_values
    from cnndsl.backends.tvm.build import build
    from cnndsl.backends.tvm.options import CompileOptions
    from cnndsl.backends.tvm.program.plain import activations as tvm_values

    weights, inputs = drawn_weights(graph, seed), drawn_inputs(graph, seed)
    tell(Stage.COMPARING, "running PyTorch")
    expected = torch_values(graph, weights, inputs)
    tell(Stage.COMPARING, "compiling the layers in their plain form")
    plain = tvm_values(graph, weights, inputs)
    here = {name: plain[name] for name in expected}
    doubt = cancellation(graph, {**inputs, **expected})
    yield close("values of layers", "PyTorch and TVM, plain", expected, here, plain_limit(graph), doubt)
    if precision == "bf16":
        from cnndsl.backends.tvm.examine.bf16_layers import activations as bf16_values

        tell(Stage.COMPARING, "compiling the layers in bf16")
        layers = bf16_values(graph, weights, inputs)
        reference = {name: expected[name] for name in layers if name in expected}
        yield close("values in bf16", "PyTorch in f32 and TVM", reference, layers, BF16_LIMIT, doubt)
    limit = BF16_LIMIT if precision == "bf16" else LIMIT
    tell(Stage.COMPILING, "compiling the network")
    package = build(graph, weights, options=CompileOptions(precision=precision), origin="the drawn weights")
    tell(Stage.COMPARING, "running the package")
    result = package(*inputs.values())
    outputs = [o for o in graph.outputs if not o.training]
    shipped = result if isinstance(result, dict) else {outputs[0].name: result}
    answers = {o.name: expected[o.node] for o in outputs}
    of_outputs = {o.name: doubt.get(o.node, 1.0) for o in outputs}
    yield close("outputs", "PyTorch and the TVM package", answers, shipped, limit, of_outputs)


def _whole_numbers(graph: Graph, seed: int, quantization: Quantization | None, tell: Tell) -> Iterable[Finding]:
    from cnndsl.backends.tvm.build import build
    from cnndsl.backends.tvm.examine.int8_layers import activations
    from cnndsl.backends.tvm.plan.quantized_network import quantized_network
    from cnndsl.calibration.calibrate import quantize
    from cnndsl.calibration.comparison import exact_groups, reference_values
    from cnndsl.calibration.reference import outputs

    inputs = drawn_inputs(graph, seed)
    if quantization is None:
        tell(Stage.PREPARING, "quantising drawn weights")
        weights = drawn_weights(graph, seed)
        quantization = quantize(graph, weights, inputs, {}).quantization
    tell(Stage.COMPARING, "computing the reference")
    network = quantized_network(graph, quantization)
    expected, exact = reference_values(network, inputs), exact_groups(network)
    tell(Stage.COMPILING, "compiling the layers in int8")
    found = activations(graph, network, inputs)
    equal = {name: expected[name] for name in found if name in exact}
    yield _same("whole numbers", equal, found)
    others = {name: expected[name] for name in found if name not in exact}
    if others:
        yield close("behind float32", "the reference and TVM", others, found, INT8_LIMIT)
    tell(Stage.COMPILING, "compiling the network")
    package = build(graph, quantization=quantization, origin="the quantised network")
    tell(Stage.COMPARING, "running the package")
    result = package(*inputs.values())
    answers = outputs(graph, quantization, inputs)
    shipped = result if isinstance(result, dict) else dict.fromkeys(answers, result)
    defined = {name: array for name, array in answers.items() if network.program.outputs[name] in exact}
    rest = {name: array for name, array in answers.items() if name not in defined}
    if defined:
        yield _same("outputs", defined, shipped)
    if rest:
        yield close("outputs", "the reference and TVM", rest, shipped, INT8_LIMIT)


def _same(what: str, expected: Arrays, found: Arrays) -> Finding:
    """Compares arrays by name, bit by bit."""
    between, count = "the reference and TVM", len(expected)
    for name, array in expected.items():
        other = found[name]
        if other.shape != array.shape or (differ := int((array != other).sum())):
            detail = f"`{name}`: {differ:,} of {array.size:,} numbers" if other.shape == array.shape else f"`{name}`"
            return Finding(what, between, count, False, detail, name)
    return Finding(what, between, count, True, "equal in every bit")


def plain_limit(graph: Graph) -> float:
    """How far apart PyTorch and TVM's plain forms may be: these add all products of an output to one float32.

    Rounding moves a running sum of `n` drawn terms by about `√n` times the 2⁻²⁴ of a single addition, in units of the
    sum. Below 28 000 terms that is less than `LIMIT`.
    """
    terms = (node.op.macs(graph.input_types(node), node.type) // node.type.elements for node in graph.nodes)
    return max(LIMIT, 2**-24 * sqrt(max(terms, default=0)))


MOST_DOUBT = 1e3
"""The most that cancellation may widen a limit: a wrong weight moves a value by far more than that."""


def cancellation(graph: Graph, values: Arrays) -> dict[str, float]:
    """By how much subtraction has made the rounding errors of each node larger, in units of its own largest value.

    Where two nearly equal tensors are subtracted, as the embeddings of a Siamese network are, what is left is small and
    the errors are still those of the two: they are measured by the largest of what was subtracted. Behind it they stay
    as large beside the values, unless a larger tensor is added.
    """
    import numpy as np

    largest = {name: float(np.abs(array).max(initial=0.0)) for name, array in values.items() if array.size}
    doubt: dict[str, float] = dict.fromkeys((given.name for given in graph.inputs), 1.0)
    for node in graph.nodes:
        arriving = [doubt[name] for name in node.inputs]
        if node.op.combines in ("add", "sub") and (here := largest.get(node.name, 0.0)) > 0:
            carried = max(d * largest.get(name, 0.0) for d, name in zip(arriving, node.inputs, strict=True))
            doubt[node.name] = min(max(carried / here, 1.0), MOST_DOUBT)
        else:
            doubt[node.name] = max(arriving, default=1.0)
    return doubt


def close(
    what: str,
    between: str,
    expected: Arrays,
    found: Arrays,
    limit: float = LIMIT,
    doubt: Mapping[str, float] | None = None,
) -> Finding:
    """Compares arrays by name against `limit`, times the `doubt` of each where there is one; the detail is the worst error
    and where it is."""
    import numpy as np

    worst, where, beside = 0.0, next(iter(expected), ""), 0.0
    for name, array in expected.items():
        other = found[name]
        if other.shape != array.shape:
            return Finding(what, between, len(expected), False, f"`{name}`: {array.shape} and {other.shape}", name)
        scale = float(np.abs(array).max(initial=0.0)) or 1.0
        error = float(np.abs(array - other).max(initial=0.0)) / scale
        allowed = limit * (doubt or {}).get(name, 1.0)
        if not error <= allowed:
            detail = f"`{name}`: relative error {error:.1e}, limit {allowed:.0e}"
            return Finding(what, between, len(expected), False, detail, name)
        if error / allowed > beside:
            worst, where, beside = error, name, error / allowed
    return Finding(what, between, len(expected), True, f"worst relative error {worst:.1e} at `{where}`")
