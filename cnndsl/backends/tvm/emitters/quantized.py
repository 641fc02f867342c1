"""Groups on whole numbers → calls of kernels, by their kind."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.emitters.main_function import MainFunction, TensorForms
from cnndsl.backends.tvm.emitters.quantized_products import emit_product
from cnndsl.backends.tvm.emitters.rescaling import Arrays, quad_of
from cnndsl.backends.tvm.kernels.quantized_elementwise import QuantizedElementwise, QuantizedTable
from cnndsl.backends.tvm.kernels.quantized_move import QuantizedPixelShuffle, QuantizedPositions, QuantizedRoute
from cnndsl.backends.tvm.kernels.quantized_window import QuantizedWindow
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.quantized import Kind, QuantizedGroup
from cnndsl.backends.tvm.plan.taps import NOTHING, find_positions
from cnndsl.backends.tvm.target import Cpu, Gpu
from cnndsl.diagnostics.errors import fault
from cnndsl.ir.window import Window
from cnndsl.ops.flatten import Flatten
from cnndsl.ops.pixel_shuffle import PixelShuffle
from cnndsl.quantization.functions import table

if TYPE_CHECKING:
    pass


def emit_quantized(main: MainFunction, group: QuantizedGroup) -> bool:
    """False where the group's kernel is one in float32: of groups of kind float, and of those that only move numbers in a
    way for which there is no kernel on whole numbers. What these give from whole numbers is exact, too."""
    emit = _EMITTERS.get(group.kind)
    return emit is not None and emit(main, group)


def refuse_without_int8(target: Cpu | Gpu) -> None:
    """Raises `CnnError` (unsupported-by-target) for GPUs."""
    if isinstance(target, Gpu):
        raise fault(
            "unsupported-by-target",
            f"there are no kernels on whole numbers for `{target.name}`",
            notes=("expected a processor, or C source",),
            help="leave `--precision int8` out, or compile for processors: `--target portable`",
        )


def _give(main: MainFunction, group: QuantizedGroup, kernel: Any, arguments: list[Any]) -> bool:
    type = group.group.last.type
    quads = main.call(kernel, arguments, main.quads_shape(type), dtype="int32")
    main.values[group.name] = TensorForms(type, quads=quads)
    return True


def _elementwise(main: MainFunction, group: QuantizedGroup) -> bool:
    step = group.group.anchor
    names = (
        sorted(step.inputs, key=lambda name: -main.values[name].type.elements)
        if group.kind == "scaled"
        else step.inputs
    )
    arrays = Arrays(main, group)
    gate = len(names) == 2 and main.values[names[1]].type.size != step.type.size
    kernel = QuantizedElementwise(
        {"sum": "sum", "scaled": "scaled", "norm": "norm"}[group.kind],  # type: ignore[arg-type]
        main.batch,
        main.chunks(step.type.channels),
        step.type.size,
        main.lanes,
        gate,
        main.cpu.kind == "llvm",
    )
    zeros = [main.scale(name).zero_point for name in names]
    data = [main.quads(name) for name in names]
    return _give(main, group, kernel, [*data, *arrays.rescaled(), arrays.whole("zeros", [*zeros, 0][:2])])


def _window(main: MainFunction, group: QuantizedGroup) -> bool:
    step = group.group.anchor
    (x,) = step.xs
    if not step.is_image:
        return False
    found = step.op.window_over(x)
    ones, none = (1,) * x.rank, (0,) * x.rank
    window = Window(x.size, ones, none, none, ones) if found is None else found
    kind = "max" if group.kind == "max" else "mean"
    kernel = QuantizedWindow(
        kind,  # type: ignore[arg-type]
        main.batch,
        main.chunks(x.channels),
        x.size,
        main.lanes,
        window,
        main.cpu.kind == "llvm",
    )
    data, arrays = main.quads(step.inputs[0]), Arrays(main, group)
    if kind == "max":
        return _give(main, group, kernel, [data])
    zero = arrays.whole("zero", [main.scale(step.inputs[0]).zero_point])
    return _give(main, group, kernel, [data, *arrays.rescaled(), zero])


def _table(main: MainFunction, group: QuantizedGroup) -> bool:
    step, relax = group.group.anchor, load_tvm().relax
    shape = main.quads_shape(step.type)
    count = prod(shape)
    numbers = table(step.op, main.scale(step.inputs[0]), main.scale(group.name))
    looked_up = Arrays(main, group).whole("table", numbers)
    data = main.builder.emit(relax.op.reshape(main.quads(step.inputs[0]), (count,)))
    made = main.call(QuantizedTable(count), [data, looked_up], (count,), dtype="int32")
    main.values[group.name] = TensorForms(step.type, quads=main.builder.emit(relax.op.reshape(made, shape)))
    return True


def _move(main: MainFunction, group: QuantizedGroup) -> bool:
    step, route, vectors = group.group.anchor, group.group.route, main.cpu.kind == "llvm"
    if isinstance(step.op, Flatten):
        main.values[step.name] = TensorForms(step.type, flattened=step.inputs[0])
        return True
    type, arrays = step.type, Arrays(main, group)
    if route is not None:
        chunks = tuple(main.chunks(width) for width in route.widths)
        kernel: Any = QuantizedRoute(main.batch, type.size, main.lanes, chunks, route.channels, vectors)
        return _give(main, group, kernel, [main.quads(name) for name in route.sources])
    ((x,), data) = step.xs, main.quads(step.inputs[0])
    if isinstance(step.op, PixelShuffle):
        height, width = x.size
        kernel = QuantizedPixelShuffle(main.batch, type.channels, (height, width), step.op.r, main.lanes)
        return _give(main, group, kernel, [data])
    axes = find_positions(step)
    assert axes is not None
    tables = [arrays.whole(f"positions{i}", axis) for i, axis in enumerate(axes) if axis is not None]
    fills = any(axis is not None and (axis == NOTHING).any() for axis in axes)
    if fills:
        tables.append(arrays.whole("fill", [quad_of(main.scale(group.name).zero_point)]))
    moved = tuple(axis is not None for axis in axes)
    kernel = QuantizedPositions(
        main.batch, main.chunks(x.channels), x.size, type.size, main.lanes, moved, fills, vectors
    )
    return _give(main, group, kernel, [data, *tables])


_EMITTERS: dict[Kind, Callable[[MainFunction, QuantizedGroup], bool]] = {
    "product": emit_product,
    "sum": _elementwise,
    "scaled": _elementwise,
    "norm": _elementwise,
    "mean": _window,
    "max": _window,
    "table": _table,
    "move": _move,
}
