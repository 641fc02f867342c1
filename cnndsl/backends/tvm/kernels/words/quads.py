"""Whole numbers in quads: dot products of processors that have them, and the way from their sums back to quads.

A quad is an int32 that holds the numbers, from 0 to 255, of four neighbouring channels, the lowest channel in the lowest
byte; a quad of weights holds four from -127 to 127. A map of quads is `(batch, chunks, *size, lanes / 4)` where a chunk has as many
channels as a register has sums, so that four neighbouring positions fill one. TVM has no vectors of whole numbers for these
instructions: they are called through functions in LLVM's language that take int32 and are gone after inlining.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.kernels.words.nest import Nest
from cnndsl.backends.tvm.kernels.words.quad_functions import functions
from cnndsl.backends.tvm.target import Cpu

if TYPE_CHECKING:
    import numpy as np

_NEEDED = {
    16: frozenset({"avx512bw", "avx512vl", "avx512_vnni"}),
    8: frozenset({"avx2", "fma", "avx_vnni"}),
    4: frozenset({"asimd", "asimddp", "i8mm"}),
}
"""By the sums in a register: what the kernels take of a processor, by Linux's names."""
_TABLES = {16: frozenset({"avx512vbmi"}), 4: frozenset({"asimd"})}
_REGISTERS = {16: 32, 8: 16, 4: 32}


def takes_quads(cpu: Cpu) -> bool:
    """Whether the processor has the instructions of all kernels that read or make quads."""
    return cpu.kind == "llvm" and _NEEDED[cpu.lanes].issubset(cpu.features)


def takes_tables(cpu: Cpu) -> bool:
    """Whether the processor looks numbers up in a table of 256, too."""
    return takes_quads(cpu) and cpu.lanes in _TABLES and _TABLES[cpu.lanes].issubset(cpu.features)


def registers(lanes: int) -> int:
    """How many registers there are of so many sums."""
    return _REGISTERS[lanes]


