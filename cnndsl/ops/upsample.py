"""Upsampling."""

from __future__ import annotations

import struct
from fractions import Fraction
from math import floor
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes, spatial
from cnndsl.ir.axes import Sizes, asked_size
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Number, Reach
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import show
from cnndsl.ops.conv import short


def _factor(value: Any) -> Any:
    items = value if isinstance(value, tuple | list) else (value,)
    for item in items:
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise PydanticCustomError("wrong-type", "expected a number, found {found}", {"found": show(value)})
        if item <= 0:
            raise PydanticCustomError("out-of-range", "expected more than 0, found {found}", {"found": show(value)})
    return tuple(value) if isinstance(value, list) else value


Factor = Annotated[float | tuple[float, ...], BeforeValidator(_factor)]
Mode = Literal["nearest", "linear", "bilinear", "trilinear", "bicubic"]

_AXES = {"bilinear": 2, "trilinear": 3, "bicubic": 2}
_MOST_CHECKED = 2**16
_CUBIC = -0.75
"""The coefficient of the cubic kernel (Keys, 1981), as PyTorch has it."""


class _Tap(NamedTuple):
    """One input position for every output position of an axis, and its weight there."""

    positions: list[int]
    weights: list[float]


class _Axis(NamedTuple):
    """One axis of `n` positions that becomes one of `m`, `step` input positions from one to the next."""

    n: int
    m: int
    step: Fraction
    factor: float | None

    @property
    def nearest(self) -> list[int]:
        """The nearest input of each output position. On its way it is rounded twice to float32, as PyTorch does, which
        for some sizes moves it by one."""
        ratio = _single(1 / self.factor if self.factor else self.n / self.m)
        return [min(int(_single(o * ratio)), self.n - 1) for o in range(self.m)]

    @property
    def rounds_exactly(self) -> bool:
        """Whether float32 finds `floor(o·step)` everywhere."""
        exact = [min(floor(o * self.step), self.n - 1) for o in range(min(self.m, _MOST_CHECKED + 1))]
        return self.m <= _MOST_CHECKED and self.nearest == exact


