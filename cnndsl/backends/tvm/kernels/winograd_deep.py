"""Winograd convolution of k×3×3 windows at stride 1 over packed maps of three axes: each layer of the output is an
image whose channels are those of the k layers of the input that it sees, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.kernels.winograd import Winograd
from cnndsl.backends.tvm.kernels.winograd_transforms import pack_winograd
from cnndsl.backends.tvm.kernels.words.nest import Nest
from cnndsl.backends.tvm.kernels.words.packing import fill_up

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class DeepWinograd(Winograd):
    """Arguments: input `(examples, chunks / deep, layers, h, w, lanes)`, weight as `pack_deep_winograd` makes it, bias
    `(chunks_out, lanes)`, residuals of the tail and output `(examples, chunks_out, out_layers, oh, ow, lanes)`. `batch`
    counts the layers of all examples."""

    layers: int
    deep: int
    """Layers of the window."""
    before: int
    """Layers of zeros before the first."""
    out_layers: int

    @property
    def _input_shape(self) -> tuple[int, ...]:
        return self.batch // self.out_layers, self.chunks // self.deep, self.layers, *self.size, self.lanes

    @property
    def _output_shape(self) -> tuple[int, ...]:
        out = self.window.output_size(self.size)
        return self.batch // self.out_layers, self.chunks_out, self.out_layers, *out, self.lanes

    def _read(self, n: Nest, data: Any, image: Any, chunk: Any, row: Any, column: Any, lane: Any) -> Any:
        chunks = self.chunks // self.deep
        layer = image % self.out_layers + chunk // chunks - self.before
        value = data[image // self.out_layers, chunk % chunks, layer, row, column, lane]
        return n.select(n.all(layer >= 0, layer < self.layers), value)

    def _written(self, image: Any, o: Any, row: Any, column: Any, lane: Any) -> tuple[Any, ...]:
        return image // self.out_layers, o, image % self.out_layers, row, column, lane


def pack_deep_winograd(weight: np.ndarray, m: int, lanes: int) -> np.ndarray:
    """`(out, in, k, 3, 3)` as `pack_winograd` has it, the channels of each layer of the window filled up to chunks."""
    filled = fill_up(weight, 1, lanes)
    out, seen, deep, *window = filled.shape
    return pack_winograd(filled.transpose(0, 2, 1, 3, 4).reshape(out, deep * seen, *window), m, lanes)
