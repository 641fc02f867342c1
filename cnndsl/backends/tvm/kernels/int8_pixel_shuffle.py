"""Four channels in a row become 2×2 positions of one: for each position of the input one register of quads is dealt out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnndsl.backends.tvm.kernels.words.nest import places
from cnndsl.backends.tvm.kernels.words.quads import QuadNest


@dataclass(frozen=True)
class Int8PixelShuffle:
    """Arguments: input quads `(batch, chunks_in, h, w, lanes / 4)`, output quads `(batch, chunks, 2·h, 2·w, lanes / 4)`."""

    batch: int
    channels: int
    """Of the result."""
    size: tuple[int, int]
    """Of the input."""
    lanes: int

    def prim_func(self) -> Any:
        """The function, as loops: a task for each row of the input and chunk of the result."""
        n, (h, w), lanes = QuadNest(self.lanes), self.size, self.lanes
        chunks, chunks_in = -(-self.channels // lanes), -(-4 * self.channels // lanes)
        with n.function():
            data = n.whole("data", (self.batch, chunks_in, h, w, n.quads))
            result = n.whole("result", (self.batch, chunks, 2 * h, 2 * w, n.quads))
            with n.block(), n.instructions():
                memory = n.flat(result)
                with n.parallel(self.batch * chunks * h) as task, n.serial(w) as x:
                    image, chunk, y = places(task, (self.batch, chunks, h))
                    # Chunks beyond the last are the last: their channels may be anything.
                    sources = [n.minimum(4 * chunk + i, chunks_in - 1) for i in range(4)]
                    four = [n.bind(data[image, source, y, x, n.position()]) for source in sources]
                    pixels = n.bind(n.parted(n.shuffled(four, list(range(lanes)))))
                    for i in range(2):
                        row = n.bind(((image * chunks + chunk) * 2 * h + 2 * y + i) * 2 * w + 2 * x)
                        two = n.shuffled([pixels], [2 * i * n.quads + j for j in range(2 * n.quads)])
                        n.store(memory, two, (n.ramp(row * n.quads, 2 * n.quads),))
        return n.finished()
