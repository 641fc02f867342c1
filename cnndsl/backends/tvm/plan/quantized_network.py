"""A network in whole numbers, ready to be computed: its program, its groups, and the numbers that each group takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from cnndsl.arrays.weights import MOST_TOLD, checked
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup, plan_quantized, rounded_tensors, tied
from cnndsl.backends.tvm.program.fold import scale_and_shift
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.program.steps import Program
from cnndsl.diagnostics.errors import CnnError, Diagnostic
from cnndsl.ir.graph import Graph, weight_key
from cnndsl.ir.written import sizes
from cnndsl.quantization.arithmetic import Scale
from cnndsl.quantization.quantization import Quantization, QuantizedWeight
from cnndsl.quantization.rescaling import Rescaling, rescaling

if TYPE_CHECKING:
    import numpy as np

RESCALED = ("product", "sum", "scaled", "norm", "mean")
"""The kinds of groups whose sums are rescaled."""
_NAME = "the quantised network"
_AGAIN = "quantise this network again with `cnndsl quantize`"


@dataclass(frozen=True, eq=False)
class QuantizedNetwork:
    """The weights of steps that the table of `quantization` has in whole numbers are zeros in `program`."""

    program: Program
    groups: tuple[QuantizedGroup, ...]
    quantization: Quantization

    def scale(self, tensor: str) -> Scale:
        """The scale of a tensor that is rounded."""
        return self.quantization.maps[tensor]

    @property
    def rounded(self) -> tuple[str, ...]:
        """The tensors that are rounded, in order."""
        return rounded_tensors(self.program, self.groups)

    def weight(self, group: QuantizedGroup) -> QuantizedWeight:
        """The weight of a group of kind product."""
        return self.quantization.weights[group.group.anchor.name]

    def rescaling(self, group: QuantizedGroup) -> Rescaling:
        """How the sums of a group of kind product, sum, scaled, norm or mean become its result."""
        import numpy as np

        anchor = group.group.anchor
        scales = [np.float64(self.scale(name).scale) for name in anchor.inputs]
        added = list(group.group.residuals)
        factor: np.ndarray | float = 0.0
        summand: np.ndarray | float = 0.0
        if group.kind == "product":
            own = self.weight(group)
            factor = scales[0] * own.scales.astype(np.float64)
            summand = own.bias.astype(np.float64)
        elif group.kind == "sum":
            added = [*anchor.inputs, *added]
        elif group.kind == "scaled":
            factor = scales[0] * scales[1]
        elif group.kind == "norm":
            scale, summand = scale_and_shift(anchor)
            factor = scales[0] * scale
        else:
            factor = scales[0] / window_of(group)
        y = self.scale(group.name) if group.rounds else None
        return rescaling(factor, summand, [self.scale(name) for name in added], y, group.clamp)


def window_of(group: QuantizedGroup) -> int:
    """How many numbers a group of kind mean takes the mean of."""
    (x,) = group.group.anchor.xs
    window = group.group.anchor.op.window_over(x)
    return prod(x.size if window is None else window.kernel)


def quantized_network(graph: Graph, quantization: Quantization) -> QuantizedNetwork:
    """The network with a table. Raises `CnnError` (wrong-quantization) where the table is not one of this network, and what
    comparing weights with it raises (missing-weight, unexpected-weight, weight-mismatch)."""
    program = program_of(graph, _filled(graph, quantization.floats))
    groups = plan_quantized(program, quantization.keep)
    network = QuantizedNetwork(program, groups, quantization)
    found = [*_faults(network), *_lacking(graph, network)]
    if not found:
        found = list(_infinite(network))
    if found:
        raise CnnError(found[:MOST_TOLD])
    return network


def spared(graph: Graph, program: Program, quantized: Collection[str]) -> frozenset[str]:
    """The keys of the network's weights that nobody needs once these steps of its program have theirs in whole numbers: those
    of the layers, and of the batch norms that are folded into them."""
    steps: dict[str, list[str]] = {}
    for step in program.steps:
        steps.setdefault(step.name.partition(":")[0], []).extend([step.name] if step.weights else [])
    owners: dict[str, str] = {}
    gone: set[str] = set()
    needed: set[str] = set()
    for node in graph.nodes:
        # A node that the program has no step of was folded into the layer before it.
        owner = owners[node.name] = node.name if node.name in steps else owners.get((*node.inputs, "")[0], "")
        own = steps.get(owner, [])
        whole = bool(own) and all(name in quantized for name in own)
        (gone if whole else needed).update(weight_key(node.weights_of, slot) for slot in graph.node_weights(node))
    return frozenset(gone - needed)


def _filled(graph: Graph, floats: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """The state dict, with zeros for the weights that are not given. Raises `CnnError`."""
    import numpy as np

    absent = [e for e in graph.weights if e.key not in floats and e.weight.formula is None]
    return checked(graph, {**floats, **{e.key: np.zeros(e.weight.shape, e.weight.dtype) for e in absent}}, _NAME)


def _faults(network: QuantizedNetwork) -> Iterator[Diagnostic]:
    """What the table has too much or too little."""
    program, groups, table = network.program, network.groups, network.quantization
    products = {g.group.anchor.name: g.group.anchor for g in groups if g.kind == "product"}
    for name in table.keep - {step.name for step in program.steps}:
        yield _fault(f"`{name}`, which {_NAME} keeps in float32, is no layer of this network")
    for name, step in products.items():
        own = table.weights.get(name)
        if own is None:
            yield _fault(f"{_NAME} has no whole numbers for the weight of `{name}`", "expected a weight and its scales")
        elif own.numbers.shape != (shape := step.weights["weight"].shape):
            expected, found = sizes(shape), sizes(own.numbers.shape)
            yield _fault(f"the weight of `{name}` has another shape", f"expected {expected}, found {found}")
        elif {own.scales.shape, own.bias.shape} != {(len(own.numbers),)}:
            yield _fault(f"`{name}` has not one scale and one bias for each output channel")
    for name in table.weights.keys() - products.keys():
        yield _fault(f"the layer `{name}` of {_NAME} has no products in this network")
    rounded = network.rounded
    for name in rounded:
        if name not in table.maps:
            yield _fault(f"{_NAME} has no scale for the tensor `{name}`", "expected a scale and a zero point")
    for name in table.maps.keys() - set(rounded):
        yield _fault(f"the tensor `{name}`, for which {_NAME} has a scale, is not rounded in this network")
    for names in tied(program, groups):
        if len({table.maps[name] for name in names if name in table.maps}) > 1:
            first = next(name for name in names if table.maps.get(name) != table.maps.get(names[0]))
            yield _fault(f"`{names[0]}` and `{first}` are the same numbers, and have different scales")


def _lacking(graph: Graph, network: QuantizedNetwork) -> Iterator[Diagnostic]:
    """Weights that stay in float32 and are not there."""
    table = network.quantization
    gone = spared(graph, network.program, table.weights)
    for entry in graph.weights:
        if entry.key in table.floats or entry.key in gone or entry.weight.formula is not None:
            continue
        if entry.slot != "num_batches_tracked":
            yield Diagnostic(
                "missing-weight", f"{_NAME} has no `{entry.key}`", notes=(_expected(entry.weight.shape),), help=_AGAIN
            )


def _expected(shape: tuple[int, ...]) -> str:
    return f"expected {sizes(shape) or 'one number'}, found nothing"


def _infinite(network: QuantizedNetwork) -> Iterator[Diagnostic]:
    """Groups whose scales differ by so much that a factor is no float32 number."""
    import numpy as np

    for group in network.groups:
        if group.kind in RESCALED:
            r = network.rescaling(group)
            if not all(bool(np.isfinite(array).all()) for array in (r.factor, r.offset, np.array(r.residuals))):
                yield _fault(f"the scales of `{group.name}` and of what it reads are too far apart for float32")


def _fault(message: str, *notes: str) -> Diagnostic:
    return Diagnostic("wrong-quantization", message, notes=notes, help=_AGAIN)
