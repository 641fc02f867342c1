"""Which channels of a map of whole numbers a chunk of a convolution's outputs is computed from, and its weights in the order in
which they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.kernels.words.nest import parts
from cnndsl.backends.tvm.kernels.words.packing import fill_up
from cnndsl.backends.tvm.kernels.words.quads import quads as as_quads

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Seen:
    """What a chunk out sees of the channels in."""

    deep: int
    """Quads that are multiplied with each of its outputs."""
    together: int
    """Neighbouring chunks out that see the same."""
    own: bool
    """Whether each output has the quads of its own group."""
    ins: int
    outs: int
    """Channels of a group."""
    lanes: int
    most: int
    """The last chunk that can be the first one seen."""

    @classmethod
    def of(cls, channels: int, channels_out: int, groups: int, lanes: int) -> Seen:
        ins, outs, chunks_out = channels // groups, channels_out // groups, -(-channels_out // lanes)
        if groups == 1:
            return cls(-(-channels // 4), chunks_out, False, ins, outs, lanes, 0)
        chunks = -(-channels // lanes)
        if ins == outs and ins < lanes and lanes % ins == 0 and lanes > 4:
            return cls(max(1, ins // 4), 1, True, ins, outs, lanes, chunks - 1)
        seen = 0
        for o in range(0, channels_out, lanes):
            last = min(o + lanes, channels_out) - 1
            seen = max(seen, ((last // outs + 1) * ins - 1) // lanes + 1 - o // outs * ins // lanes)
        together = outs // lanes if outs % lanes == 0 else 1
        return cls(seen * lanes // 4, together, False, ins, outs, lanes, chunks - seen)

    def first(self, o: Any, minimum: Any = min) -> Any:
        """The first chunk in that chunk out `o` sees."""
        return minimum(o * self.lanes // self.outs * self.ins // self.lanes, self.most)


def pack_int8_conv(weight: np.ndarray, tile: int, lanes: int, quads: int, groups: int = 1) -> np.ndarray:
    """int8 `(out, in of a group, *kernel)` → quads, int32 `(vectors, lanes)`: for each block of up to `tile` chunks out, for
    each chunk of `quads` quads in, for each row of the window, each quad and each column, the vectors of the block."""
    import numpy as np

    *_, width = weight.shape
    if groups > 1:
        weight = _laid_out(weight, groups, lanes)
    filled = as_quads(fill_up(fill_up(weight, 0, lanes), 1, 4), 1)
    chunks_out, deep = filled.shape[0] // lanes, filled.shape[1]
    rows = filled.reshape(chunks_out, lanes, deep, -1, width)
    vectors = []
    for first, count, chunks in parts(chunks_out, tile):
        for block in range(first, first + count * chunks, chunks):
            for quad in range(0, deep, quads):
                # (chunk out, lane, quad, row, column) → (row, quad, column, chunk out, lane)
                part = rows[block : block + chunks, :, quad : quad + quads].transpose(3, 2, 4, 0, 1)
                vectors.append(part.reshape(-1, lanes))
    return np.ascontiguousarray(np.concatenate(vectors))


def _laid_out(weight: np.ndarray, groups: int, lanes: int) -> np.ndarray:
    """int8 `(out, in of a group, *kernel)` → `(out, 4 · deep, *kernel)`: the weights of what a chunk out sees, zero for
    other groups."""
    import numpy as np

    out, ins, *kernel = weight.shape
    seen = Seen.of(ins * groups, out, groups, lanes)
    wide = np.zeros((out, 4 * seen.deep, *kernel), np.int8)
    for o in range(out):
        channel = o // (out // groups) * ins
        start = channel % 4 if seen.own else channel - seen.first(o // lanes) * lanes
        wide[o, start : start + ins] = weight[o]
    return wide
