"""Sums, products, batch norms and tables of maps of whole numbers, and what windows make of them."""

from __future__ import annotations

from typing import Any

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.quantized.arrays import Arrays
from cnndsl.backends.tvm.emitters.quantized.vnni import emit_vnni_elementwise, emit_vnni_mean, emit_vnni_table
from cnndsl.backends.tvm.kernels.quantized_elementwise import QuantizedElementwise, QuantizedTable
from cnndsl.backends.tvm.kernels.quantized_window import QuantizedWindow
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.ir.window import Window
from cnndsl.quantization.functions import table


def give_quads(main: MainFunction, group: QuantizedGroup, kernel: Any, arguments: list[Any]) -> None:
    """Calls a kernel that gives the group's result in quads."""
    main.give_quads(group.name, group.group.last.type, kernel, arguments)


def emit_elementwise(main: MainFunction, group: QuantizedGroup) -> None:
    """Kinds `sum`, `scaled` and `norm`."""
    step = group.group.anchor
    # The map comes first, and a number for each channel behind it.
    names = sorted(step.inputs, key=lambda name: -main.values[name].type.elements)
    names = names if group.kind == "scaled" else list(step.inputs)
    gate = group.kind == "scaled" and main.values[names[1]].type.size != step.type.size
    if emit_vnni_elementwise(main, group, names, gate=gate):
        return
    arrays = Arrays(main, group)
    kernel = QuantizedElementwise(
        group.kind,  # type: ignore[arg-type]  # the emitter is for these kinds
        main.batch,
        main.chunks(step.type.channels),
        step.type.size,
        main.lanes,
        gate,
        vectors=main.cpu.kind == "llvm",
    )
    zeros = [main.scale(name).zero_point for name in names]
    data = [main.quads(name) for name in names]
    give_quads(main, group, kernel, [*data, *arrays.rescaled(), arrays.whole("zeros", [*zeros, 0][:2])])


def emit_window(main: MainFunction, group: QuantizedGroup) -> None:
    """Kinds `mean` and `max`."""
    step, arrays = group.group.anchor, Arrays(main, group)
    (x,) = step.xs
    found = step.op.window_over(x)
    ones, none = (1,) * x.rank, (0,) * x.rank
    window = Window(x.size, ones, none, none, ones) if found is None else found
    vectors, chunks, data = main.cpu.kind == "llvm", main.chunks(x.channels), main.quads(step.inputs[0])
    if group.kind == "max":
        give_quads(main, group, QuantizedWindow("max", main.batch, chunks, x.size, main.lanes, window, vectors), [data])
        return
    if emit_vnni_mean(main, group, window):
        return
    kernel = QuantizedWindow("mean", main.batch, chunks, x.size, main.lanes, window, vectors)
    zero = arrays.whole("zero", [main.scale(step.inputs[0]).zero_point])
    give_quads(main, group, kernel, [data, *arrays.rescaled(), zero])


def emit_table(main: MainFunction, group: QuantizedGroup) -> None:
    """Kind `table`: a pointwise layer."""
    if emit_vnni_table(main, group):
        return
    step = group.group.anchor
    numbers = table(step.op, main.scale(step.inputs[0]), main.scale(group.name))
    looked_up = Arrays(main, group).whole("table", numbers)
    give_quads(main, group, QuantizedTable(main.quads_shape(step.type)), [main.quads(step.inputs[0]), looked_up])
