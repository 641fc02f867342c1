"""Upsampling."""

from __future__ import annotations

from math import floor
from typing import Annotated, Any, ClassVar, Literal, Self, final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes
from cnndsl.ir.axes import Sizes, asked_size
from cnndsl.ir.call import Call, alike
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_no_map
from cnndsl.ir.shared.resampling import TAPS, Mixing, ResampledAxis, Tap
from cnndsl.ir.shared.torch_words import short
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import show, sizes


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

_RANKS = {"bilinear": 2, "trilinear": 3, "bicubic": 2}
"""How many axes a mode is for, where it is for one number of them only."""


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
    """`nearest` repeats, `linear` mixes the neighbours on each axis (`bilinear` and `trilinear` are its names for
    two and for three axes), `bicubic` mixes four."""
    align: bool = False
    """Whether the middles of the corner positions stay where they are, rather than the map's edges: PyTorch's
    `align_corners`."""
    size: Axes | None = None
    """The size to reach."""
    like: Sizes | None = None
    """A tensor whose sizes the map takes; its channels do not count."""

    def _factors(self, x: TensorType) -> tuple[float, ...] | None:
        """The factor on each axis; None where a size is asked for."""
        refuse_no_map(x, self.word)
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
        if _RANKS.get(self.mode, x.rank) != x.rank:
            raise Refusal(
                "wrong-rank",
                f"`{self.mode}` is for {_RANKS[self.mode]} axes, and the input has {x.rank}",
                argument="mode",
                notes=(f"expected {_RANKS[self.mode]} axes behind the channels, found {x.rank}",),
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
                notes=(f"expected a size of at least 1, found {sizes(target)}",),
                help="scale by more",
            )
        return target

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        return x.resized(self._target(x))

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return 0 if self.mode == "nearest" else y.elements * TAPS[self._mixing] ** y.rank

    @property
    def _mixing(self) -> Mixing:
        return self.mode if self.mode in ("nearest", "bicubic") else "linear"

    def _axes(self, x: TensorType) -> list[ResampledAxis]:
        target = self._target(x)
        factors = self._factors(x) or (None,) * x.rank
        return [
            ResampledAxis(n, m, self._mixing, self.align, factor)
            for n, m, factor in zip(x.size, target, factors, strict=True)
        ]

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...]:
        (x,) = xs
        return tuple(axis.reach(number) for number, axis in enumerate(self._axes(x)))

    def taps(self, x: TensorType) -> tuple[list[Tap] | None, ...]:
        """What each output position is made of, for every axis; None for one that stays as it is."""
        return tuple(None if axis.stays else axis.taps() for axis in self._axes(x))

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
            options["mode"] = self.mode if self.mode in _RANKS else ("linear", "bilinear", "trilinear")[x.rank - 1]
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

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        modes: dict[str, Mode] = {
            "nearest": "nearest",
            "linear": "linear",
            "bilinear": "bilinear",
            "trilinear": "trilinear",
            "bicubic": "bicubic",
        }
        word, _, rest = call.target.partition("_")
        mode = modes.get(rest.rstrip("123d"))
        if word != "upsample" or mode is None:
            return None
        x, scales = xs[0], call.arguments.get("scale_factors")
        align = bool(call.arguments.get("align_corners"))
        if not scales:
            factors = {m / n for n, m in zip(x.size, call.shape[1:], strict=True)}
            factor = factors.pop() if len(factors) == 1 and not align else 1.0
            if factor > 1 and factor.is_integer():
                # Positions are the same, and the program says it for maps of every size.
                return cls(scale=int(factor), mode=mode)
            return cls(size=alike(call.shape[1:], x.rank), mode=mode, align=align)
        plain = tuple(int(s) if float(s).is_integer() else float(s) for s in scales)
        return cls(scale=plain[0] if len(set(plain)) == 1 else plain, mode=mode, align=align)


def _mixed(relax: Any, data: Any, taps: list[Tap], axis: int, behind: int, dtype: str) -> Any:
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
