"""Whole numbers in quads: AVX512-VNNI's dot products, and the way from their sums back to quads.

A quad is an int32 that holds the numbers, from 0 to 255, of four neighbouring channels, the lowest channel in the lowest
byte; a quad of weights holds four from -127 to 127. A map of quads is `(batch, chunks, *size, 4)` where a chunk has sixteen
channels, so that four neighbouring positions fill a register. TVM has no vectors of whole numbers for these
instructions: they are called through functions in LLVM's language that take int32 and are gone after inlining.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.kernels.words.nest import Nest
from cnndsl.backends.tvm.target import Cpu

if TYPE_CHECKING:
    import numpy as np

LANES = 16
"""Sums in a register of AVX-512, and channels in a chunk."""
QUADS = LANES // 4
"""Quads in a chunk of channels."""
_NEEDED = frozenset({"avx512bw", "avx512vl", "avx512_vnni"})
_TABLES = frozenset({"avx512vbmi"})


def takes_quads(cpu: Cpu) -> bool:
    """Whether the processor has the instructions of all kernels that read or make quads."""
    return cpu.kind == "llvm" and cpu.lanes == LANES and _NEEDED.issubset(cpu.features)


def takes_tables(cpu: Cpu) -> bool:
    """Whether the processor looks numbers up in a table of 256, too."""
    return takes_quads(cpu) and _TABLES.issubset(cpu.features)


_TRANSPOSED = ", ".join(f"i32 {position * LANES + channel}" for channel in range(LANES) for position in range(4))
_UNPACKED = ", ".join(f"i32 {part * 4 + position}" for position in range(4) for part in range(4))

_FUNCTIONS = f"""
declare <16 x i32> @llvm.x86.avx512.vpdpbusd.512(<16 x i32>, <16 x i32>, <16 x i32>)
declare <16 x i32> @llvm.x86.avx512.mask.cvtps2dq.512(<16 x float>, <16 x i32>, i16, i32)
declare <32 x i16> @llvm.x86.avx512.packssdw.512(<16 x i32>, <16 x i32>)
declare <64 x i8> @llvm.x86.avx512.packuswb.512(<32 x i16>, <32 x i16>)
declare <16 x i8> @llvm.x86.avx512.mask.pmovus.db.512(<16 x i32>, <16 x i8>, i16)
declare <64 x i8> @llvm.x86.avx512.vpermi2var.qi.512(<64 x i8>, <64 x i8>, <64 x i8>)
declare <16 x float> @llvm.fma.v16f32(<16 x float>, <16 x float>, <16 x float>)
declare <16 x i32> @llvm.smax.v16i32(<16 x i32>, <16 x i32>)
declare <64 x i8> @llvm.umax.v64i8(<64 x i8>, <64 x i8>)
declare <64 x i8> @llvm.umin.v64i8(<64 x i8>, <64 x i8>)
declare <16 x i8> @llvm.umax.v16i8(<16 x i8>, <16 x i8>)
declare <16 x i8> @llvm.umin.v16i8(<16 x i8>, <16 x i8>)

define linkonce_odr <16 x i32> @cnndsl_u8_dot(<16 x i32> %sum, <16 x i32> %quads, <16 x i32> %weights) #0 {{
  %r = call <16 x i32> @llvm.x86.avx512.vpdpbusd.512(<16 x i32> %sum, <16 x i32> %quads, <16 x i32> %weights)
  ret <16 x i32> %r
}}

define linkonce_odr <16 x float> @cnndsl_u8_real(<16 x i32> %sum, <16 x float> %factor, <16 x float> %offset) #0 {{
  %x = sitofp <16 x i32> %sum to <16 x float>
  %r = call <16 x float> @llvm.fma.v16f32(<16 x float> %x, <16 x float> %factor, <16 x float> %offset)
  ret <16 x float> %r
}}

define linkonce_odr <16 x float> @cnndsl_u8_fma(<16 x float> %x, <16 x float> %factor, <16 x float> %offset) #0 {{
  %r = call <16 x float> @llvm.fma.v16f32(<16 x float> %x, <16 x float> %factor, <16 x float> %offset)
  ret <16 x float> %r
}}

define linkonce_odr <16 x i32> @cnndsl_u8_widened(<4 x i32> %quads) #0 {{
  %b = bitcast <4 x i32> %quads to <16 x i8>
  %r = zext <16 x i8> %b to <16 x i32>
  ret <16 x i32> %r
}}

