"""Whole numbers that change places."""

from __future__ import annotations

from typing import Any

from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.quantized.arrays import Arrays, quad_of
from cnndsl.backends.tvm.emitters.quantized.elementwise import give_quads
from cnndsl.backends.tvm.kernels.quantized_move import QuantizedPixelShuffle, QuantizedPositions, QuantizedRoute
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.backends.tvm.plan.taps import NOTHING, find_positions
from cnndsl.ops.flatten import Flatten
from cnndsl.ops.pixel_shuffle import PixelShuffle


def emit_move(main: MainFunction, group: QuantizedGroup) -> None:
    """Kind `move`: channels, positions, channels that become positions, and maps that are looked at as vectors, for which
    nothing is computed until someone needs the order of the vector."""
    step, route, vectors = group.group.anchor, group.group.route, main.cpu.kind == "llvm"
    if isinstance(step.op, Flatten):
        main.values[step.name] = TensorForms(step.type, flattened=step.inputs[0])
        return
    type, arrays = step.type, Arrays(main, group)
    if route is not None:
        chunks = tuple(main.chunks(width) for width in route.widths)
        kernel: Any = QuantizedRoute(main.batch, type.size, main.lanes, chunks, route.channels, vectors)
        give_quads(main, group, kernel, [main.quads(name) for name in route.sources])
        return
    ((x,), data) = step.xs, main.quads(step.inputs[0])
    if isinstance(step.op, PixelShuffle):
        height, width = x.size
        kernel = QuantizedPixelShuffle(main.batch, type.channels, (height, width), step.op.r, main.lanes)
        give_quads(main, group, kernel, [data])
        return
    axes = find_positions(step)
    assert axes is not None
    tables = [arrays.whole(f"positions{i}", axis) for i, axis in enumerate(axes) if axis is not None]
    fills = any(axis is not None and (axis == NOTHING).any() for axis in axes)
    if fills:
        tables.append(arrays.whole("fill", [quad_of(main.scale(group.name).zero_point)]))
    moved = tuple(axis is not None for axis in axes)
    chunks_of_map = main.chunks(x.channels)
    kernel = QuantizedPositions(main.batch, chunks_of_map, x.size, type.size, main.lanes, moved, fills, vectors)
    give_quads(main, group, kernel, [data, *tables])
