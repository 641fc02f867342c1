"""Whole numbers in quads on any processor: the words of `QuadNest` in plain LLVM or, for C source, lane by lane.

A quad is an int32 that holds the numbers, from 0 to 255, of four neighbouring channels, the lowest channel in the lowest
byte. A map of quads is `(batch, chunks, *size, lanes // 4)`. All kernels with these words take the same few arrays beside
their tensors, those of `Rescaled`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cnndsl.backends.tvm.kernels.words.nest import Nest

_FUNCTIONS = """
define linkonce_odr <{lanes} x i32> @cnndsl_quads_widened_{lanes}({words} %quads) #0 {{
  %b = bitcast {words} %quads to <{lanes} x i8>
  %r = zext <{lanes} x i8> %b to <{lanes} x i32>
  ret <{lanes} x i32> %r
}}

define linkonce_odr {words} @cnndsl_quads_narrowed_{lanes}(<{lanes} x i32> %numbers) #0 {{
  %b = trunc <{lanes} x i32> %numbers to <{lanes} x i8>
  %r = bitcast <{lanes} x i8> %b to {words}
  ret {words} %r
}}

define linkonce_odr {words} @cnndsl_quads_larger_{lanes}({words} %a, {words} %b) #0 {{
  %x = bitcast {words} %a to <{lanes} x i8>
  %y = bitcast {words} %b to <{lanes} x i8>
  %c = icmp ugt <{lanes} x i8> %x, %y
  %m = select <{lanes} x i1> %c, <{lanes} x i8> %x, <{lanes} x i8> %y
  %r = bitcast <{lanes} x i8> %m to {words}
  ret {words} %r
}}

define linkonce_odr <{lanes} x i32> @cnndsl_quads_dot_{lanes}(<{lanes} x i32> %sum, <{lanes} x i32> %u, <{lanes} x i32> %v, <{lanes} x i32> %s) #0 {{
  %a0 = bitcast <{lanes} x i32> %u to <{twice} x i16>
  %a1 = bitcast <{lanes} x i32> %v to <{twice} x i16>
  %b = bitcast <{lanes} x i32> %s to <{twice} x i16>
  %b00 = shl <{twice} x i16> %b, {eight}
  %b0 = ashr <{twice} x i16> %b00, {eight}
  %b1 = ashr <{twice} x i16> %b, {eight}
  %p = call <{lanes} x i32> @cnndsl_quads_products_{lanes}(<{twice} x i16> %a0, <{twice} x i16> %b0)
  %q = call <{lanes} x i32> @cnndsl_quads_products_{lanes}(<{twice} x i16> %a1, <{twice} x i16> %b1)
  %t = add <{lanes} x i32> %sum, %p
  %r = add <{lanes} x i32> %t, %q
  ret <{lanes} x i32> %r
}}

define linkonce_odr <{lanes} x i32> @cnndsl_quads_products_{lanes}(<{twice} x i16> %a, <{twice} x i16> %b) #0 {{
  %x = sext <{twice} x i16> %a to <{twice} x i32>
  %y = sext <{twice} x i16> %b to <{twice} x i32>
  %p = mul nsw <{twice} x i32> %x, %y
  %even = shufflevector <{twice} x i32> %p, <{twice} x i32> poison, <{lanes} x i32> <{evens}>
  %odd = shufflevector <{twice} x i32> %p, <{twice} x i32> poison, <{lanes} x i32> <{odds}>
  %r = add nsw <{lanes} x i32> %even, %odd
  ret <{lanes} x i32> %r
}}