class QuadNest(Nest):
    """Loops with vectors of `lanes` sums or quads. A word that ends in 4 is of four positions of a chunk, `lanes` quads;
    one that ends in 1 is of one position, `quads` quads."""

    def __init__(self, lanes: int) -> None:
        super().__init__(lanes)
        self.lanes, self.quads = lanes, lanes // 4
        self._sums, self._reals, self._quads = f"int32x{lanes}", f"float32x{lanes}", "int32"
        if self.quads > 1:
            self._quads = f"int32x{self.quads}"

    @contextmanager
    def instructions(self) -> Iterator[None]:
        """What stands around all that uses the words below."""
        with self._t.attr(self.tir.const(0, "int32"), "pragma_import_llvm", functions(self.lanes)):
            yield

    def whole(self, name: str, shape: tuple[int, ...]) -> Any:
        """An argument of quads or of sums."""
        return self._t.arg(name, self._t.buffer(shape, "int32"))

    def local_sums(self, shape: tuple[int, ...]) -> Any:
        return self._t.alloc_buffer(shape, "int32")

    def reshaped(self, buffer: Any, shape: tuple[int, ...]) -> Any:
        """The same memory with other axes."""
        return self._t.decl_buffer(shape, str(buffer.dtype), data=buffer.data)

    def flat(self, buffer: Any) -> Any:
        """The same memory with one axis, on which four positions are neighbours."""
        return self.reshaped(buffer, (prod(int(size) for size in buffer.shape),))

    def spread(self, value: Any) -> Any:
        """A quad or a number in all places of a register."""
        return self.tir.Broadcast(value, self.lanes)

    def quad(self, number: int) -> Any:
        """A number from 0 to 255 four times."""
        return self.tir.const(int.from_bytes(bytes([number] * 4), "little", signed=True), "int32")

    def dot(self, sums: Any, quads: Any, weights: Any) -> Any:
        """`sums` and in each place the four products of a quad with a quad of weights."""
        return self._call(self._sums, "dot", sums, quads, weights)

    def real(self, sums: Any, factors: Any, offsets: Any) -> Any:
        """`fma(float32(sums), factors, offsets)`."""
        return self._call(self._reals, "real", sums, factors, offsets)

    def fma(self, numbers: Any, factors: Any, offsets: Any) -> Any:
        """The same of float32 numbers."""
        return self._call(self._reals, "fma", numbers, factors, offsets)

    def widened(self, quads: Any) -> Any:
        """A position's quads as the whole numbers they are."""
        return self._call(self._sums, "widened", quads)

    def rounded(self, numbers: Any) -> Any:
        """float32 numbers below 2³¹ as whole ones, to nearest, ties to even."""
        return self._call(self._sums, "whole", numbers)

    def packed1(self, numbers: Any) -> Any:
        """A position's whole numbers, clamped to 0 … 255, as quads."""
        return self._call(self._quads, "packed1", numbers)

    def packed4(self, a: Any, b: Any, c: Any, d: Any) -> Any:
        """The whole numbers of four positions, clamped to 0 … 255, as quads."""
        return self._call(self._sums, "packed4", a, b, c, d)

    def transposed(self, positions: Any) -> Any:
        """Of four positions, of which each has `lanes` channels: for each channel a quad of the four positions."""
        return self._call(self._sums, "transposed", positions)

    def parted(self, quads: Any) -> Any:
        """The other way round: of `lanes` quads the first number of each, then the second ones, and so on."""
        return self._call(self._sums, "parted", quads)

    def larger(self, a: Any, b: Any, positions: int) -> Any:
        """The larger of each two numbers in the quads of 1 or 4 positions."""
        return self._call(self._of(positions), f"larger{positions}", a, b)

    def smaller(self, a: Any, b: Any, positions: int) -> Any:
        return self._call(self._of(positions), f"smaller{positions}", a, b)

    def looked_up(self, found: Any, table: Any, positions: int) -> Any:
        """What stands in a table `(64,)`, 256 numbers as quads, for each number in the quads of 1 or 4 positions."""
        parts = [table[self.ramp(self.lanes * i)] for i in range(64 // self.lanes)]
        return self._call(self._of(positions), f"looked_up{positions}", found, *parts)

    def run(self, start: Any, count: int) -> Any:
        """The index of `count` neighbours from `start` on, which may be one."""
        return start if count == 1 else self.ramp(start, count)

    def position(self) -> Any:
        """The index of the quads of a position."""
        return self.run(0, self.quads)

    def several(self, quad: Any, positions: int) -> Any:
        """A quad in all quads of 1 or 4 positions."""
        count = self.quads * positions
        return quad if count == 1 else self.tir.Broadcast(quad, count)

    def _of(self, positions: int) -> str:
        return self._sums if positions == 4 else self._quads

    def _call(self, dtype: str, word: str, *arguments: Any) -> Any:
        return self.tir.call_pure_extern(dtype, f"cnndsl_u8_{word}", *arguments)


def tile_cycles(chunks: int, width: int, quads: int, most: int, seen: int = 1) -> float:
    """An estimate of the cycles of a tile of `chunks` × `width` sums of `quads` quads, of which one core computes two in
    a cycle, and of which `seen` neighbours share what they read: ten sums hide the latency of a dot product, and few of them do not hide what is loaded for each quad. Where
    nearly all of the `most` registers are taken, what is loaded comes late."""
    tight = 1.08 if chunks * width + chunks > most - 3 else 1.0
    step = max(chunks * width, 10) + 0.5 * chunks + 0.3 * width / seen + 1.3
    return (tight * step * quads + 4 * chunks * (width + -width % 4)) / 2 + 20


def quads(array: np.ndarray, axis: int) -> np.ndarray:
    """int8 or uint8 numbers with neighbours on `axis`, of a length that four divides, as quads, int32."""
    import numpy as np

    last = np.ascontiguousarray(np.moveaxis(array, axis, -1))
    return np.ascontiguousarray(np.moveaxis(last.view(np.int32), -1, axis))


def numbers(array: np.ndarray) -> np.ndarray:
    """Quads, int32, as the uint8 numbers they hold, which are neighbours on the last axis."""
    import numpy as np

    return np.ascontiguousarray(array).view(np.uint8)
