"""Rotary position embedding."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any, ClassVar, Literal, Self, final

from pydantic import Field

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes, Natural, Positive, per_axis
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.shared.turning import Order, Turning
from cnndsl.ir.tensor import TensorType


@final
@register
class RoPE(Op):
    """Turn pairs of channels by angles that grow with the position, so that scores of queries and keys depend on how far
    these lie apart (Su et al., 2021): `attend(8){ q: Linear → RoPE(14, 8) | k: Linear → RoPE(14, 8) | v: Linear }`.

    The tokens are the positions of a map in reading order, with as many channels for each head as `attend` sees. A pair
    turns by the place along one axis times its frequency, `base^(-j/n)` for the pairs `j` from 0 to `n - 1` of that
    axis. Nothing is trained. Axes before the tokens, such as windows, stay as they are.
    """

    word: ClassVar = "RoPE"
    category: ClassVar = "attention"
    examples: ClassVar = (
        ("ToTokens → RoPE((2, 3))", (8, 2, 3)),
        ("ToTokens → RoPE((5, 6), 2, base=100, positions=centred, pairs=halves)", (16, 5, 6)),
        ("ToTokens → cat(axis=0){ cls: Weight([1, 8]) | id } → RoPE(2, 2, prefix=1, offset=1, order=xy)", (8, 2, 2)),
        ("ToTokens → RoPE((2, 3), grid=(3, 4))", (4, 2, 3)),
        ("ToTokens → RoPE([6], pairs=halves)", (4, 6)),
    )

    size: Axes
    """Height and width of the map, one number for both; of a video frames, height and width; of a sequence its length in
    brackets, `[50]`."""
    heads: Positive = 1
    """The parts into which the channels are divided, all turned alike."""
    prefix: Natural = 0
    """How many tokens stand before those of the map and are not turned, such as a class token."""
    base: Annotated[float, Field(gt=0)] = 10000.0
    """What the frequencies are powers of."""
    positions: Literal["index", "centred"] = "index"
    """`index` counts places from 0; `centred` puts 0 in the middle and makes the axis two turns long, whatever its size."""
    offset: float = 0.0
    """Added to each place."""
    grid: Axes | None = None
    """The size of the map over whose places these are spread, such as that of training; `size` where none is given."""
    order: Order = "yx"
    """Which axis the first pairs of a head turn by: `yx` is from the first axis to the last, `xy` from the last to the first."""
    pairs: Literal["neighbours", "halves"] = "neighbours"
    """Which channels of a head are pairs: each and its neighbour, or each of the first half and that of the second."""

    def _sizes(self) -> tuple[int, ...]:
        return per_axis(self.size, len(self.size) if isinstance(self.size, tuple) else 2, "size")

    def _turning(self, x: TensorType) -> Turning:
        sizes = self._sizes()
        grid = None if self.grid is None else per_axis(self.grid, len(sizes), "grid")
        count = x.channels // self.heads // 2 // len(sizes)
        return Turning(sizes, count, self.base, self.positions, self.offset, grid, self.order)

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        refuse_indices(x, self.word)
        if x.rank == 0 or x.channel_axis != x.rank:
            raise Refusal(
                "wrong-rank",
                f"`RoPE` turns tokens, and {x} arrives",
                help="make every position of a map a token: `ToTokens`; `Permute` puts the channels last",
            )
        sizes, tokens = self._sizes(), x.shape[-2]
        if prod(sizes) + self.prefix != tokens:
            wanted = f"{self.prefix} and {'×'.join(map(str, sizes))}" if self.prefix else "×".join(map(str, sizes))
            missing = tokens - prod(sizes)
            raise Refusal(
                "shape-mismatch",
                f"{x} is not {wanted} tokens",
                argument="size",
                notes=(f"expected {prod(sizes) + self.prefix} tokens, found {tokens}",),
                help=f"write `prefix={missing}`, if so many tokens stand before those of the map"
                if missing >= 0
                else "give the height and width of the map that the tokens are the positions of",
            )
        parts = 2 * len(sizes) * self.heads
        if x.channels % parts:
            raise Refusal(
                "groups-mismatch",
                f"{x.channels} channels cannot be divided into pairs for {len(sizes)} axes of {self.heads} heads",
                argument="heads",
                notes=(f"expected a multiple of {parts} channels, found {x.channels}",),
                help="give the heads of the attention that follows, or a multiple of so many channels",
            )
        self._turning(x)
        return x

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        """Two products and a sum for each number that is turned."""
        return 3 * y.elements // y.shape[-2] * (y.shape[-2] - self.prefix)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,), (value,) = xs, values
        turning, d = self._turning(x), x.channels // self.heads
        angles = turning.in_torch(torch, value.device)
        angles = angles.flatten(0, -2) if len(turning.sizes) > 1 else angles
        halves = self.pairs == "halves"
        angles = torch.cat([angles, angles], -1) if halves else angles.repeat_interleave(2, -1)
        cos, sin = (wave[:, None].to(value.dtype) for wave in (angles.cos(), angles.sin()))
        apart = value.unflatten(-1, (self.heads, d))
        rest = apart[..., self.prefix :, :, :] if self.prefix else apart
        if halves:
            other = torch.cat([-rest[..., d // 2 :], rest[..., : d // 2]], -1)
        else:
            other = torch.stack([-rest[..., 1::2], rest[..., ::2]], -1).flatten(-2)
        turned = rest * cos + other * sin
        if self.prefix:
            turned = torch.cat([apart[..., : self.prefix, :, :], turned], -3)
        return turned.flatten(-2)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        import numpy as np

        (x,), (value,), op = xs, values, relax.op
        *before, tokens, channels = x.shape
        batch, d = value.ty.shape[0], channels // self.heads
        # The two channels of each pair are the parts along one axis.
        halves = self.pairs == "halves"
        laid = (self.heads, 2, d // 2) if halves else (self.heads, d // 2, 2)
        axis = 1 + len(before) + 1 + (1 if halves else 2)
        apart = op.reshape(value, (batch, *before, tokens, *laid))
        angles = np.concatenate([np.zeros((self.prefix, d // 2)), self._turning(x).angles().reshape(-1, d // 2)])
        across = angles.reshape(tokens, 1, *((1, d // 2) if halves else (d // 2, 1)))
        cos, sin = (relax.const(wave.astype("float32"), x.dtype) for wave in (np.cos(across), np.sin(across)))
        first, second = (op.strided_slice(apart, [axis], [n], [n + 1]) for n in (0, 1))
        turned = op.concat(
            [
                op.subtract(op.multiply(first, cos), op.multiply(second, sin)),
                op.add(op.multiply(second, cos), op.multiply(first, sin)),
            ],
            axis=axis,
        )
        return op.reshape(turned, (batch, *x.shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(**call["rope"]) if call.target == "rope" else None