attributes #0 = {{ alwaysinline nounwind }}
"""


def _functions(lanes: int) -> str:
    twice = 2 * lanes

    def splat(value: int) -> str:
        return "<" + ", ".join([f"i16 {value}"] * twice) + ">"

    return _FUNCTIONS.format(
        lanes=lanes,
        twice=twice,
        words="i32" if lanes == 4 else f"<{lanes // 4} x i32>",
        eight=splat(8),
        evens=", ".join(f"i32 {2 * i}" for i in range(lanes)),
        odds=", ".join(f"i32 {2 * i + 1}" for i in range(lanes)),
    )


class PortableQuadNest(Nest):
    """Loops over quads. A *lane* is what `each` gives: all lanes at once where there are vectors, else one of them."""

    def __init__(self, lanes: int, vectors: bool) -> None:
        super().__init__(lanes)
        self.lanes, self.vectors, self.words = lanes, vectors, lanes // 4

    @contextmanager
    def instructions(self) -> Iterator[None]:
        """What stands around all that uses the words below."""
        if not self.vectors:
            yield
            return
        with self._t.attr(self.tir.const(0, "int32"), "pragma_import_llvm", _functions(self.lanes)):
            yield

    def whole(self, name: str, shape: tuple[int, ...], dtype: str = "int32") -> Any:
        """An argument of quads or of other whole numbers."""
        return self._t.arg(name, self._t.buffer(shape, dtype))

    def weights(self, name: str, shape: tuple[int, ...]) -> Any:
        """An argument of weights for `dot`, of int32 quads `(*shape, lanes)`; where there are no vectors of int8 numbers
        `(*shape, 4, lanes)`."""
        if self.vectors:
            return self.whole(name, (*shape, self.lanes))
        return self.whole(name, (*shape, 4, self.lanes), "int8")

    def local_whole(self, shape: tuple[int, ...]) -> Any:
        return self._t.alloc_buffer(shape, "int32")

    def viewed(self, buffer: Any, shape: tuple[int, ...]) -> Any:
        """The same memory under another shape."""
        return self._t.decl_buffer(shape, str(buffer.dtype), data=buffer.data)

    def whole_number(self, value: int) -> Any:
        return self.tir.const(value, "int32")

    @contextmanager
    def each(self) -> Iterator[Any]:
        """For each lane: what is stored there is stored for all."""
        if self.vectors:
            yield self.ramp(0)
            return
        with self.vector() as lane:
            yield lane

    def spread(self, value: Any) -> Any:
        """One value for all lanes."""
        return self.tir.Broadcast(value, self.lanes) if self.vectors else value

    def quads(self, buffer: Any, at: Sequence[Any]) -> Any:
        """The quads of a chunk at one position."""
        return buffer[(*at, self._all_words)]

    def store_quads(self, buffer: Any, value: Any, at: Sequence[Any]) -> None:
        self.store(buffer, value, (*at, self._all_words))

    @property
    def _all_words(self) -> Any:
        return self.whole_number(0) if self.words == 1 else self.ramp(0, self.words)

    def copy(self, target: Any, at: Sequence[Any], source: Any, there: Sequence[Any]) -> None:
        """A chunk at one position."""
        if self.vectors:
            self.store_quads(target, self.quads(source, there), at)
            return
        for word in range(self.words):
            self.store(target, source[(*there, word)], (*at, word))

    def fill(self, target: Any, at: Sequence[Any], quad: Any) -> None:
        for word in range(self.words):
            self.store(target, quad, (*at, word))

    def number(self, value: float) -> Any:
        return self.tir.const(value, "float32")

    def numbers(self, buffer: Any, at: Sequence[Any], lane: Any) -> Any:
        """The whole numbers of a chunk at one position, int32."""
        if self.vectors:
            return self.widened(self.quads(buffer, at))
        return self.byte(buffer[(*at, lane // 4)], lane % 4)

    def byte(self, quad: Any, place: Any) -> Any:
        """One number of a quad."""
        return (quad >> (place * 8)) & self.whole_number(255)

    def widened(self, quads: Any) -> Any:
        return self.tir.call_pure_extern(f"int32x{self.lanes}", f"cnndsl_quads_widened_{self.lanes}", quads)

    def narrowed(self, numbers: Any) -> Any:
        return self.tir.call_pure_extern(self._words_type, f"cnndsl_quads_narrowed_{self.lanes}", numbers)

    def larger(self, a: Any, b: Any) -> Any:
        """The larger of each two numbers in the quads of two chunks."""
        return self.tir.call_pure_extern(self._words_type, f"cnndsl_quads_larger_{self.lanes}", a, b)

    @property
    def _words_type(self) -> str:
        return "int32" if self.words == 1 else f"int32x{self.words}"

    def split(self, quads: Any, words: int = 1) -> tuple[Any, Any]:
        """Of quads the first and the third number, and the second and the fourth, each two in the halves of an int32."""
        halves, eight = self.whole_number(0x00FF00FF), self.whole_number(8)
        if words > 1:
            halves, eight = self.tir.Broadcast(halves, words), self.tir.Broadcast(eight, words)
        return quads & halves, (quads >> eight) & halves

    def dot(self, sums: Any, pairs: tuple[Any, Any], weight: Any, at: Sequence[Any], lane: Any) -> Any:
        """`sums` and the products of a quad, `split`, with the weights at a place; for vectors."""
        name, dtype = f"cnndsl_quads_dot_{self.lanes}", f"int32x{self.lanes}"
        spread = [self.spread(pair) for pair in pairs]
        return self.tir.call_pure_extern(dtype, name, sums, *spread, weight[(*at, lane)])

    def dot_of_bytes(self, sums: Any, quad: Any, weight: Any, at: Sequence[Any], lane: Any, zero: Any) -> Any:
        """The same lane by lane, of the numbers less the zero point."""
        for place in range(4):
            factor = weight[(*at, place, lane)].astype("int32")
            sums = sums + (self.byte(quad, place) - zero) * factor
        return sums

    def signed(self, weight: Any, at: Sequence[Any], lane: Any) -> Any:
        """int8 weights of a chunk, one for each lane, as int32."""
        value = weight[(*at, lane)]
        return self.tir.Cast(f"int32x{self.lanes}" if self.vectors else "int32", value)

    def real(self, numbers: Any) -> Any:
        """Whole numbers as float32, to nearest, ties to even."""
        return self.tir.Cast(self._real_type, numbers)

    @property
    def _real_type(self) -> str:
        return f"float32x{self.lanes}" if self.vectors else "float32"

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """`a · b + c`, rounded once."""
        return self.fused(a, b, c, self._real_type, llvm=self.vectors)

    def fused(self, a: Any, b: Any, c: Any, dtype: str, *, llvm: bool) -> Any:
        if llvm:
            return self.tir.call_llvm_pure_intrin(dtype, "llvm.fma", a, b, c)
        return self.tir.call_pure_extern(dtype, "fmaf", a, b, c)

    def rounded(self, v: Any, low: Any, high: Any) -> Any:
        """The whole numbers next to `v`, ties to even, within bounds; int32."""
        within = self.tir.min(self.tir.max(self.tir.nearbyint(v), low), high)
        return self.tir.Cast(f"int32x{self.lanes}" if self.vectors else "int32", within)

    def store_rounded(self, buffer: Any, at: Sequence[Any], number: Callable[[Any], Any]) -> None:
        """Stores the numbers, int32 from 0 to 255, that `number(lane)` gives, as the quads of a chunk at one position."""
        if self.vectors:
            self.store_quads(buffer, self.narrowed(number(self.ramp(0))), at)
            return
        for word in range(self.words):
            quad = self.bind(number(4 * word))
            for place in range(1, 4):
                quad = self.bind(quad | number(4 * word + place) << (8 * place))
            self.store(buffer, quad, (*at, word))


class Rescaled:
    """How sums become a result, and the arrays that say so: `factor` and `offset`, float32 `(…, lanes)`; `scalars`, float32:
    the lower bound, the upper bound, and the factor of each residual; `zero`, int32: the zero point of the input, and a quad
    of it."""

    def __init__(self, n: PortableQuadNest, shape: tuple[int, ...], residuals: int, *, rounds: bool = True) -> None:
        self.n, self.rounds = n, rounds
        self.factor = n.argument("factor", (*shape, n.lanes))
        self.offset = n.argument("offset", (*shape, n.lanes))
        self._scalars = n.argument("scalars", (2 + residuals,))

    def value(self, sums: Any, o: Sequence[Any], lane: Any, residuals: Sequence[Any]) -> Any:
        """The real number of a lane, or of all, before it is rounded. `sums` are None where there are none; `o` is the place
        of the factors; `residuals` are whole numbers."""
        n = self.n
        v = self.offset[(*o, lane)]
        if sums is not None:
            v = n.fma(n.real(sums), self.factor[(*o, lane)], v)
        for i, r in enumerate(residuals):
            v = n.fma(n.real(r), n.spread(self._scalars[2 + i]), v)
        return v

    def stored(
        self,
        result: Any,
        at: Sequence[Any],
        o: Sequence[Any],
        sums: Callable[[Any], Any],
        residuals: Callable[[Any], Sequence[Any]] = lambda _: (),
    ) -> None:
        """Stores the result of a chunk at one position: quads, or real numbers."""
        n = self.n
        low, high = n.spread(self._scalars[0]), n.spread(self._scalars[1])
        if self.rounds:
            n.store_rounded(
                result, at, lambda lane: n.rounded(self.value(sums(lane), o, lane, residuals(lane)), low, high)
            )
            return
        with n.each() as lane:
            v = self.value(sums(lane), o, lane, residuals(lane))
            n.store(result, n.tir.min(n.tir.max(v, low), high), (*at, lane))
