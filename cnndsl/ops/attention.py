"""Attention."""

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
from cnndsl.ir.weight import Weight


@final
@register
class Attention(Op):
    """Let every token gather from all others what it looks for (Vaswani et al., 2017): multi-head self-attention.

    In each head, `softmax(Q·Kᵀ / √d)·V` over its d = C / heads channels; Q, K and V are linear in the tokens, and so is
    the output in the heads. Weights are named and laid out as in PyTorch's `MultiheadAttention`.
    """

    word: ClassVar = "Attention"
    category: ClassVar = "attention"
    examples: ClassVar = (
        ("ToTokens → Attention(2)", (8, 2, 3)),
        ("Permute(1, 0) → Attention(3, bias=false)", (6, 5)),
        ("Permute(1, 0) → Attention(1, dropout=0.1)", (4, 7)),
    )

    heads: Positive
    """The parts into which the channels are divided, each with an attention of its own."""
    bias: bool = True
    """Whether trained numbers are added to Q, K, V and the output."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0
    """The share of the attention that is silenced while training."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        if x.kind != "tokens":
            raise Refusal(
                "wrong-rank",
                f"`Attention` looks at tokens, and here arrives a {x.kind} of {x}",
                notes=(f"expected tokens N×C, found a {x.kind}",),
                help="make every position of a map a token: `ToTokens`"
                if x.kind == "map"
                else "lay the vector out as tokens first",
            )
        refuse_indices(x, self.word)
        if x.channels % self.heads:
            fits = max(h for h in range(1, min(self.heads, x.channels) + 1) if x.channels % h == 0)
            raise Refusal(
                "groups-mismatch",
                f"{x.channels} channels cannot be divided into {self.heads} heads",
                argument="heads",
                notes=(f"expected a divisor of {x.channels}, found {self.heads}",),
                help=f"write `Attention({fits})`",
            )
        return x

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        c = x.channels
        # PyTorch's values before training: Xavier's bound for the matrix that makes Q, K and V, a linear layer's bound for
        # the one that makes the output, zeros for the biases.
        weights = {"in_proj_weight": Weight(shape=(3 * c, c), init="uniform", bound=sqrt(6 / (4 * c)))}
        if self.bias:
            weights["in_proj_bias"] = Weight(shape=(3 * c,))
        weights["out_proj.weight"] = Weight(shape=(c, c), init="uniform", bound=1 / sqrt(c))
        if self.bias:
            weights["out_proj.bias"] = Weight(shape=(c,))
        return weights

    def sees_all(self, x: TensorType) -> bool:
        return True

    def macs(self, xs: Tensors, y: TensorType) -> int:
        """Q, K, V and the output: 4·N·C²; Q·Kᵀ and its product with V: 2·N²·C."""
        (x,) = xs
        n, c = x.shape
        return 4 * n * c**2 + 2 * n**2 * c

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        """One for the scale and one for the softmax of each pair of tokens in each head, and the biases."""
        (x,) = xs
        n, c = x.shape
        return 2 * self.heads * n**2 + (4 * n * c if self.bias else 0)

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        options: dict[str, Any] = {"dropout": self.dropout} if self.dropout else {}
        if not self.bias:
            options["bias"] = False
        return nn.MultiheadAttention(x.channels, self.heads, batch_first=True, **options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (value,) = values
        return module(value, value, value, need_weights=False)[0]

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        op = relax.op
        n, c = x.shape
        d = c // self.heads
        batch = values[0].ty.shape[0]

        def linear(x: Any, weight: Any, bias: Any) -> Any:
            y = op.matmul(x, op.permute_dims(weight))
            return y if bias is None else op.add(y, bias)

        mapped = linear(values[0], weights["in_proj_weight"], weights.get("in_proj_bias"))
        apart = op.permute_dims(op.reshape(mapped, (batch, n, 3, self.heads, d)), [2, 0, 3, 1, 4])
        q, k, v = (op.reshape(op.strided_slice(apart, [0], [i], [i + 1]), (batch, self.heads, n, d)) for i in range(3))
        scores = op.matmul(op.multiply(q, relax.const(1 / sqrt(d), x.dtype)), op.permute_dims(k, [0, 1, 3, 2]))
        heads = op.matmul(op.nn.softmax(scores, axis=-1), v)
        together = op.reshape(op.permute_dims(heads, [0, 2, 1, 3]), (batch, n, c))
        return linear(together, weights["out_proj.weight"], weights.get("out_proj.bias"))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "attention":
            return None
        return cls(heads=call["heads"], bias="in_proj_bias" in call.weights, dropout=call.arguments.get("dropout", 0))
