"""Padding."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self, final

from pydantic import BeforeValidator

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import whole
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import refuse_no_map
from cnndsl.ir.shared.relax_words import padded_by_take
from cnndsl.ir.shared.torch_words import pads_from_the_last, short
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.window import Window, make_window


def _amount(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return tuple(
            tuple(whole(n, 0) for n in item) if isinstance(item, tuple | list) else whole(item, 0) for item in value
        )
    return whole(value, 0)


Amount = Annotated[int | tuple[int | tuple[int, int], ...], BeforeValidator(_amount)]


@final
@register
class Pad(Op):
    """Add rows and columns around the map.

    A layer's own `pad` does the same; this layer is for padding that no `pad` can say, such as reflected rows before a pool.
    """

    word: ClassVar = "Pad"
    category: ClassVar = "shape"
    examples: ClassVar = (
        ("Pad(1)", (2, 4, 5)),
        ("Pad(((0, 1), (2, 0)))", (2, 4, 5)),
        ("Pad((1, 2), reflect)", (2, 4, 5)),
        ("Pad(2, replicate)", (2, 6)),
        ("Pad(1, mode=circular)", (2, 3, 4, 5)),
        ("Pad(((1, 0), (0, 0), (0, 2)))", (2, 3, 4, 5)),
    )

    amount: Amount
    """A number for every side, one per axis, or `(before, after)` pairs."""
    mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"
    """What the added rows hold: zeros, the map mirrored at its edge, its edge repeated, or its other end."""

    def window_over(self, x: TensorType) -> Window:
        """A window of one position over the padded map."""
        refuse_no_map(x, self.word)
        ones = (1,) * x.rank
        try:
            window = make_window(x.size, ones, ones, self.amount, ones)
        except Refusal as refusal:
            refusal.argument = "amount"
            refusal.message = refusal.message.replace("`pad`", "`amount`")
            raise
        most = {"reflect": [n - 1 for n in x.size], "circular": list(x.size)}.get(self.mode)
        if most and any(max(b, a) > m for b, a, m in zip(window.before, window.after, most, strict=True)):
            raise Refusal(
                "out-of-range",
                f"`mode={self.mode}` cannot add more rows than the input has",
                argument="amount",
                notes=(f"expected at most {' and '.join(map(str, most))}, found {max(window.before + window.after)}",),
                help="pad less, or write `mode=replicate`",
            )
        return window

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        """Added zeros see nothing, and then the window says it all; other added rows repeat rows of the map and see those."""
        (x,) = xs
        if self.mode == "zeros":
            return None
        window = self.window_over(x)
        return tuple(
            self._reach(*axis) for axis in zip(x.size, window.before, window.after, range(x.rank), strict=True)
        )

    def _reach(self, n: int, before: int, after: int, axis: int) -> Reach:
        # From `o - before`, the first added row looks forward to the row that it repeats, and the last one back.
        forward, back = {
            "reflect": (2 * before, 2 * after),
            "replicate": (before, after),
            "circular": (n if before else 0, n if after else 0),
        }[self.mode]
        return Reach(1, -before - back, forward - before, axis, even=not before + after)

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        return x.resized(self.window_over(x).output_size(x.size))

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        window = self.window_over(x)
        modules = {
            "zeros": (nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d),
            "reflect": (nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReflectionPad3d),
            "replicate": (nn.ReplicationPad1d, nn.ReplicationPad2d, nn.ReplicationPad3d),
            "circular": (nn.CircularPad1d, nn.CircularPad2d, nn.CircularPad3d),
        }
        amounts = tuple(pads_from_the_last(window))
        return modules[self.mode][x.rank - 1](short(amounts))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        window = self.window_over(x)
        if self.mode != "zeros":
            return padded_by_take(relax, x, values[0], window, self.mode)
        around = [n for pair in zip(window.before, window.after, strict=True) for n in pair]
        return relax.op.nn.pad(values[0], [0, 0, 0, 0, *around])

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        modes: dict[str, Literal["zeros", "reflect", "replicate", "circular"]] = {
            "constant": "zeros",
            "reflect": "reflect",
            "replicate": "replicate",
            "circular": "circular",
        }
        mode = modes.get(call.arguments.get("mode", ""))
        if (
            call.target != "pad"
            or "pads" not in call.arguments
            or mode is None
            or (mode == "zeros" and call.arguments.get("value"))
        ):
            return None
        return cls(amount=call["pads"], mode=mode)
