"""From a network, its weights and some examples to the quantised network, and what that costs in accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from cnndsl.backends.tvm.plan.quantized import QuantizedGroup, plan_quantized
from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork, quantized_network, spared
from cnndsl.backends.tvm.program.later import Later
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.program.steps import Program
from cnndsl.calibration.correction import corrected
from cnndsl.calibration.measure import layer_errors, output_error
from cnndsl.calibration.ranges import FloatNetwork, Seen, in_batches, observe, scales
from cnndsl.calibration.report import REPORT, LayerError, QuantizationReport
from cnndsl.diagnostics.errors import fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.ir.graph import Graph
from cnndsl.quantization.arithmetic import quantized_weight, whole_bias
from cnndsl.quantization.quantization import Quantization, QuantizedWeight
from cnndsl.version import __version__

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.calibration.ranges import Arrays

METHOD = "ranges from the smallest to the largest number; weights rounded together, biases corrected, layer after layer"
Tell = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True)
class Quantized:
    """A quantised network, and what that cost it."""

    quantization: Quantization
    report: QuantizationReport


def quantize(
    graph: Graph,
    weights: Mapping[str, np.ndarray],
    examples: Arrays,
    held_out: Arrays,
    keep: tuple[str, ...] = (),
    max_error: float | None = None,
    tell: Tell | None = None,
) -> Quantized:
    """Quantises a network with the ranges that `examples` show; what it costs is measured with `held_out` ones, or where these
    are none, with the same. Both are inputs by name, with the batch axis.

    Layers that `keep` names, or whose blocks it names, stay in float32. With `max_error` so do the layers with the largest
    errors, until the outputs' error (`QuantizationReport.error`) is no larger. Raises `CnnError` (no-such-layer,
    nothing-to-quantize, unsupported-by-backend) and `MissingPart`.
    """
    begun = perf_counter()
    tell = tell or (lambda _what, _done, _whole: None)
    program = program_of(graph, weights)
    work = _Work(graph, weights, program, FloatNetwork(program), examples, tell)
    kept = kept_steps(graph, program, keep)
    refuse_without_products(
        graph, plan_quantized(program, kept), "keep fewer layers" if keep else "compile it as it is, in float32"
    )
    work.seen = observe(work.floats, examples, lambda done, whole: tell("ranges", done, whole))
    others = held_out if len(next(iter(held_out.values()), ())) else examples
    network = work.quantized(kept)
    if max_error is not None:
        network = _within(work, network, others, max_error)
    layers, outputs = layer_errors(work.floats, network, others, lambda done, whole: tell("errors", done, whole))
    count = len(next(iter(examples.values())))
    shapes = [graph.types[o.node].shape for o in graph.outputs if not o.training]
    report = QuantizationReport(
        network=graph.name,
        pictures=count,
        measured=outputs.count,
        held_out=others is held_out,
        sqnr_db=outputs.sqnr_db,
        error=outputs.error,
        agreement=outputs.agreement if len(shapes) == 1 and len(shapes[0]) == 1 and shapes[0][0] > 1 else None,
        weights_bytes=_bytes(network.quantization),
        float_bytes=sum(array.nbytes for array in weights.values()),
        kept=tuple(sorted(network.quantization.keep)),
        layers=tuple(layers),
        seconds=perf_counter() - begun,
    )
    about = {
        "method": METHOD,
        "pictures": str(count),
        "cnndsl": __version__,
        "network": graph.name,
        REPORT: report.to_json(),
    }
    return Quantized(_about(network.quantization, about), report)


class _Work:
    """What is computed once, however many layers are then kept in float32."""

    def __init__(
        self,
        graph: Graph,
        weights: Mapping[str, np.ndarray],
        program: Program,
        floats: FloatNetwork,
        examples: Arrays,
        tell: Tell,
    ) -> None:
        self.graph, self.weights, self.program, self.floats = graph, weights, program, floats
        self.examples, self.tell = examples, tell
        self.seen = Seen()

    def quantized(self, keep: frozenset[str]) -> QuantizedNetwork:
        """The network with these layers in float32, its biases corrected."""
        plain = rounded(self.graph, self.weights, self.program, self.seen, keep)
        found: QuantizedNetwork = corrected(
            plain, self.program, self.seen, self.examples, lambda done, whole: self.tell("corrections", done, whole)
        )
        return found


def rounded(
    graph: Graph, weights: Mapping[str, np.ndarray], program: Program, seen: Seen, keep: frozenset[str]
) -> QuantizedNetwork:
    """The quantised network with weights and biases rounded as they are."""
    import numpy as np

    whole: dict[str, QuantizedWeight] = {}
    maps = scales(program, keep, seen)
    for group in plan_quantized(program, keep):
        if group.kind == "product":
            step = group.group.anchor
            numbers, sizes = quantized_weight(step.weights["weight"].numpy())
            bias = step.weights.get("bias", Later.filled((len(numbers),), 0)).numpy()
            whole[step.name] = QuantizedWeight(numbers, sizes, whole_bias(bias, sizes, maps[step.inputs[0]]))
    gone = spared(graph, program, whole)
    floats = {key: np.asarray(array) for key, array in weights.items() if key not in gone}
    return quantized_network(graph, Quantization(maps, whole, floats, keep))


def refuse_without_products(
    graph: Graph, groups: Iterable[QuantizedGroup], help: str = "train it as it is, in float32"
) -> None:
    """Raises `CnnError` (nothing-to-quantize) for a network that multiplies no whole numbers."""
    if not any(group.kind == "product" for group in groups):
        raise fault(
            "nothing-to-quantize", f"{graph.name} has no layer that could be computed on whole numbers", help=help
        )


def kept_steps(graph: Graph, program: Program, keep: tuple[str, ...]) -> frozenset[str]:
    """The steps of the program that are meant by names of layers or blocks. Raises `CnnError` (no-such-layer)."""
    steps = [step.name for step in program.steps]
    found: set[str] = set()
    for name in keep:
        meant = [step for step in steps if step == name or step.startswith((f"{name}.", f"{name}:"))]
        if not meant:
            known = [node.name for node in graph.nodes]
            near = nearest(name, known)
            idle = f"`{name}` is computed together with the layer before it" if name in known else ""
            raise fault(
                "no-such-layer",
                idle or f"{graph.name} has no layer or block `{name}`",
                help="keep that layer" if idle else f"did you mean `{near}`?" if near else "see `cnndsl summary`",
            )
        found.update(meant)
    return frozenset(found)


def _within(work: _Work, network: QuantizedNetwork, inputs: Arrays, max_error: float) -> QuantizedNetwork:
    """The network with as few layers in float32, those with the largest errors of their own, as keep the outputs' error within
    `max_error`: their number is doubled until it suffices, and then halved between what suffices and what does not."""
    expected = [work.floats.run(batch) for batch in in_batches(inputs)]
    if output_error(network, expected, inputs).error <= max_error:
        return network
    layers, _ = layer_errors(work.floats, network, inputs, lambda done, whole: work.tell("errors", done, whole))
    products = {g.group.anchor.name for g in network.groups if g.kind == "product"}
    order = [row.name for row in sorted(layers, key=_own) if row.name in products]
    given = network.quantization.keep

    def with_kept(count: int) -> QuantizedNetwork:
        work.tell("keeping layers in float32", count, len(order))
        return work.quantized(given | frozenset(order[:count]))

    # All but one layer can be kept: a network in float32 needs no table.
    low, high, best = 0, 1, None
    while best is None:
        high = min(high, len(order) - 1)
        trial = with_kept(high) if high > low else None
        if trial is None:
            raise fault(
                "nothing-to-quantize",
                f"the outputs of {work.graph.name} are further off than {max_error:g} with one quantised layer",
                help="allow a larger error, or compile it in float32",
            )
        if output_error(trial, expected, inputs).error <= max_error:
            best = trial
        else:
            low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        trial = with_kept(middle)
        if output_error(trial, expected, inputs).error <= max_error:
            high, best = middle, trial
        else:
            low = middle
    return best


def _own(row: LayerError) -> float:
    return float("inf") if row.own_db is None else row.own_db


def _bytes(table: Quantization) -> int:
    whole = sum(w.numbers.nbytes + w.scales.nbytes + w.bias.nbytes for w in table.weights.values())
    return whole + sum(array.nbytes for array in table.floats.values()) + 5 * len(table.maps)


def _about(table: Quantization, about: Mapping[str, str]) -> Quantization:
    return Quantization(table.maps, table.weights, table.floats, table.keep, dict(about))
