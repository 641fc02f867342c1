"""What kernels with dot products of whole numbers do to their sums, and the arrays that this takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.quantized.arrays import Arrays
from cnndsl.backends.tvm.kernels.words.ending import Ending, is_bounded
from cnndsl.backends.tvm.kernels.words.quads import quads, takes_tables
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
from cnndsl.quantization.functions import table

if TYPE_CHECKING:
    import numpy as np


class Ended:
    """A group, and the pointwise layer behind it, which is computed with it where the processor looks tables up."""

    def __init__(self, main: MainFunction, group: QuantizedGroup, most: np.ndarray | int) -> None:
        """`most` is the largest size that sums may have: of each channel, or of all."""
        self._main, self._group = main, group
        self.arrays = Arrays(main, group)
        self.table = main.tables.get(group.name) if takes_tables(main.cpu) else None
        r = self.arrays.rescaling
        self.ending = Ending(
            residuals=len(r.residuals),
            low=r.low,
            high=r.high,
            real=not group.rounds,
            table=self.table is not None,
            bounded=is_bounded(most, r.factor, r.offset, [float(f) for f in r.residuals]),
        )

    @property
    def name(self) -> str:
        """The tensor that the kernel makes."""
        return self._group.name if self.table is None else self.table.name

    def arguments(self, residuals: list[Any]) -> list[Any]:
        """The last arguments of the kernel; `residuals` are the maps that are added, in quads."""
        import numpy as np

        main, found = self._main, self.arrays.factors()
        if residuals:
            factors = np.array(self.arrays.rescaling.residuals, np.float32)
            found += [self.arrays.real("residual_factors", factors), *residuals]
        if self.table is not None:
            scales = main.scale(self._group.name), main.scale(self.table.name)
            found.append(self.arrays.whole("table", quads(table(self.table.group.anchor.op, *scales), 0)))
        return found

    def give(self, kernel: Any, arguments: list[Any], residuals: list[Any]) -> None:
        """Calls a kernel over maps."""
        main, type = self._main, self._group.group.last.type
        arguments = [*arguments, *self.arguments(residuals)]
        if self._group.rounds:
            main.give_quads(self.name, type, kernel, arguments)
        else:
            main.values[self.name] = TensorForms(type, packed=main.call(kernel, arguments, main.packed_shape(type)))