define linkonce_odr <16 x i32> @cnndsl_u8_whole(<16 x float> %x) #0 {{
  %r = call <16 x i32> @llvm.x86.avx512.mask.cvtps2dq.512(<16 x float> %x, <16 x i32> zeroinitializer, i16 -1, i32 4)
  ret <16 x i32> %r
}}

define linkonce_odr <4 x i32> @cnndsl_u8_packed1(<16 x i32> %x) #0 {{
  %p = call <16 x i32> @llvm.smax.v16i32(<16 x i32> %x, <16 x i32> zeroinitializer)
  %b = call <16 x i8> @llvm.x86.avx512.mask.pmovus.db.512(<16 x i32> %p, <16 x i8> zeroinitializer, i16 -1)
  %r = bitcast <16 x i8> %b to <4 x i32>
  ret <4 x i32> %r
}}

define linkonce_odr <16 x i32> @cnndsl_u8_packed4(<16 x i32> %a, <16 x i32> %b, <16 x i32> %c, <16 x i32> %d) #0 {{
  %ab = call <32 x i16> @llvm.x86.avx512.packssdw.512(<16 x i32> %a, <16 x i32> %b)
  %cd = call <32 x i16> @llvm.x86.avx512.packssdw.512(<16 x i32> %c, <16 x i32> %d)
  %p = call <64 x i8> @llvm.x86.avx512.packuswb.512(<32 x i16> %ab, <32 x i16> %cd)
  %q = bitcast <64 x i8> %p to <16 x i32>
  %r = shufflevector <16 x i32> %q, <16 x i32> poison, <16 x i32> <{_UNPACKED}>
  ret <16 x i32> %r
}}

define linkonce_odr <16 x i32> @cnndsl_u8_transposed(<16 x i32> %positions) #0 {{
  %b = bitcast <16 x i32> %positions to <64 x i8>
  %s = shufflevector <64 x i8> %b, <64 x i8> poison, <64 x i32> <{_TRANSPOSED}>
  %r = bitcast <64 x i8> %s to <16 x i32>
  ret <16 x i32> %r
}}

define linkonce_odr <16 x i32> @cnndsl_u8_looked_up4(<16 x i32> %numbers, <16 x i32> %t0, <16 x i32> %t1, <16 x i32> %t2, <16 x i32> %t3) #1 {{
  %i = bitcast <16 x i32> %numbers to <64 x i8>
  %a = bitcast <16 x i32> %t0 to <64 x i8>
  %b = bitcast <16 x i32> %t1 to <64 x i8>
  %c = bitcast <16 x i32> %t2 to <64 x i8>
  %d = bitcast <16 x i32> %t3 to <64 x i8>
  %low = call <64 x i8> @llvm.x86.avx512.vpermi2var.qi.512(<64 x i8> %a, <64 x i8> %i, <64 x i8> %b)
  %high = call <64 x i8> @llvm.x86.avx512.vpermi2var.qi.512(<64 x i8> %c, <64 x i8> %i, <64 x i8> %d)
  %is = icmp slt <64 x i8> %i, zeroinitializer
  %v = select <64 x i1> %is, <64 x i8> %high, <64 x i8> %low
  %r = bitcast <64 x i8> %v to <16 x i32>
  ret <16 x i32> %r
}}

define linkonce_odr <4 x i32> @cnndsl_u8_looked_up1(<4 x i32> %numbers, <16 x i32> %t0, <16 x i32> %t1, <16 x i32> %t2, <16 x i32> %t3) #1 {{
  %wide = shufflevector <4 x i32> %numbers, <4 x i32> poison, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 0, i32 1, i32 2, i32 3, i32 0, i32 1, i32 2, i32 3, i32 0, i32 1, i32 2, i32 3>
  %found = call <16 x i32> @cnndsl_u8_looked_up4(<16 x i32> %wide, <16 x i32> %t0, <16 x i32> %t1, <16 x i32> %t2, <16 x i32> %t3)
  %r = shufflevector <16 x i32> %found, <16 x i32> poison, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  ret <4 x i32> %r
}}
""" + "".join(
    f"""
