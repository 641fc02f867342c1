"""Arrays of weights whose shapes are known now, and whose numbers when they are asked for: a network is planned without any."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_BYTES = {"float32": 4, "int32": 4, "int8": 1, "int64": 8, "float64": 8, "uint8": 1}


class Later:
    """An array by its shape and element type. Its numbers are worked out once, when they are first asked for."""

    def __init__(self, shape: tuple[int, ...], make: Callable[[], np.ndarray], dtype: str = "float32") -> None:
        self.shape, self.dtype, self._make = tuple(shape), dtype, make
        self._made: np.ndarray | None = None
        self.is_absent = False
        """Whether it has no numbers at all."""

    @classmethod
    def of(cls, array: np.ndarray) -> Later:
        """An array that is there already."""
        return cls(array.shape, lambda: array, array.dtype.name)

    @classmethod
    def absent(cls, shape: tuple[int, ...], dtype: str) -> Later:
        """The place of weights in a plan that nobody runs: an error to ask for its numbers."""

        def refuse() -> np.ndarray:
            raise RuntimeError("a network that was planned without weights has no numbers")

        later = cls(shape, refuse, dtype)
        later.is_absent = True
        return later

    @classmethod
    def filled(cls, shape: tuple[int, ...], number: float) -> Later:
        """float32, the same number everywhere."""

        def make() -> np.ndarray:
            import numpy as np

            return np.full(shape, number, np.float32)

        return cls(shape, make)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * _BYTES[self.dtype]

    def numpy(self) -> np.ndarray:
        """The numbers."""
        if self._made is None:
            made = self._make()
            if made.shape != self.shape or made.dtype.name != self.dtype:
                found = f"{made.dtype.name} {made.shape}"
                raise AssertionError(f"expected {self.dtype} {self.shape}, found {found}")
            self._made = made
        return self._made

    def then(
        self, shape: tuple[int, ...], function: Callable[[np.ndarray], np.ndarray], dtype: str | None = None
    ) -> Later:
        """The array of this shape that `function` makes of this one."""
        later = Later(shape, lambda: function(self.numpy()), dtype or self.dtype)
        later.is_absent = self.is_absent
        return later

    def reshaped(self, *shape: int) -> Later:
        """The same numbers under another shape."""
        return self.then(shape, lambda array: array.reshape(shape))
