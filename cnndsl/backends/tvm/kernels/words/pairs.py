"""bfloat16 in pairs: AVX512_BF16's dot products, and the way between float32 and pairs.

A pair is an int32 whose low half is the number of the even channel and whose high half that of the odd one. TVM's own
bfloat16 vectors break LLVM's verifier, so the instructions are called through functions in LLVM's language that take
int32 and are gone after inlining.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.kernels.words.nest import Nest

if TYPE_CHECKING:
    import numpy as np

LANES = 16
"""float32 numbers in a register of AVX-512."""
PAIRS = LANES // 2
"""Pairs in a chunk of channels."""

_FUNCTIONS = """
declare <16 x float> @llvm.x86.avx512bf16.dpbf16ps.512(<16 x float>, <32 x bfloat>, <32 x bfloat>)
declare <16 x bfloat> @llvm.x86.avx512bf16.cvtneps2bf16.512(<16 x float>)

define linkonce_odr <16 x float> @cnndsl_bf16_dot(<16 x float> %sum, <16 x i32> %a, <16 x i32> %b) #0 {
  %x = bitcast <16 x i32> %a to <32 x bfloat>
  %y = bitcast <16 x i32> %b to <32 x bfloat>
  %r = call <16 x float> @llvm.x86.avx512bf16.dpbf16ps.512(<16 x float> %sum, <32 x bfloat> %x, <32 x bfloat> %y)
  ret <16 x float> %r
}

define linkonce_odr <8 x i32> @cnndsl_bf16_round(<16 x float> %x) #0 {
  %r = call <16 x bfloat> @llvm.x86.avx512bf16.cvtneps2bf16.512(<16 x float> %x)
  %p = bitcast <16 x bfloat> %r to <8 x i32>
  ret <8 x i32> %p
}

define linkonce_odr <16 x float> @cnndsl_bf16_widen(<8 x i32> %p) #0 {
  %h = bitcast <8 x i32> %p to <16 x i16>
  %w = zext <16 x i16> %h to <16 x i32>
  %s = shl <16 x i32> %w, <i32 16, i32 16, i32 16, i32 16, i32 16, i32 16, i32 16, i32 16,
                           i32 16, i32 16, i32 16, i32 16, i32 16, i32 16, i32 16, i32 16>
  %r = bitcast <16 x i32> %s to <16 x float>
  ret <16 x float> %r
}

attributes #0 = { alwaysinline nounwind "target-features"="+avx512f,+avx512bw,+avx512vl,+avx512bf16,+evex512" "prefer-vector-width"="512" "min-legal-vector-width"="512" }
"""  # fmt: skip


class PairNest(Nest):
    """Loops with vectors of sixteen float32 numbers or eight pairs."""

    def __init__(self) -> None:
        super().__init__(LANES)

    @contextmanager
    def instructions(self) -> Iterator[None]:
        """What stands around all that calls `dot`, `rounded` or `widened`."""
        with self._t.attr(self.tir.const(0, "int32"), "pragma_import_llvm", _FUNCTIONS):
            yield

    def pairs(self, name: str, shape: tuple[int, ...]) -> Any:
        """An argument of pairs."""
        return self._t.arg(name, self._t.buffer(shape, "int32"))

    def local_pairs(self, shape: tuple[int, ...]) -> Any:
        return self._t.alloc_buffer(shape, "int32")

    def spread(self, pair: Any) -> Any:
        """A pair in all places of a register."""
        return self.tir.Broadcast(pair, LANES)

    def dot(self, sums: Any, a: Any, b: Any) -> Any:
        """`sums` and in each place the products of two pairs, in float32."""
        return self.tir.call_pure_extern("float32x16", "cnndsl_bf16_dot", sums, a, b)

    def rounded(self, numbers: Any) -> Any:
        """Sixteen float32 numbers as eight pairs, to nearest, ties to even."""
        return self.tir.call_pure_extern("int32x8", "cnndsl_bf16_round", numbers)

    def widened(self, pairs: Any) -> Any:
        """Eight pairs as the sixteen float32 numbers they are."""
        return self.tir.call_pure_extern("float32x16", "cnndsl_bf16_widen", pairs)

    def pair(self, low: Any, high: Any | None) -> Any:
        """One pair of two float32 numbers, or of one and zero."""
        bits = self._bits(low) >> self._int(16) & self._int(0xFFFF)
        return bits if high is None else bits | (self._bits(high) & self._int(-0x10000))

    def _bits(self, number: Any) -> Any:
        """A float32 number's bits, the upper half of which are the nearest bfloat16; what is not a number stays
        none."""
        tir = self.tir
        bits = tir.reinterpret("int32", number)
        nearest = bits + self._int(0x7FFF) + (bits >> self._int(16) & self._int(1))
        magnitude = bits & self._int(0x7FFFFFFF)
        return tir.Select(magnitude > self._int(0x7F800000), bits | self._int(0x400000), nearest)

    def _int(self, value: int) -> Any:
        return self.tir.const(value, "int32")


def rounded_bits(array: np.ndarray) -> np.ndarray:
    """The bits of the nearest bfloat16 of finite float32 numbers, ties to even, as uint32 below 2¹⁶."""
    import numpy as np

    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    return (bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))) >> np.uint32(16)


def paired(array: np.ndarray, axis: int) -> np.ndarray:
    """The array with neighbours on `axis`, of even length, as pairs."""
    import numpy as np

    bits = np.moveaxis(rounded_bits(array), axis, 0)
    return np.ascontiguousarray(np.moveaxis(bits[0::2] | bits[1::2] << np.uint32(16), 0, axis)).view(np.int32)