define linkonce_odr <{quads} x i32> @cnndsl_u8_{word}{quads // 4}(<{quads} x i32> %a, <{quads} x i32> %b) #0 {{
  %x = bitcast <{quads} x i32> %a to <{4 * quads} x i8>
  %y = bitcast <{quads} x i32> %b to <{4 * quads} x i8>
  %m = call <{4 * quads} x i8> @llvm.{instruction}.v{4 * quads}i8(<{4 * quads} x i8> %x, <{4 * quads} x i8> %y)
  %r = bitcast <{4 * quads} x i8> %m to <{quads} x i32>
  ret <{quads} x i32> %r
}}
"""
    for quads in (4, 16)
    for word, instruction in (("larger", "umax"), ("smaller", "umin"))
) + """
attributes #0 = { alwaysinline nounwind "target-features"="+avx512f,+avx512bw,+avx512vl,+avx512vnni,+evex512" "prefer-vector-width"="512" "min-legal-vector-width"="512" }
attributes #1 = { alwaysinline nounwind "target-features"="+avx512f,+avx512bw,+avx512vl,+avx512vnni,+avx512vbmi,+evex512" "prefer-vector-width"="512" "min-legal-vector-width"="512" }
"""  # fmt: skip


class QuadNest(Nest):
    """Loops with vectors of sixteen sums or quads. A word that ends in 4 is of four positions of a chunk, sixteen
    quads; one that ends in 1 is of one position, four quads."""

    def __init__(self) -> None:
        super().__init__(LANES)

    @contextmanager
    def instructions(self) -> Iterator[None]:
        """What stands around all that uses the words below."""
        with self._t.attr(self.tir.const(0, "int32"), "pragma_import_llvm", _FUNCTIONS):
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
        """The same memory with one axis, on which four positions are sixteen neighbours."""
        return self.reshaped(buffer, (prod(int(size) for size in buffer.shape),))

    def spread(self, value: Any) -> Any:
        """A quad or a number in all places of a register."""
        return self.tir.Broadcast(value, LANES)

    def quad(self, number: int) -> Any:
        """A number from 0 to 255 four times."""
        return self.tir.const(int.from_bytes(bytes([number] * 4), "little", signed=True), "int32")

    def dot(self, sums: Any, quads: Any, weights: Any) -> Any:
        """`sums` and in each place the four products of a quad with a quad of weights."""
        return self._call("int32x16", "dot", sums, quads, weights)

    def real(self, sums: Any, factors: Any, offsets: Any) -> Any:
        """`fma(float32(sums), factors, offsets)`."""
        return self._call("float32x16", "real", sums, factors, offsets)

    def fma(self, numbers: Any, factors: Any, offsets: Any) -> Any:
        """The same of float32 numbers."""
        return self._call("float32x16", "fma", numbers, factors, offsets)

    def widened(self, quads: Any) -> Any:
        """A position's four quads as the sixteen whole numbers they are."""
        return self._call("int32x16", "widened", quads)

    def rounded(self, numbers: Any) -> Any:
        """float32 numbers below 2³¹ as whole ones, to nearest, ties to even."""
        return self._call("int32x16", "whole", numbers)

    def packed1(self, numbers: Any) -> Any:
        """Sixteen whole numbers, clamped to 0 … 255, as four quads."""
        return self._call("int32x4", "packed1", numbers)

    def packed4(self, a: Any, b: Any, c: Any, d: Any) -> Any:
        """Sixteen whole numbers each of four positions, clamped to 0 … 255, as sixteen quads."""
        return self._call("int32x16", "packed4", a, b, c, d)

    def transposed(self, positions: Any) -> Any:
        """Of four positions, of which each has sixteen channels: for each channel a quad of the four positions."""
        return self._call("int32x16", "transposed", positions)

    def larger(self, a: Any, b: Any, positions: int) -> Any:
        """The larger of each two numbers in the quads of 1 or 4 positions."""
        return self._call(f"int32x{QUADS * positions}", f"larger{positions}", a, b)

    def smaller(self, a: Any, b: Any, positions: int) -> Any:
        return self._call(f"int32x{QUADS * positions}", f"smaller{positions}", a, b)

    def looked_up(self, found: Any, table: Any, positions: int) -> Any:
        """What stands in a table `(64,)`, 256 numbers as quads, for each number in the quads of 1 or 4 positions."""
        parts = [table[self.ramp(LANES * i)] for i in range(4)]
        return self._call(f"int32x{QUADS * positions}", f"looked_up{positions}", found, *parts)

    def _call(self, dtype: str, word: str, *arguments: Any) -> Any:
        return self.tir.call_pure_extern(dtype, f"cnndsl_u8_{word}", *arguments)


def tile_cycles(chunks: int, width: int, quads: int, seen: int = 1) -> float:
    """An estimate of the cycles of a tile of `chunks` × `width` sums of `quads` quads, of which one core computes two in
    a cycle, and of which `seen` neighbours share what they read: ten sums hide the latency of a dot product, and few of them do not hide what is loaded for each quad. Where
    nearly all registers are taken, what is loaded comes late."""
    tight = 1.08 if chunks * width + chunks > 29 else 1.0
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
