"""Translations of ONNX operations with weights or windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cnndsl.importing.readers.onnx.model import Operation
from cnndsl.importing.readers.onnx.norms import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    lp_norm,
    lrn,
    rms_norm,
)
from cnndsl.importing.readers.onnx.numbers import short
from cnndsl.importing.readers.onnx.reader import Reader, Translator, Untranslated


def _padding(operation: Operation, size: tuple[int, ...], kernel: list[int]) -> dict[str, Any]:
    """`padding` for an even one, `pads` else, for attributes of convolutions and pools."""
    rank = len(kernel)
    given = operation.attributes
    mode = given.get("auto_pad", "NOTSET")
    strides, dilations = given.get("strides", [1] * rank), given.get("dilations", [1] * rank)
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        totals = [
            max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            for n, s, k, d in zip(size, strides, kernel, dilations, strict=True)
        ]
        pairs = [(t // 2, t - t // 2) if mode == "SAME_UPPER" else (t - t // 2, t // 2) for t in totals]
    else:
        pads = given.get("pads", [0] * (2 * rank)) if mode != "VALID" else [0] * (2 * rank)
        pairs = [(pads[n], pads[n + rank]) for n in range(rank)]
    if any(b < 0 or a < 0 for b, a in pairs):
        raise Untranslated(f"{operation.kind} with negative pads")
    return (
        {"padding": [b for b, _ in pairs]}
        if all(b == a for b, a in pairs)
        else {"pads": tuple(pairs), "padding": [0] * rank}
    )


def _out(
    size: tuple[int, ...], kernel: list[int], given: Mapping[str, Any], padded: Mapping[str, Any], ceil: bool
) -> tuple[int, ...]:
    rank = len(kernel)
    strides, dilations = given.get("strides", [1] * rank), given.get("dilations", [1] * rank)
    pairs = padded.get("pads") or [(n, n) for n in padded["padding"]]
    found = []
    for n, k, s, d, (b, a) in zip(size, kernel, strides, dilations, pairs, strict=True):
        span = n + b + a - (k - 1) * d - 1
        count = (-(-span // s) if ceil else span // s) + 1
        found.append(count - 1 if ceil and (count - 1) * s >= n + b else count)
    return tuple(found)


def conv(reader: Reader, operation: Operation) -> None:
    weight, bias = reader.array(operation, 1), reader.array(operation, 2)
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    kernel = list(weight.shape[2:])
    rank = len(kernel)
    if not 1 <= rank <= 3:
        raise Untranslated(f"Conv over {rank} axes")
    padded = _padding(operation, shape[2:], kernel)
    label = reader.label(operation.inputs[1])
    arguments = {
        "input": reader.ref(operation.inputs[0]),
        "weight": reader.weight(label, "weight", weight),
        "bias": reader.weight(label, "bias", bias) if bias is not None else None,
        "stride": given.get("strides", [1] * rank),
        "dilation": given.get("dilations", [1] * rank),
        "groups": given.get("group", 1),
        **padded,
    }
    size = _out(shape[2:], kernel, given, padded, False)
    reader.emit(operation, f"conv{rank}d", arguments, (shape[0], weight.shape[0], *size))


def conv_transpose(reader: Reader, operation: Operation) -> None:
    weight, bias = reader.array(operation, 1), reader.array(operation, 2)
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    kernel = list(weight.shape[2:])
    rank = len(kernel)
    if not 1 <= rank <= 3:
        raise Untranslated(f"ConvTranspose over {rank} axes")
    strides, added = given.get("strides", [1] * rank), given.get("output_padding", [0] * rank)
    dilations, groups = given.get("dilations", [1] * rank), given.get("group", 1)
    mode, wanted = given.get("auto_pad", "NOTSET"), given.get("output_shape")
    if wanted is not None or mode.startswith("SAME"):
        # The output's size is given, and what is beyond it is cut off.
        wanted = wanted or [n * s for n, s in zip(shape[2:], strides, strict=True)]
        cut = [
            (n - 1) * s + o + (k - 1) * d + 1 - w
            for n, s, o, k, d, w in zip(shape[2:], strides, added, kernel, dilations, wanted[-rank:], strict=True)
        ]
        if min(cut) < 0:
            raise Untranslated("ConvTranspose to more than it makes")
        less, more = [n // 2 for n in cut], [n - n // 2 for n in cut]
        pads = [*less, *more] if mode == "SAME_UPPER" else [*more, *less]
        operation = replace(operation, attributes={**given, "pads": pads, "auto_pad": "NOTSET"})
    padded = _padding(operation, shape[2:], kernel)
    label = reader.label(operation.inputs[1])
    arguments = {
        "input": reader.ref(operation.inputs[0]),
        "weight": reader.weight(label, "weight", weight),
        "bias": reader.weight(label, "bias", bias) if bias is not None else None,
        "stride": strides,
        "output_padding": added,
        "dilation": dilations,
        "groups": groups,
        **padded,
    }
    pairs = padded.get("pads") or [(n, n) for n in padded["padding"]]
    size = tuple(
        (n - 1) * s - b - a + (k - 1) * d + 1 + o
        for n, s, (b, a), k, d, o in zip(shape[2:], strides, pairs, kernel, dilations, added, strict=True)
    )
    reader.emit(operation, f"conv_transpose{rank}d", arguments, (shape[0], weight.shape[1] * groups, *size))


def pool(reader: Reader, operation: Operation) -> None:
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    kernel = given["kernel_shape"]
    rank = len(kernel)
    if not 1 <= rank <= 3 or (operation.kind == "MaxPool" and len([o for o in operation.outputs if o]) > 1):
        raise Untranslated(f"{operation.kind} over {rank} axes, or with indices")
    average = operation.kind == "AveragePool"
    if average and any(d != 1 for d in given.get("dilations", [])):
        raise Untranslated("AveragePool with a dilation")
    padded, ceil = _padding(operation, shape[2:], kernel), bool(given.get("ceil_mode", 0))
    arguments = {
        "self": reader.ref(operation.inputs[0]),
        "kernel_size": kernel,
        "stride": given.get("strides", [1] * rank),
        "ceil_mode": ceil,
        **padded,
    }
    arguments |= (
        {"count_include_pad": bool(given.get("count_include_pad", 0))}
        if average
        else {"dilation": given.get("dilations", [1] * rank)}
    )
    size = _out(shape[2:], kernel, given, padded, ceil)
    reader.emit(operation, f"{'avg' if average else 'max'}_pool{rank}d", arguments, (*shape[:2], *size))


def lp_pool(reader: Reader, operation: Operation) -> None:
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    kernel = given["kernel_shape"]
    rank, p = len(kernel), given.get("p", 2)
    if not 1 <= rank <= 3 or p % 2 or any(d != 1 for d in given.get("dilations", [])) or given.get("ceil_mode", 0):
        raise Untranslated("LpPool by an odd power, with a dilation or beyond the edge")
    padded = _padding(operation, shape[2:], kernel)
    pairs = padded.get("pads") or tuple((n, n) for n in padded["padding"])
    arguments = {
        "self": reader.ref(operation.inputs[0]),
        "p": float(p),
        "kernel_size": kernel,
        "stride": given.get("strides", [1] * rank),
        "ceil_mode": False,
        **({"pads": pairs} if any(any(pair) for pair in pairs) else {}),
    }
    reader.emit(operation, "lp_pool", arguments, (*shape[:2], *_out(shape[2:], kernel, given, padded, False)))


def gemm(reader: Reader, operation: Operation) -> None:
    given = operation.attributes
    weight, bias = reader.array(operation, 1), reader.array(operation, 2)
    shape = reader.shape(operation.inputs[0])
    if given.get("transA", 0) or len(shape) != 2:
        raise Untranslated("Gemm of a tensor that is turned")
    weight = (weight if given.get("transB", 0) else weight.T) * short(given.get("alpha", 1.0))
    if bias is not None:
        import numpy as np

        bias = bias * short(given.get("beta", 1.0))
        if bias.size not in (1, weight.shape[0]) or bias.shape[-1:] not in ((), (1,), weight.shape[:1]):
            raise Untranslated("Gemm with a sum that differs by example")
        bias = np.broadcast_to(bias.reshape(-1), (weight.shape[0],))
    linear(reader, operation, operation.inputs[1], weight, bias, (*shape[:-1], weight.shape[0]))


def linear(reader: Reader, operation: Operation, name: str, weight: Any, bias: Any, shape: tuple[int, ...]) -> None:
    label = reader.label(name)
    arguments = {
        "input": reader.ref(operation.inputs[0]),
        "weight": reader.weight(label, "weight", weight),
        "bias": reader.weight(label, "bias", bias) if bias is not None else None,
    }
    reader.emit(operation, "linear", arguments, shape)


def matmul(reader: Reader, operation: Operation) -> None:
    a, b = operation.inputs
    if b in reader.arrays and reader.arrays[b].ndim == 2 and a not in reader.arrays:
        weight = reader.arrays[b].T
        linear(reader, operation, b, weight, None, (*reader.shape(a)[:-1], weight.shape[0]))
        return
    if a in reader.arrays or b in reader.arrays:
        raise Untranslated("MatMul with a constant of other than two axes")
    x, y = reader.shape(a), reader.shape(b)
    if len(x) != len(y) or x[:-2] != y[:-2]:
        raise Untranslated("MatMul of tensors with different axes")
    reader.emit(operation, "matmul", {"self": reader.ref(a), "other": reader.ref(b)}, (*x[:-1], y[-1]))


def prelu(reader: Reader, operation: Operation) -> None:
    slope = reader.array(operation, 1).reshape(-1)
    label = reader.label(operation.inputs[1])
    arguments = {"self": reader.ref(operation.inputs[0]), "weight": reader.weight(label, "weight", slope)}
    reader.emit(operation, "prelu", arguments, reader.shape(operation.inputs[0]))


LAYERS: Mapping[str, Translator] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": pool,
    "AveragePool": pool,
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "GroupNormalization": group_norm,
    "InstanceNormalization": instance_norm,
    "Gemm": gemm,
    "MatMul": matmul,
    "PRelu": prelu,
    "LRN": lrn,
    "RMSNormalization": rms_norm,
    "LpNormalization": lp_norm,
    "LpPool": lp_pool,
}
