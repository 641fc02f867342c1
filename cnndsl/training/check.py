"""Whether a network can learn from a collection. Checked before anything starts; each fault says what to do."""

from __future__ import annotations

import re

from cnndsl.diagnostics.errors import CnnError, Diagnostic, fault
from cnndsl.diagnostics.source import Span
from cnndsl.ir.graph import Graph
from cnndsl.ir.written import sizes
from cnndsl.training.data.collection import Collection, Shape
from cnndsl.training.options import Options

AUXILIARY = 0.3
"""Weight in the loss of outputs that only training has. (Szegedy et al.: Going Deeper with Convolutions, 2014.)"""


def check_classifier(graph: Graph) -> int:
    """The number of classes that the network tells apart. Raises `CnnError` (not-a-classifier)."""
    outputs = [output for output in graph.outputs if not output.training]
    shapes = [graph.types[output.node].shape for output in outputs]
    # Outputs that only training has are compared with the same labels, so they must have the same shape.
    same = all(graph.types[output.node].shape == shapes[0] for output in graph.outputs)
    if len(graph.inputs) != 1 or len(outputs) != 1 or len(shapes[0]) != 1 or not same:
        given = ", ".join(f"`{output.name}` of {sizes(shape)}" for output, shape in zip(outputs, shapes, strict=True))
        raise fault(
            "not-a-classifier",
            f"{graph.name} is no classifier",
            *_where(graph, outputs[0].node),
            notes=(
                f"expected one input and one output, a number for each class; found {len(graph.inputs)} "
                f"input{'s'[: len(graph.inputs) > 1]}, and the output {given}",
            ),
            help="end it with `GlobalAvgPool → FC(classes)`",
        )
    return shapes[0][0]


def check_fits(graph: Graph, data: Collection) -> None:
    """Raises `CnnError` (not-a-classifier, classes-mismatch, input-mismatch) with everything that does not fit."""
    classes = check_classifier(graph)
    faults: list[Diagnostic] = []
    shape = graph.inputs[0].type.shape
    if classes != len(data.classes):
        # Most networks have their number of classes as a parameter of this name.
        text = "".join(graph.sources.values())
        known = re.search(r"\bparam\s+classes\b|\(\s*classes\b|,\s*classes\b", text)
        faults += fault(
            "classes-mismatch",
            f"{graph.name} tells {classes} classes apart, and {data.name} has {len(data.classes)}",
            *_where(graph, next(output.node for output in graph.outputs if not output.training)),
            help=f"say `-P classes={len(data.classes)}`"
            if known
            else f"let the last layer give {len(data.classes)} numbers",
        ).diagnostics
    if data.shape is not None and data.shape != shape:
        faults.append(_misfit(graph, shape, f"{data.name} has numbers of {sizes(data.shape)}", data.shape))
    elif data.shape is None and (len(shape) != 3 or shape[0] not in (1, 3)):
        size = tuple(map(int, data.size.split("×"))) if data.size else (3, 224, 224)
        faults.append(_misfit(graph, shape, "pictures have 1 or 3 channels, a height and a width", size))
    if faults:
        raise CnnError(faults)


def check_rounding(graph: Graph, options: Options) -> None:
    """Whether the last epochs can round. Raises `CnnError` (wrong-option, nothing-to-quantize, unsupported-by-backend) and
    `MissingPart` without TVM, whose program says what a quantised network rounds."""
    assert options.quantize is not None
    if options.quantize > options.epochs:
        raise _wrong(
            f"the last {options.quantize} epochs cannot round where there are {options.epochs}",
            f"say `--epochs {2 * options.quantize}`, or fewer with `--quantize`",
        )
    others = {
        "precision": options.precision != "32",
        "ema": options.ema is not None,
        "early-stop": options.early_stop is not None,
        "devices": options.devices * options.nodes > 1,
    }
    for name in (name for name, given in others.items() if given):
        raise _wrong(f"`quantize` and `{name}` do not go together", "leave one of them out")
    from cnndsl.arrays.weights import initial_weights
    from cnndsl.backends.tvm.plan.quantized import plan_quantized
    from cnndsl.backends.tvm.program.passes import program_of
    from cnndsl.calibration.calibrate import refuse_without_products

    refuse_without_products(graph, plan_quantized(program_of(graph, initial_weights(graph, 0))))


def _wrong(message: str, help: str) -> CnnError:
    return fault("wrong-option", message, help=help)


def _misfit(graph: Graph, shape: Shape, what: str, mend: Shape) -> Diagnostic:
    return Diagnostic(
        "input-mismatch",
        f"{graph.name} takes {sizes(shape)}, and {what}",
        help=f"say `--input {'x'.join(map(str, mend))}`",
    )


def _where(graph: Graph, output: str) -> tuple[Span | None, str]:
    """Where the layer of an output stands in the program, if it does, and what it gives."""
    layer = next((node for node in graph.nodes if node.name == output), None)
    return (graph.span(layer) if layer else None), f"gives {graph.types[output]}"
