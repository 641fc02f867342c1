"""Convolutions and fully connected layers on whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.quantized.arrays import Arrays, quad_of
from cnndsl.backends.tvm.kernels.quantized_conv import (
    QuantizedConv,
    as_weights,
    pack_quantized_conv,
    quantized_tile,
)
from cnndsl.backends.tvm.kernels.quantized_dense import QuantizedDense
from cnndsl.backends.tvm.kernels.quantized_depthwise import QuantizedDepthwise
from cnndsl.backends.tvm.kernels.words.packing import fill_up
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.ops.conv import Conv

if TYPE_CHECKING:
    import numpy as np


def emit_portable_product(main: MainFunction, group: QuantizedGroup) -> None:
    """Every group of kind product has such a kernel."""
    op = group.group.anchor.op
    if not isinstance(op, Conv):
        _dense(main, group)
    elif op.groups == group.group.anchor.xs[0].channels == group.group.anchor.type.channels:
        _depthwise(main, group, op)
    else:
        _convolution(main, group, op)


def _numbers(main: MainFunction, group: QuantizedGroup) -> np.ndarray:
    assert main.quantized is not None
    return main.quantized.weight(group).numbers


def _start(weight: np.ndarray, zero_point: int) -> np.ndarray:
    """What the sums of each channel begin with, so that numbers need not be taken less their zero point."""
    import numpy as np

    sums: np.ndarray = weight.reshape(len(weight), -1).astype(np.int64).sum(axis=1)
    return (-zero_point * sums).astype(np.int32)


def _zero(main: MainFunction, group: QuantizedGroup, arrays: Arrays) -> Any:
    zero = main.scale(group.group.anchor.inputs[0]).zero_point
    return arrays.whole("zero", [zero, quad_of(zero)])


def _give(main: MainFunction, group: QuantizedGroup, kernel: Any, arguments: list[Any]) -> None:
    """Calls a kernel over maps, whose residuals follow its other arguments."""
    name, type = group.name, group.group.last.type
    arguments = [*arguments, *(main.quads(residual) for residual in group.group.residuals)]
    if group.rounds:
        main.give_quads(name, type, kernel, arguments)
    else:
        main.values[name] = TensorForms(type, packed=main.call(kernel, arguments, main.packed_shape(type)))


def _convolution(main: MainFunction, group: QuantizedGroup, op: Conv) -> None:

    step, vectors = group.group.anchor, main.cpu.kind == "llvm"
    (x,), numbers = step.xs, _numbers(main, group)
    weight, first = pack_quantized_conv(numbers, x.channels, op.groups, main.lanes, vectors=vectors)
    window, arrays = op.window_over(x), Arrays(main, group)
    chunks_out, seen = weight.shape[:2]
    grouped = seen != main.chunks(x.channels)
    kernel = QuantizedConv(
        main.batch,
        x.channels,
        x.size,
        chunks_out,
        main.lanes,
        seen,
        window,
        len(group.group.residuals),
        group.rounds,
        quantized_tile(chunks_out, step.type.size[-1], main.lanes, grouped=grouped),
        vectors,
    )
    arguments = [main.quads(step.inputs[0]), arrays.real("weight", weight)]
    if grouped:
        arguments.append(arrays.whole("first", first))
    if vectors:
        start = _start(numbers, main.scale(step.inputs[0]).zero_point)
        arguments.append(arrays.whole("start", arrays.packed(start)))
    _give(main, group, kernel, [*arguments, *arrays.rescaled(), _zero(main, group, arrays)])


def _depthwise(main: MainFunction, group: QuantizedGroup, op: Conv) -> None:
    import numpy as np

    step, arrays = group.group.anchor, Arrays(main, group)
    (x,), numbers = step.xs, _numbers(main, group)
    kernel = QuantizedDepthwise(
        main.batch,
        main.chunks(x.channels),
        x.size,
        main.lanes,
        op.window_over(x),
        len(group.group.residuals),
        group.rounds,
        main.cpu.kind == "llvm",
    )
    parts = fill_up(numbers[:, 0], 0, main.lanes).reshape(-1, main.lanes, *numbers.shape[2:])
    weight = np.ascontiguousarray(np.moveaxis(parts, 1, -1))
    start = arrays.packed(_start(numbers, main.scale(step.inputs[0]).zero_point))
    arguments = [main.quads(step.inputs[0]), arrays.real("weight", weight), arrays.whole("start", start)]
    _give(main, group, kernel, [*arguments, *arrays.rescaled(), _zero(main, group, arrays)])


def _dense(main: MainFunction, group: QuantizedGroup) -> None:

    step, vectors = group.group.anchor, main.cpu.kind == "llvm"
    numbers, name, units, arrays = _numbers(main, group), step.inputs[0], step.type.channels, Arrays(main, group)
    data, weight = main.flat_quads(name, numbers)
    quads, count = weight.shape[1] // 4, min(4, main.chunks(units))
    blocks = -(-main.chunks(units) // count)
    shape = (blocks, count, main.lanes)
    parts = fill_up(weight, 0, count * main.lanes).reshape(blocks, count, main.lanes, quads, 4)
    packed = as_weights(parts.transpose(0, 3, 1, 4, 2), vectors=vectors)
    arguments = [data, arrays.real("weight", packed)]
    if vectors:
        start = _start(numbers, main.scale(name).zero_point)
        arguments.append(arrays.whole("start", arrays.packed(start, shape)))
    kernel = QuantizedDense(main.batch, quads, blocks, count, main.lanes, group.rounds, vectors)
    arguments += [*arrays.rescaled(shape), _zero(main, group, arrays)]
    last = main.lanes // 4 if group.rounds else main.lanes
    made = main.call(kernel, arguments, (main.batch, blocks, count, last), dtype="int32" if group.rounds else "float32")
    y = main.reshaped(made, (main.batch, blocks * count * last))
    wanted = -(-units // 4) if group.rounds else units
    y = y if wanted == blocks * count * last else main.cut(y, wanted)
    type = group.group.last.type
    main.values[group.name] = TensorForms(type, quads=y) if group.rounds else TensorForms(type, plain=y)
