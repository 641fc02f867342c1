"""The arrays that kernels on whole numbers take beside their tensors, as constants of `main`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.kernels.words.packing import pack_vector
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.quantization.rescaling import Rescaling


class Arrays:
    """Those of one group."""

    def __init__(self, main: MainFunction, group: QuantizedGroup) -> None:
        self._main, self._group = main, group

    @cached_property
    def rescaling(self) -> Rescaling:
        assert self._main.quantized is not None
        return self._main.quantized.rescaling(self._group)

    def factors(self, shape: tuple[int, ...] = ()) -> list[Any]:
        """Factor and offset, both of the first `(chunks, lanes)`, or of another shape with room for more channels."""
        import numpy as np

        r, channels = self.rescaling, self._group.group.last.type.channels
        found = []
        for name, values in (("factor", r.factor), ("offset", r.offset)):
            wide = np.ascontiguousarray(np.broadcast_to(values, (channels,)), np.float32)
            found.append(self.real(name, self.packed(wide, shape)))
        return found

    def rescaled(self, shape: tuple[int, ...] = ()) -> list[Any]:
        """Factor, offset and scalars, as the class `Rescaled` of the portable kernels declares them."""
        import numpy as np

        r = self.rescaling
        return [*self.factors(shape), self.real("scalars", np.array([r.low, r.high, *r.residuals], np.float32))]

    def packed(self, vector: np.ndarray, shape: tuple[int, ...] = ()) -> np.ndarray:
        """A number for each channel as `(chunks, lanes)`, or of another shape with room for more; zeros behind them."""
        import numpy as np

        lanes = self._main.lanes
        if not shape:
            return pack_vector(vector, lanes)
        whole = np.zeros(shape, vector.dtype)
        whole.reshape(-1)[: len(vector)] = vector
        return whole

    def real(self, name: str, array: np.ndarray) -> Any:
        return self._main.constant(f"{self._group.name}.{name}", array)

    def whole(self, name: str, numbers: Sequence[int] | np.ndarray) -> Any:
        import numpy as np

        return self._main.constant(f"{self._group.name}.{name}", np.array(numbers, np.int32))


def quad_of(number: int) -> int:
    """A number from 0 to 255 four times, as the int32 that holds it."""
    return int.from_bytes(bytes([number] * 4), "little", signed=True)
