"""Fully connected layer on whole numbers: one task computes a block of chunks of outputs for the whole batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from cnndsl.backends.tvm.kernels.words.demand import Demand, share
from cnndsl.backends.tvm.kernels.words.ending import Ending, Endings
from cnndsl.backends.tvm.kernels.words.nest import parts
from cnndsl.backends.tvm.kernels.words.quads import QuadNest, registers

_LATENCY = 12
"""Sums that hide the latency of a dot product."""
_IMAGES = 6


@dataclass(frozen=True)
class Int8Dense:
    """Arguments: input quads `(batch, quads)`, weight quads `(chunks_out·quads, lanes)` as `pack_int8_projection` has it
    for `vectors`, starts int32 `(chunks_out, lanes)`, then those of the ending (`Endings.declared`): factors and offsets
    float32 `(chunks_out, lanes)`; with residuals their factors float32 `(residuals,)` and the residuals, quads
    `(batch, chunks_out, lanes / 4)`; with a table quads `(64,)`; output quads `(batch, chunks_out, lanes / 4)`, or float32
    `(batch, chunks_out, lanes)` where it is real."""

    batch: int
    quads: int
    channels_out: int
    lanes: int
    ending: Ending
    vectors: int
    """The most chunks of a block."""

    @property
    def chunks_out(self) -> int:
        return -(-self.channels_out // self.lanes)

    @property
    def sums(self) -> int:
        """How many registers of sums there may be."""
        return registers(self.lanes) * 3 // 4

    def candidates(self) -> tuple[Self, ...]:
        """Itself, then others with other blocks, which decide how weights are packed: the emitter asks for them."""
        tried = [v for v in (4, 2, 3, 6, 8, 1) if v != self.vectors and v <= self.chunks_out]
        return (self, *(replace(self, vectors=v) for v in tried))

    def demand(self, threads: int) -> Demand:
        """What a call takes."""
        tasks = -(-self.chunks_out // self.vectors)
        work = self.batch * self.quads * self.chunks_out * share(tasks, threads)
        vectors = self.batch * self.chunks_out / threads
        return Demand("Int8Dense", work, 0, vectors * (1 + self.ending.table))

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = QuadNest(self.lanes)
        with n.function():
            data = n.whole("data", (self.batch, self.quads))
            weight = n.whole("weight", (self.chunks_out * self.quads, n.lanes))
            starts = n.whole("starts", (self.chunks_out, n.lanes))
            endings = Endings.declared(n, self.ending, (self.batch, self.chunks_out))
            with n.block(), n.instructions():
                body = _Body(self, n, data, weight, starts, endings.opened())
                for first, count, chunks in parts(self.chunks_out, self.vectors):
                    with n.parallel(count) as block:
                        o = n.bind(first + block * chunks)
                        for image, pieces, images in parts(self.batch, max(1, min(_IMAGES, self.sums // chunks))):
                            with n.serial(pieces) as piece:
                                body.tile(o, chunks, n.bind(image + piece * images), images)
        return n.finished()


@dataclass(frozen=True)
class _Body:
    kernel: Int8Dense
    n: QuadNest
    data: Any
    weight: Any
    starts: Any
    endings: Endings

    def tile(self, o: Any, chunks: int, image: Any, images: int) -> None:
        """The outputs of `chunks` chunks from `o` on for `images` examples from `image` on."""
        k, n = self.kernel, self.n
        # Several sums for each vector, of quads by turns: one alone would wait for the latency of a dot product.
        turns = max(1, min(-(-_LATENCY // (chunks * images)), k.sums // (chunks * images), k.quads))
        sums = [[n.local_sums((turns, n.lanes)) for _ in range(chunks)] for _ in range(images)]
        zero = n.spread(n.tir.const(0, "int32"))
        for i in range(chunks):
            start = n.bind(self.starts[o + i, n.ramp(0)])
            for example in range(images):
                for turn in range(turns):
                    n.store(sums[example][i], zero if turn else start, (turn, n.ramp(0)))

        def add(quad: Any, turn: int) -> None:
            at = n.bind(o * k.quads + quad * chunks)
            values = [n.bind(n.spread(self.data[image + example, quad])) for example in range(images)]
            for i in range(chunks):
                weights = n.bind(self.weight[at + i, n.ramp(0)])
                for example in range(images):
                    sum_ = sums[example][i]
                    n.store(sum_, n.dot(sum_[turn, n.ramp(0)], values[example], weights), (turn, n.ramp(0)))

        whole, rest = divmod(k.quads, turns)
        with n.serial(whole) as step:
            for turn in range(turns):
                add(n.bind(step * turns + turn), turn)
        for turn in range(rest):
            add(whole * turns + turn, turn)
        for example in range(images):
            for i in range(chunks):
                total = sums[example][i][0, n.ramp(0)]
                for turn in range(1, turns):
                    total = total + sums[example][i][turn, n.ramp(0)]
                self._store(n.bind(total), (image + example, o + i))

    def _store(self, sums: Any, at: tuple[Any, ...]) -> None:
        self.endings.store(lambda _: sums, 1, lambda _: at)


def int8_dense(batch: int, quads: int, channels_out: int, lanes: int, ending: Ending) -> Int8Dense:
    """The kernel by the rule: four chunks in a block, fewer where there would be few blocks."""
    chunks_out = -(-channels_out // lanes)
    vectors = next(v for v in (4, 2, 1) if chunks_out >= 4 * v or v == 1)
    return Int8Dense(batch, quads, channels_out, lanes, ending, vectors)
