"""Translations of ONNX operations that compare numbers, and choose by what was found."""

from __future__ import annotations

from cnndsl.importing.readers.onnx.model import Operation
from cnndsl.importing.readers.onnx.reader import Reader, Untranslated
from cnndsl.importing.trace import Node

SMALLEST = 1e-45
"""The smallest number above 0 that float32 has."""


def equal(reader: Reader, operation: Operation) -> None:
    """A comparison is remembered: a choice that takes it may be sayable, and nothing else is."""
    reader.conditions[operation.outputs[0]] = operation


def where(reader: Reader, operation: Operation) -> None:
    """`x / m` unless `m` is 0, and 0 there, where `m` is the largest of `x` and `x` has nothing below 0: what TensorFlow's
    `div_no_nan` leaves of bringing numbers to 0…1. Where `m` is 0 all of `x` is, so that a divisor just above 0 does as well."""
    condition, zero, quotient = operation.inputs
    asked = reader.conditions.get(condition)
    made = reader.nodes.get(reader.ref(quotient).name)
    if asked is None or made is None or made.target != "div" or zero not in reader.arrays or reader.arrays[zero].any():
        raise Untranslated("Where")
    against = [name for name in asked.inputs if name in reader.arrays]
    compared = [name for name in asked.inputs if name not in reader.arrays]
    if len(against) != 1 or reader.arrays[against[0]].any() or made.arguments["other"] != reader.ref(compared[0]):
        raise Untranslated("Where")
    largest, least = _behind(reader, made, "other", "amax"), None
    below = reader.nodes.get(made.arguments["self"].name)
    if below is not None and below.target == "sub":
        least = _behind(reader, below, "other", "amin")
    if (
        largest is None
        or least is None
        or below is None
        or largest.arguments["self"] != made.arguments["self"]
        or least.arguments["self"] != below.arguments["self"]
        or reader.reads.get(quotient, 0) != 1
    ):
        raise Untranslated("Where of other numbers than those between the smallest and the largest")
    name = f"{quotient}.divisor"
    divisor = made.arguments["other"]
    del reader.nodes[made.name]
    reader.emit(operation, "clamp", {"self": divisor, "min": SMALLEST, "max": None}, reader.shape(divisor.name), name)
    reader.emit(operation, "div", {**made.arguments, "other": reader.ref(name)}, made.shape)


def _behind(reader: Reader, node: Node, argument: str, target: str) -> Node | None:
    """The reduction that an argument comes from, through changes of shape."""
    found = reader.nodes.get(node.arguments[argument].name)
    while found is not None and found.target == "reshape":
        found = reader.nodes.get(found.arguments["self"].name)
    return found if found is not None and found.target == target else None
