"""Whole numbers that change places."""

from __future__ import annotations

from typing import Any

from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.quantized.arrays import Arrays, quad_of
from cnndsl.backends.tvm.emitters.quantized.elementwise import give_quads
from cnndsl.backends.tvm.kernels.int8_pixel_shuffle import Int8PixelShuffle
from cnndsl.backends.tvm.kernels.move import Joined
from cnndsl.backends.tvm.kernels.quantized_move import QuantizedPixelShuffle, QuantizedPositions, QuantizedRoute
from cnndsl.backends.tvm.kernels.words.quads import takes_quads
from cnndsl.backends.tvm.plan.joins import Slot, grain
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.backends.tvm.plan.routes import Channel, Route
from cnndsl.backends.tvm.plan.taps import NOTHING, find_positions
from cnndsl.ir.tensor import TensorType
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
        _route(main, group, route)
        return
    ((x,), data) = step.xs, main.quads(step.inputs[0])
    if isinstance(step.op, PixelShuffle):
        height, width = x.size
        shuffle: Int8PixelShuffle | QuantizedPixelShuffle
        if step.op.r == 2 and main.lanes > 4 and takes_quads(main.cpu):
            shuffle = Int8PixelShuffle(main.batch, type.channels, (height, width), main.lanes)
        else:
            shuffle = QuantizedPixelShuffle(main.batch, type.channels, (height, width), step.op.r, main.lanes)
        give_quads(main, group, shuffle, [data])
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


def _route(main: MainFunction, group: QuantizedGroup, route: Route) -> None:
    """Channels that move: nothing is done for what lies in its place, and for whole chunks of one source."""
    name, type = group.name, group.group.last.type
    chunk = route.first_chunk(main.lanes) if main.slices and len(route.sources) == 1 else None
    if main.slices and name in main.joins.types:
        parts = route.parts(grain(type, main.lanes, main.lanes // 4))
        assert parts is not None
        _join(main, name, type, route, parts)
    elif chunk is not None and name not in main.joins.slots:
        main.values[name] = TensorForms(type, quads=main.view(main.quads(route.sources[0]), chunk, type))
    else:
        sources = [main.quads(source) for source in route.sources]
        main.give_quads(name, type, _moving(main, type, route.widths, route.channels), sources)


def _join(main: MainFunction, name: str, type: TensorType, route: Route, parts: tuple[int, ...]) -> None:
    """A concatenation of whole parts: those that were not computed in their place are copied there."""
    slot = main.slot(name) or Slot(name, 0)
    written: list[Any] = []
    chunk = slot.chunk
    for part in parts:
        source, width = route.sources[part], route.widths[part]
        quads, value, there = main.quads(source), main.values[source], Slot(slot.join, chunk)
        if value.slot == there:
            written.append(quads)
        else:
            kernel = _moving(main, value.type, (width,), tuple((0, channel) for channel in range(width)))
            shape, into = main.quads_shape(value.type), main.memory(there, value.type)
            written.append(main.call(kernel, [quads], shape, into, dtype="int32"))
        chunk += main.chunks(width)
    shapes = tuple(main.quads_shape(main.values[route.sources[part]].type) for part in parts)
    done = main.note(Joined(main.quads_shape(type), shapes, "int32"), main.memory(slot, type), written)
    main.values[name] = TensorForms(type, quads=done, slot=slot)


def _moving(
    main: MainFunction, type: TensorType, widths: tuple[int, ...], channels: tuple[Channel, ...]
) -> QuantizedRoute:
    chunks = tuple(main.chunks(width) for width in widths)
    return QuantizedRoute(main.batch, type.size, main.lanes, chunks, channels, main.cpu.kind == "llvm")
