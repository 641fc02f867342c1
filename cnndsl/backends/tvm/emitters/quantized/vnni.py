"""Calls of the kernels for processors with dot products of whole numbers, VNNI and the like: products, and what goes with
them."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.quantized.arrays import Arrays
from cnndsl.backends.tvm.emitters.quantized.ended import Ended
from cnndsl.backends.tvm.kernels.int8_conv import MOST_COLUMNS, int8_conv
from cnndsl.backends.tvm.kernels.int8_dense import int8_dense
from cnndsl.backends.tvm.kernels.int8_depthwise import int8_depthwise, pack_int8_depthwise, takes_int8_depthwise
from cnndsl.backends.tvm.kernels.int8_elementwise import Int8Elementwise, Int8Table
from cnndsl.backends.tvm.kernels.int8_input import Int8Input
from cnndsl.backends.tvm.kernels.int8_projection import int8_projection, pack_int8_projection
from cnndsl.backends.tvm.kernels.words.borders import is_bordered, pack_starts
from cnndsl.backends.tvm.kernels.words.packing import pack_vector
from cnndsl.backends.tvm.kernels.words.quads import quads, takes_quads, takes_tables
from cnndsl.backends.tvm.kernels.words.seen import pack_int8_conv
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.ir.window import Window
from cnndsl.ops.conv import Conv
from cnndsl.quantization.arithmetic import LARGEST
from cnndsl.quantization.functions import table

if TYPE_CHECKING:
    import numpy as np


def emit_vnni_product(main: MainFunction, group: QuantizedGroup) -> bool:
    """False for other processors, and for convolutions that these kernels do not compute."""
    step, op = group.group.anchor, group.group.anchor.op
    if not takes_quads(main.cpu):
        return False
    if not isinstance(op, Conv):
        _Product(main, group).dense()
        return True
    (x,), window = step.xs, op.window_over(step.xs[0])
    if op.groups == 1 and {*window.kernel, *window.stride} == {1} and not any(window.before + window.after):
        _Product(main, group).projection()
    elif op.groups == x.channels == step.type.channels and takes_int8_depthwise(x.size, window):
        _Product(main, group).depthwise(window)
    elif window.kernel[-1] <= MOST_COLUMNS:
        _Product(main, group).convolution(window, op.groups)
    else:
        return False
    return True


def emit_vnni_elementwise(main: MainFunction, group: QuantizedGroup, names: list[str], *, gate: bool) -> bool:
    """The sum of two maps, their product, or a norm; `names` are the maps, with `gate` the second of one position. False for other
    processors."""
    if not takes_quads(main.cpu):
        return False
    step, zeros = group.group.anchor, [main.scale(name).zero_point for name in names]
    most = prod(max(zero, LARGEST - zero) for zero in zeros)
    ended = Ended(main, group, 0 if group.kind == "sum" else most)
    kernel = Int8Elementwise(
        group.kind,  # type: ignore[arg-type]  # the emitter is for these kinds
        main.batch,
        main.chunks(step.type.channels),
        step.type.size,
        main.lanes,
        gate,
        ended.ending,
    )
    data = [main.quads(name) for name in names]
    if group.kind == "sum":
        ended.give(kernel, [], data)
    else:
        ended.give(kernel, [*data, ended.arrays.whole("zeros", zeros)], [])
    return True


def emit_vnni_mean(main: MainFunction, group: QuantizedGroup, window: Window) -> bool:
    """The means of windows, a depthwise convolution with weights of one. False for other processors, and for windows that the
    kernel does not take, such as that of a whole map."""
    import numpy as np

    (x,), source = group.group.anchor.xs, group.group.anchor.inputs[0]
    if not takes_quads(main.cpu) or not takes_int8_depthwise(x.size, window) or window.kernel == x.size:
        return False
    zero_point = main.scale(source).zero_point
    weight = np.ones((x.channels, 1, *window.kernel), np.int8)
    ended = Ended(main, group, sizes_summed(weight) * max(zero_point, LARGEST - zero_point))
    bordered = is_bordered(window, x.size, zero_point)
    chunks = main.chunks(x.channels)
    rule = int8_depthwise(main.batch, chunks, x.size, main.lanes, window, bordered, ended.ending)
    kernel = main.choose(rule)
    starts = ended.arrays.whole("starts", pack_starts(weight, zero_point, window, x.size, main.lanes))
    ones = ended.arrays.real("weight", pack_int8_depthwise(weight, kernel.variants, main.lanes))
    ended.give(kernel, [main.quads(source), ones, starts], [])
    return True


def emit_vnni_table(main: MainFunction, group: QuantizedGroup) -> bool:
    """A pointwise layer. False for processors that do not look tables up, and for a few numbers, not whole registers of
    them."""
    step = group.group.anchor
    shape = main.quads_shape(step.type)
    count = prod(shape)
    if not takes_tables(main.cpu) or count % (main.lanes // 4):
        return False
    numbers = table(step.op, main.scale(step.inputs[0]), main.scale(group.name))
    looked_up = Arrays(main, group).whole("table", quads(numbers, 0))
    data = main.reshaped(main.quads(step.inputs[0]), (count,))
    made = main.call(Int8Table(count, main.lanes), [data, looked_up], (count,), dtype="int32")
    main.values[group.name] = TensorForms(step.type, quads=main.reshaped(made, shape))
    return True


class _Product:
    """A group with all that its kernels take."""

    def __init__(self, main: MainFunction, group: QuantizedGroup) -> None:
        assert main.quantized is not None
        self.main, self.group, self.step = main, group, group.group.anchor
        self.numbers = main.quantized.weight(group).numbers
        self.source = self.step.inputs[0]
        self.zero_point = main.scale(self.source).zero_point
        largest = max(self.zero_point, LARGEST - self.zero_point)
        self.ended = Ended(main, group, sizes_summed(self.numbers) * largest)
        self.ending, self.arrays = self.ended.ending, self.ended.arrays

    def projection(self) -> None:
        (x,), y = self.step.xs, self.step.type
        rule = int8_projection(self.main.batch, x.size, x.channels, y.channels, self.main.lanes, self.ending)
        kernel = self.main.choose(rule)
        weight = pack_int8_projection(self.numbers, kernel.tile[0], self.main.lanes)
        self._give(kernel, [self.main.quads(self.source), self._weight(weight), self._starts()])

    def convolution(self, window: Window, groups: int) -> None:
        (x,), main = self.step.xs, self.main
        size, count, data = x.size, main.lanes // 4, None
        alone = main.values[self.source].quads is None and main.readers[self.source] == 1
        if groups == 1 and alone and x.channels <= main.lanes - 4:
            # The input of a network, which is rounded for this layer alone: with its zero point around it, and without
            # channels that fill up a chunk.
            kernel = Int8Input(main.batch, x.channels, x.size, window.before, window.after, self.zero_point, main.lanes)
            size, count = kernel.padded, kernel.quads
            none = tuple(0 for _ in size)
            window = replace(window, before=none, after=none)
            shape = (main.batch, kernel.chunks, *size, count)
            data = main.call(kernel, [main.plain(self.source), main.inverse(self.source)], shape, dtype="int32")
        bordered = is_bordered(window, size, self.zero_point)
        channels_out = self.step.type.channels
        rule = int8_conv(
            main.batch, size, x.channels, channels_out, window, bordered, main.lanes, self.ending, count, groups
        )
        chosen = main.choose(rule)
        weight = pack_int8_conv(self.numbers, chosen.tile[0], main.lanes, count, groups)
        starts = pack_starts(self.numbers, self.zero_point, window, size, main.lanes)
        arguments = [main.quads(self.source) if data is None else data, self._weight(weight)]
        self._give(chosen, [*arguments, self.arrays.whole("starts", starts)])

    def depthwise(self, window: Window) -> None:
        (x,), main = self.step.xs, self.main
        bordered = is_bordered(window, x.size, self.zero_point)
        chunks = main.chunks(x.channels)
        kernel = main.choose(int8_depthwise(main.batch, chunks, x.size, main.lanes, window, bordered, self.ending))
        starts = pack_starts(self.numbers, self.zero_point, window, x.size, main.lanes)
        weight = self._weight(pack_int8_depthwise(self.numbers, kernel.variants, main.lanes))
        self._give(kernel, [main.quads(self.source), weight, self.arrays.whole("starts", starts)])

    def dense(self) -> None:
        main, units = self.main, self.step.type.channels
        data, weight = main.flat_quads(self.source, self.numbers)
        kernel = main.choose(int8_dense(main.batch, weight.shape[1] // 4, units, main.lanes, self.ending))
        packed = self._weight(pack_int8_projection(weight, kernel.vectors, main.lanes))
        last = main.lanes // 4 if self.group.rounds else main.lanes
        shape = (main.batch, kernel.chunks_out, last)
        dtype = "int32" if self.group.rounds else "float32"
        made = main.call(kernel, [data, packed, self._starts(), *self.ended.arguments([])], shape, dtype=dtype)
        y = main.reshaped(made, (main.batch, prod(shape[1:])))
        wanted = -(-units // 4) if self.group.rounds else units
        y = y if wanted == prod(shape[1:]) else main.cut(y, wanted)
        type = self.step.type
        main.values[self.ended.name] = TensorForms(type, quads=y) if self.group.rounds else TensorForms(type, plain=y)

    def _weight(self, packed: np.ndarray) -> Any:
        return self.arrays.real("weight", packed)

    def _starts(self) -> Any:
        import numpy as np

        sums = self.numbers.reshape(len(self.numbers), -1).astype(np.int64).sum(axis=1)
        return self.arrays.whole("starts", pack_vector((-self.zero_point * sums).astype(np.int32), self.main.lanes))

    def _give(self, kernel: Any, arguments: list[Any]) -> None:
        residuals = [self.main.quads(name) for name in self.group.group.residuals]
        self.ended.give(kernel, arguments, residuals)


def sizes_summed(numbers: np.ndarray) -> np.ndarray:
    """Of each output channel the sum of the sizes of its weights."""
    import numpy as np

    sums: np.ndarray = np.abs(numbers.reshape(len(numbers), -1).astype(np.int64)).sum(axis=1)
    return sums