@final
@register
class Upsample(Op):
    """Make the map larger (or smaller): by a factor, to a size, or to the size of another tensor.

    `Upsample` doubles it, `Upsample(2, bilinear)` smoothly, `Upsample(like=e1)` takes the sizes of `e1`. Positions are
    PyTorch's: output `o` lies at `(o + ½)·n/m - ½` of the input, with `align=true` at `o·(n-1)/(m-1)`; `nearest` takes the
    input at `floor(o·n/m)`. With a factor, `n/m` is one over it.
    """

    word: ClassVar = "Upsample"
    category: ClassVar = "shape"
    examples: ClassVar = (
        ("Upsample", (2, 3, 4)),
        ("Upsample(2, bilinear)", (2, 3, 4)),
        ("Upsample(size=(5, 7))", (2, 3, 4)),
        ("Upsample(size=7, mode=linear, align=true)", (2, 3, 4)),
        ("Upsample(3, bicubic)", (2, 4, 5)),
        ("Upsample(size=9, mode=bicubic, align=true)", (2, 4, 5)),
        ("MaxPool → Upsample(like=in, mode=bilinear) → cat{ id | in }", (2, 7, 9)),
        ("Upsample(1.5, linear)", (2, 5)),
        ("Upsample((1.5, 2.5), nearest)", (2, 5, 3)),
        ("Upsample(4)", (2, 5)),
        ("Upsample(2, trilinear)", (2, 3, 4, 2)),
        ("Upsample((1, 2, 2))", (2, 3, 4, 2)),
    )

    scale: Factor | None = None
    """How many times larger, one number for every axis or one for each; 2 where no size is given."""
    mode: Mode = "nearest"
    """`nearest` repeats, `linear` mixes the neighbours on each axis (`bilinear` and `trilinear` say of how many),
    `bicubic` four of them."""
    align: bool = False
    """Whether the corners' middles stay where they are, rather than the map's edges."""
    size: Axes | None = None
    """The size to reach."""
    like: Sizes | None = None
    """A tensor whose sizes the map takes; its channels do not count."""

    def _factors(self, x: TensorType) -> tuple[float, ...] | None:
        """The factor on each axis; None where a size is asked for."""
        spatial(x, self.word)
        size = asked_size(x, self.word, self.size, self.like)
        if size is not None and self.scale is not None:
            raise Refusal(
                "repeated-argument",
                "`Upsample` takes a factor or a size",
                argument="scale",
                notes=("expected one of them, found both",),
                help="delete `scale`",
            )
        if size is not None:
            return None
        scale = 2.0 if self.scale is None else self.scale
        factors = scale if isinstance(scale, tuple) else (scale,) * x.rank
        if len(factors) != x.rank:
            raise Refusal(
                "wrong-rank",
                f"`scale` has {len(factors)} axes where the input has {x.rank}",
                argument="scale",
                notes=(f"expected one number or {x.rank}, found {show(factors)}",),
                help="write one number, or one for each axis behind the channels",
            )
        return factors

    def _target(self, x: TensorType) -> tuple[int, ...]:
        factors = self._factors(x)
        if self.align and self.mode == "nearest":
            raise Refusal(
                "out-of-range",
                "`align` says where neighbours are mixed, and `nearest` mixes none",
                argument="align",
                notes=("expected `align=false`, found true",),
                help="delete `align`, or write `mode=linear`",
            )
        if _AXES.get(self.mode, x.rank) != x.rank:
            raise Refusal(
                "wrong-rank",
                f"`{self.mode}` is for {_AXES[self.mode]} axes, and the input has {x.rank}",
                argument="mode",
                notes=(f"expected {_AXES[self.mode]} axes behind the channels, found {x.rank}",),
                help="write `mode=linear`, which fits any number of axes",
            )
        if factors is None:
            return asked_size(x, self.word, self.size, self.like) or ()
        target = tuple(floor(n * f) for n, f in zip(x.size, factors, strict=True))
        if min(target) < 1:
            raise Refusal(
                "out-of-range",
                f"nothing is left of {x}",
                argument="scale",
                notes=(f"expected a size of at least 1, found {'×'.join(map(str, target))}",),
                help="scale by more",
            )
        return target

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        return x.resized(self._target(x))

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return 0 if self.mode == "nearest" else y.elements * self._taps_per_axis**y.rank

    @property
    def _taps_per_axis(self) -> int:
        return {"nearest": 1, "bicubic": 4}.get(self.mode, 2)

    # -- which inputs an output sees

    def _axes(self, x: TensorType) -> list[_Axis]:
        target = self._target(x)
        factors = self._factors(x) or (None,) * x.rank
        return [
            _Axis(n, m, self._step(n, m, factor), factor) for n, m, factor in zip(x.size, target, factors, strict=True)
        ]

    def _step(self, n: int, m: int, factor: float | None) -> Fraction:
        if self.align:
            return Fraction(n - 1, m - 1) if m > 1 else Fraction(0)
        # A factor such as 1.1 may leave few positions as they are: where it mixes two neighbours, PyTorch then copies.
        if factor is None or (n == m and self._taps_per_axis == 2):
            return Fraction(n, m)
        return 1 / Fraction(str(factor))

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        (x,) = xs
        return tuple(self._reach(axis, number) for number, axis in enumerate(self._axes(x)))

    def _reach(self, axis: _Axis, number: int) -> Reach:
        if axis.n == 1:
            return Reach(1 if axis.m == 1 else 0, 0, 0, number)
        p, q = axis.step.numerator, axis.step.denominator
        step: Number = p if q == 1 else axis.step
        if self.mode == "nearest":
            first, last = (Fraction(1 - q, q), 0) if axis.rounds_exactly else (-1, 1)
            return Reach(step, first, last, number, even=q == 1 and axis.rounds_exactly)
        # Over the outputs, the fractions of the positions are the multiples of 1/q from `least` on: all neighbours
        # lie within `margin` of the position, and at a whole one only itself counts.
        least = Fraction(0) if self.align else Fraction((p - q) % 2, 2 * q)
        middle = Fraction(0) if self.align else (axis.step - 1) / 2
        margin = max(1 - (Fraction(1, q) - least), Fraction(0))
        if self.mode == "bicubic" and margin:
            margin += 1
        return Reach(step, middle - margin, middle + margin, number, even=q == 1)

    def taps(self, x: TensorType) -> tuple[list[_Tap] | None, ...]:
        """What each output position is made of, for every axis; None for one that stays as it is."""
        return tuple(None if axis.step == 1 and axis.n == axis.m else self._taps(axis) for axis in self._axes(x))

    def _taps(self, axis: _Axis) -> list[_Tap]:
        """What each output position is made of on one axis, as PyTorch computes it."""
        if self.mode == "nearest":
            return [_Tap(axis.nearest, [1.0] * axis.m)]
        middle = Fraction(0) if self.align else (axis.step - 1) / 2
        places = [o * axis.step + middle for o in range(axis.m)]
        if self.mode != "bicubic":
            places = [max(place, Fraction(0)) for place in places]
        parts = [float(place - floor(place)) for place in places]
        offsets = range(-1, 3) if self.mode == "bicubic" else range(2)
        return [
            _Tap(
                [min(max(floor(place) + offset, 0), axis.n - 1) for place in places],
                [self._weight(abs(offset - part)) for part in parts],
            )
            for offset in offsets
        ]

    def _weight(self, distance: float) -> float:
        """How much a neighbour at this distance counts."""
        if self.mode != "bicubic":
            return 1 - distance
        d, a = distance, _CUBIC
        if d <= 1:
            return ((a + 2) * d - (a + 3)) * d * d + 1
        return ((d - 5) * d + 8) * d * a - 4 * a

    # -- back ends

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        target, factors = self._target(x), self._factors(x)
        options: dict[str, Any] = {}
        if factors is None:
            options["size"] = short(target) if x.rank > 1 else target[0]
        else:
            plain = tuple(int(f) if f == int(f) else f for f in factors)
            options["scale_factor"] = plain[0] if len(set(plain)) == 1 else plain
        if self.mode != "nearest":
            options["mode"] = self.mode if self.mode in _AXES else ("linear", "bilinear", "trilinear")[x.rank - 1]
            if self.align:
                options["align_corners"] = True
        return nn.Upsample(**options)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        axes, y = self._axes(x), values[0]
        if self.mode == "nearest" and all(a.m % a.n == 0 and a.rounds_exactly for a in axes):
            return self._repeated(relax, x, y)
        for number, taps in enumerate(self.taps(x)):
            if taps is not None:
                y = _mixed(relax, y, taps, number + 2, x.rank - number - 1, x.dtype)
        return y

    def _repeated(self, relax: Any, x: TensorType, y: Any) -> Any:
        axes, batch = self._axes(x), y.ty.shape[0]
        apart = relax.op.reshape(y, (batch, x.channels, *(k for a in axes for k in (a.n, 1))))
        wide = relax.op.broadcast_to(apart, (batch, x.channels, *(k for a in axes for k in (a.n, a.m // a.n))))
        return relax.op.reshape(wide, (batch, x.channels, *(a.m for a in axes)))


def _mixed(relax: Any, data: Any, taps: list[_Tap], axis: int, behind: int, dtype: str) -> Any:
    """The sum of the taps along one axis, with others `behind` it: the indices and weights are constants."""
    total = None
    for tap in taps:
        seen = relax.op.take(data, relax.const(tap.positions, "int64"), axis=axis, mode="clip")
        if set(tap.weights) != {1.0}:
            column: list[Any] = list(tap.weights)
            for _ in range(behind):
                column = [[item] for item in column]
            seen = relax.op.multiply(seen, relax.const(column, dtype))
        total = seen if total is None else relax.op.add(total, seen)
    return total


def _single(value: float) -> float:
    """Rounded to float32."""
    return float(struct.unpack("f", struct.pack("f", value))[0])
