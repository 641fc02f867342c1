"""Attention of given queries, keys and values."""

from __future__ import annotations

from math import sqrt
from typing import Annotated, Any, ClassVar, Self, final

from pydantic import Field

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.refusals import refuse_indices
from cnndsl.ir.tensor import TensorType


@final
@register
class Attend(Op):
    """Scaled dot products of tokens: `attend(heads=8){ q | k | v }` is `softmax(Q·Kᵀ·scale)·V` in each head.

    Queries are N×C, keys M×C and values M×D, as many as you like, with the channels last; the result is N×D. Axes before
    those, such as windows, are equal in all three. A fourth branch is added to the scores, heads×N×M: a mask, or biases
    by position. Its axes of size 1 stretch, and axes before the heads may be left out. It has no weights: the projections
    are layers of the branches, and have the names that you give them.
    """

    word: ClassVar = "attend"
    category: ClassVar = "merge"
    merges: ClassVar = True
    takes_position: ClassVar = False
    examples: ClassVar = (
        ("ToTokens → attend(heads=2){ q: Linear | k: Linear | v: Linear }", (8, 2, 3)),
        ("ToTokens → attend(scale=1){ id | id | Linear(5) }", (4, 2, 3)),
        ("ToTokens → attend(2){ id | Slice(0, 2) | Slice(0, 2) | mask: Weight([1, 6, 2]) }", (4, 2, 3)),
        ("Permute(1, 2, 0) → Reshape(2, 8, 6) → attend(2){ id | id | id }", (6, 4, 4)),
    )

    heads: Positive = 1
    """The parts into which the channels are divided, each with an attention of its own."""
    scale: Annotated[float, Field(gt=0)] | None = None
    """The factor of the scores; 1 / √(C / heads) when left out."""

    def _factor(self, q: TensorType) -> float:
        return 1 / sqrt(q.channels // self.heads) if self.scale is None else self.scale

    def infer(self, xs: Tensors) -> TensorType:
        if len(xs) not in (3, 4):
            raise Refusal(
                "wrong-number-of-tensors",
                f"`attend` joins queries, keys and values, and {len(xs)} tensors arrive",
                notes=(f"expected three branches, or a fourth for the scores, found {len(xs)}",),
                help="write `attend{ q | k | v }`",
            )
        q, k, v = xs[:3]
        for index, x in enumerate((q, k, v)):
            refuse_indices(x, self.word)
            if x.rank == 0 or x.channel_axis != x.rank:
                raise Refusal(
                    "wrong-rank",
                    f"`attend` looks at tokens, and branch {index + 1} brings {x}",
                    culprits=(index,),
                    help="make every position of a map a token: `ToTokens`; `Permute` puts the channels last",
                )
        if q.shape[:-2] != k.shape[:-2] or q.channels != k.channels:
            raise Refusal(
                "shape-mismatch",
                f"queries of {q} and keys of {k} have no products",
                culprits=(1, 0),
                help="give both the same channels, and the same axes before the tokens",
            )
        if k.shape[:-1] != v.shape[:-1]:
            raise Refusal(
                "shape-mismatch",
                f"keys of {k} and values of {v} are not of the same tokens",
                culprits=(2, 1),
                help="give both as many tokens, and the same axes before them",
            )
        for x in (q, v):
            if x.channels % self.heads:
                fits = max(h for h in range(1, min(self.heads, x.channels) + 1) if x.channels % h == 0)
                raise Refusal(
                    "groups-mismatch",
                    f"{x.channels} channels cannot be divided into {self.heads} heads",
                    argument="heads",
                    notes=(f"expected a divisor of {x.channels}, found {self.heads}",),
                    help=f"write `attend(heads={fits})`",
                )
        if len(xs) == 4:
            self._fits(xs[3], self._scores(xs))
        return q.with_channels(v.channels)

    def _scores(self, xs: Tensors) -> tuple[int, ...]:
        q, k = xs[:2]
        return (*q.shape[:-2], self.heads, q.shape[-2], k.shape[-2])

    def _fits(self, bias: TensorType, scores: tuple[int, ...]) -> None:
        """Refuses what cannot be added to the scores."""
        refuse_indices(bias, self.word)
        behind = scores[len(scores) - len(bias.shape) :] if 3 <= len(bias.shape) <= len(scores) else ()
        if not behind or any(a not in (1, b) for a, b in zip(bias.shape, behind, strict=True)):
            wanted = "×".join(map(str, scores))
            raise Refusal(
                "shape-mismatch",
                f"{bias} cannot be added to scores of {wanted}",
                culprits=(3,),
                help=f"the fourth branch has an axis for the heads, the queries and the keys: {wanted}, or 1 where it is"
                " the same for all",
            )

    def sees_all(self, x: TensorType) -> bool:
        return True

    def macs(self, xs: Tensors, y: TensorType) -> int:
        """Q·Kᵀ, N·M·C for each position of the axes before, and its product with V, N·M·D."""
        q, k, v = xs[:3]
        return q.elements * k.shape[-2] + y.elements * v.shape[-2]

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        """The scale and the softmax of each score, and what is added to it."""
        count = 1
        for n in self._scores(xs):
            count *= n
        return (2 + len(xs) - 3) * count

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        q, k, v = (self._apart(value, x) for value, x in zip(values[:3], xs[:3], strict=True))
        scores = q @ k.transpose(-2, -1) * self._factor(xs[0])
        if len(xs) == 4:
            bias, axes = values[3], len(self._scores(xs)) - len(xs[3].shape)
            scores = scores + (bias.reshape(-1, *(1,) * axes, *xs[3].shape) if axes else bias)
        y = self.infer(xs)
        return (scores.softmax(-1) @ v).transpose(-3, -2).reshape(-1, *y.shape)

    def _apart(self, value: Any, x: TensorType) -> Any:
        """A batched torch value with an axis for the heads before its tokens."""
        *before, tokens, channels = x.shape
        return value.reshape(-1, *before, tokens, self.heads, channels // self.heads).transpose(-3, -2)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        op, y = relax.op, self.infer(xs)
        batch, lead = values[0].ty.shape[0], len(y.shape) - 2
        first = [*range(lead + 1)]
        swap = [*first, lead + 2, lead + 1, lead + 3]

        def apart(value: Any, x: TensorType) -> Any:
            *before, tokens, channels = x.shape
            return op.permute_dims(
                op.reshape(value, (batch, *before, tokens, self.heads, channels // self.heads)), swap
            )

        q, k, v = (apart(value, x) for value, x in zip(values[:3], xs[:3], strict=True))
        turned = op.permute_dims(k, [*first, lead + 1, lead + 3, lead + 2])
        scores = op.multiply(op.matmul(q, turned), relax.const(self._factor(xs[0]), y.dtype))
        if len(xs) == 4:
            axes = len(self._scores(xs)) - len(xs[3].shape)
            scores = op.add(scores, op.reshape(values[3], (batch, *(1,) * axes, *xs[3].shape)))
        heads = op.matmul(op.nn.softmax(scores, axis=-1), v)
        return op.reshape(op.permute_dims(heads, swap), (batch, *y.shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "attend" or call.weights:
            return None
        return cls(heads=call["heads"], scale=call.arguments.get("scale"))
