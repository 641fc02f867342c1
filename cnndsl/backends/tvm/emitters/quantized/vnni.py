"""Convolutions and fully connected layers on whole numbers by AVX512-VNNI's dot products."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.quantized.arrays import Arrays
from cnndsl.backends.tvm.kernels.int8_conv import MOST_COLUMNS, int8_conv, pack_int8_conv
from cnndsl.backends.tvm.kernels.int8_dense import int8_dense
from cnndsl.backends.tvm.kernels.int8_depthwise import int8_depthwise, pack_int8_depthwise, takes_int8_depthwise
from cnndsl.backends.tvm.kernels.int8_input import Int8Input
from cnndsl.backends.tvm.kernels.int8_projection import int8_projection, pack_int8_projection
from cnndsl.backends.tvm.kernels.words.borders import is_bordered, pack_starts
from cnndsl.backends.tvm.kernels.words.ending import Ending, is_bounded
from cnndsl.backends.tvm.kernels.words.packing import pack_vector
from cnndsl.backends.tvm.kernels.words.quads import QUADS, quads, takes_quads, takes_tables
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.ir.window import Window
from cnndsl.ops.conv import Conv
from cnndsl.quantization.functions import table

if TYPE_CHECKING:
    import numpy as np


def emit_vnni(main: MainFunction, group: QuantizedGroup) -> bool:
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
    elif op.groups == 1 and window.kernel[-1] <= MOST_COLUMNS:
        _Product(main, group).convolution(window)
    elif op.groups == x.channels == step.type.channels and takes_int8_depthwise(x.size, window):
        _Product(main, group).depthwise(window)
    else:
        return False
    return True


class _Product:
    """A group with all that its kernels take."""

    def __init__(self, main: MainFunction, group: QuantizedGroup) -> None:
        assert main.quantized is not None
        self.main, self.group, self.step = main, group, group.group.anchor
        self.arrays = Arrays(main, group)
        self.numbers = main.quantized.weight(group).numbers
        self.source = self.step.inputs[0]
        self.zero_point = main.scale(self.source).zero_point
        self.table = main.tables.get(group.name) if takes_tables(main.cpu) else None
        """The group that looks up the numbers of this one, which is then computed with it."""
        r = self.arrays.rescaling
        most = max(self.zero_point, 255 - self.zero_point)
        sums = np_sums(self.numbers) * most
        self.ending = Ending(
            residuals=len(r.residuals),
            low=r.low,
            high=r.high,
            real=not group.rounds,
            table=self.table is not None,
            bounded=is_bounded(sums, r.factor, r.offset, [float(f) for f in r.residuals]),
        )

    def projection(self) -> None:
        (x,), y = self.step.xs, self.step.type
        rule = int8_projection(self.main.batch, x.size, x.channels, y.channels, self.ending)
        kernel = self.main.choose(rule)
        weight = pack_int8_projection(self.numbers, kernel.tile[0])
        self._give(kernel, [self.main.quads(self.source), self._weight(weight), self._starts()])

    def convolution(self, window: Window) -> None:
        (x,), main = self.step.xs, self.main
        size, count, data = x.size, QUADS, None
        if main.values[self.source].quads is None and main.readers[self.source] == 1 and x.channels <= 4 * (QUADS - 1):
            # The input of a network, which is rounded for this layer alone: with its zero point around it, and without
            # channels that fill up a chunk.
            kernel = Int8Input(main.batch, x.channels, x.size, window.before, window.after, self.zero_point)
            size, count = kernel.padded, kernel.quads
            none = tuple(0 for _ in size)
            window = replace(window, before=none, after=none)
            shape = (main.batch, kernel.chunks, *size, count)
            data = main.call(kernel, [main.plain(self.source), main.inverse(self.source)], shape, dtype="int32")
        bordered = is_bordered(window, size, self.zero_point)
        channels_out = self.step.type.channels
        rule = int8_conv(main.batch, size, x.channels, channels_out, window, bordered, self.ending, count)
        chosen = main.choose(rule)
        weight = pack_int8_conv(self.numbers, chosen.tile[0], count)
        starts = pack_starts(self.numbers, self.zero_point, window, size)
        arguments = [main.quads(self.source) if data is None else data, self._weight(weight)]
        self._give(chosen, [*arguments, self.arrays.whole("starts", starts)])

    def depthwise(self, window: Window) -> None:
        (x,), main = self.step.xs, self.main
        bordered = is_bordered(window, x.size, self.zero_point)
        chunks = main.chunks(x.channels)
        kernel = main.choose(int8_depthwise(main.batch, chunks, x.size, window, bordered, self.ending))
        starts = pack_starts(self.numbers, self.zero_point, window, x.size)
        weight = self._weight(pack_int8_depthwise(self.numbers, kernel.variants))
        self._give(kernel, [main.quads(self.source), weight, self.arrays.whole("starts", starts)])

    def dense(self) -> None:
        main, relax, units = self.main, load_tvm().relax, self.step.type.channels
        data, weight = main.flat_quads(self.source, self.numbers)
        kernel = main.choose(int8_dense(main.batch, weight.shape[1] // 4, units, self.ending))
        packed = self._weight(pack_int8_projection(weight, kernel.vectors))
        last = QUADS if self.group.rounds else main.lanes
        shape = (main.batch, kernel.chunks_out, last)
        dtype = "int32" if self.group.rounds else "float32"
        made = main.call(kernel, [data, packed, self._starts(), *self._rescaled()], shape, dtype=dtype)
        y = main.builder.emit(relax.op.reshape(made, (main.batch, prod(shape[1:]))))
        wanted = -(-units // 4) if self.group.rounds else units
        y = y if wanted == prod(shape[1:]) else main.cut(y, wanted)
        type = self.step.type
        main.values[self._name] = TensorForms(type, quads=y) if self.group.rounds else TensorForms(type, plain=y)

    def _weight(self, packed: np.ndarray) -> Any:
        return self.arrays.real("weight", packed)

    def _starts(self) -> Any:
        import numpy as np

        sums = self.numbers.reshape(len(self.numbers), -1).astype(np.int64).sum(axis=1)
        return self.arrays.whole("starts", pack_vector((-self.zero_point * sums).astype(np.int32), self.main.lanes))

    def _rescaled(self) -> list[Any]:
        """The arguments of an ending."""
        import numpy as np

        r, found = self.arrays.rescaling, self.arrays.factors()
        if r.residuals:
            found.append(self.arrays.real("residual_factors", np.array(r.residuals, np.float32)))
            found += [self.main.quads(name) for name in self.group.group.residuals]
        if self.table is not None:
            scales = self.main.scale(self.group.name), self.main.scale(self.table.name)
            found.append(self.arrays.whole("table", quads(table(self.table.group.anchor.op, *scales), 0)))
        return found

    def _give(self, kernel: Any, arguments: list[Any]) -> None:
        main, type = self.main, self.group.group.last.type
        arguments = [*arguments, *self._rescaled()]
        if self.group.rounds:
            main.give_quads(self._name, type, kernel, arguments)
        else:
            made = main.call(kernel, arguments, main.packed_shape(type))
            main.values[self._name] = TensorForms(type, packed=made)

    @property
    def _name(self) -> str:
        """The tensor that the kernel makes."""
        return self.group.name if self.table is None else self.table.name


def np_sums(numbers: np.ndarray) -> np.ndarray:
    """Of each output channel the sum of the sizes of its weights."""
    import numpy as np

    sums: np.ndarray = np.abs(numbers.reshape(len(numbers), -1).astype(np.int64)).sum(axis=1)
    return sums
