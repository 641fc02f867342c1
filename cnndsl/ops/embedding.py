"""Embedding of words."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Positive
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight


@final
@register
class Embedding(Op):
    """Look up a trained vector for each index (Bengio et al., 2003): a vector of int64 becomes tokens.

    The input is written with its dtype: `input words: 64 of int64`. In use, PyTorch refuses an index from `words` on;
    compiled code gives NaN for it.
    """

    word: ClassVar = "Embedding"
    category: ClassVar = "dense"
    factor: ClassVar = True
    dtype: ClassVar = "int64"
    examples: ClassVar = (
        ("Embedding(9, 4)", (5,)),
        ("Embedding(9, 4, map=true)", (5,)),
        ("Embedding(9, 4, map=true) → Conv3(6)", (8,)),
    )

    words: Positive
    """How many indices there are."""
    channels: Positive
    """Length of the vectors."""
    map: bool = False
    """Whether the vectors become a map with one axis, channels first, for convolutions along the text."""

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        if x.dtype != "int64" or x.kind != "vector":
            raise Refusal(
                "wrong-type" if x.dtype != "int64" else "wrong-rank",
                f"`Embedding` takes a vector of int64, and here arrives {x} of {x.dtype}",
                notes=(f"expected the indices of words, found {x} of {x.dtype}",),
                help="write the input with its dtype: `input words: 64 of int64`",
            )
        return TensorType(
            shape=(self.channels, x.channels) if self.map else (x.channels, self.channels),
            channel_axis=0 if self.map else 1,
        )

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        return {"weight": Weight(shape=(self.words, self.channels), init="normal")}

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        return nn.Embedding(self.words, self.channels)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        tokens = module(*values)
        return tokens.transpose(1, 2) if self.map else tokens

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        tokens = relax.op.take(weights["weight"], values[0], axis=0, mode="nan")
        return relax.op.permute_dims(tokens, [0, 2, 1]) if self.map else tokens

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "embedding" or "weight" not in call.weights:
            return None
        words, channels = call.weights["weight"]
        return cls(words=words, channels=channels, map=call.arguments.get("map", False))
