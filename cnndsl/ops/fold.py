"""Windows in the channels laid back over the map."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes, Padding, per_axis
from cnndsl.ir.axes import Sizes, asked_size
from cnndsl.ir.call import Call, alike, padding
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import needed_window, refuse_no_image
from cnndsl.ir.shared.torch_words import short
from cnndsl.ir.tensor import TensorType
from cnndsl.ops.conv_t import ConvT
from cnndsl.ops.unfold import taps


@final
@register
class Fold(Op):
    """The reverse of `Unfold`: the channels of each position, C·k², are laid out as a window, and where windows overlap they
    are added up.

    The map gets the size that `Unfold` with these arguments began from; `size` or `like` says which where several are
    possible. Maps of two axes.
    """

    word: ClassVar = "Fold"
    category: ClassVar = "shape"
    takes_window: ClassVar = True
    examples: ClassVar = (
        ("Fold3x3", (18, 5, 6)),
        ("Unfold3x3(2) → Fold3x3(2, like=in)", (3, 6, 8)),
        ("Fold2x2(2, pad=valid)", (8, 3, 4)),
        ("Fold3x3(pad=same, dilation=2)", (9, 6, 7)),
        ("Fold3x3(2, size=(10, 11))", (9, 5, 6)),
        ("Fold3x2(pad=((0, 1), (1, 0)))", (12, 6, 7)),
    )

    stride: Axes = 1
    """Step between windows."""
    pad: Padding = "same"
    """Rows and columns cut off around the output, as many as `Unfold` adds."""
    dilation: Axes = 1
    """Distance between the window's taps."""
    size: Axes | None = None
    """The size of the output."""
    like: Sizes | None = None
    """A tensor that has the size of the output."""
    window: Axes | None = None
    """The size of the window, when it is not written in the word."""

    def _laid(self, x: TensorType) -> ConvT:
        """The transposed convolution that lays out windows so."""
        refuse_no_image(x, self.word)
        count = prod(per_axis(needed_window(self.window, self.word), 2, "window"))
        if x.channels % count:
            raise Refusal(
                "shape-mismatch",
                f"windows of {count} positions cannot be made of {x.channels} channels",
                notes=(f"expected a multiple of {count}, found {x.channels}",),
                help=f"give it {-(-x.channels // count) * count} channels",
            )
        channels = x.channels // count
        plain = ConvT(
            channels=channels,
            stride=self.stride,
            pad=self.pad,
            dilation=self.dilation,
            groups=channels,
            bias=False,
            window=self.window,
        )
        wanted = asked_size(x, self.word, self.size, self.like)
        if wanted is None:
            return plain
        found = plain.infer((x,)).size
        more = tuple(n - m for n, m in zip(wanted, found, strict=True))
        steps = per_axis(self.stride, 2, "stride")
        if any(not 0 <= n < s for n, s in zip(more, steps, strict=True)):
            most = "×".join(str(m + s - 1) for m, s in zip(found, steps, strict=True))
            raise Refusal(
                "out-of-range",
                f"`Fold` cannot reach {'×'.join(map(str, wanted))} from {x}",
                argument="size" if self.like is None else "like",
                notes=(f"expected from {'×'.join(map(str, found))} to {most}",),
                help="take the stride, pad and dilation of the `Unfold` before it",
            )
        return plain.model_copy(update={"output_pad": more})

    def infer(self, xs: Tensors) -> TensorType:
        return self._laid(xs[0]).infer(xs)

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        (x,) = xs
        laid = self._laid(x)
        found = laid.reach(xs, y, index)
        if found is not None:
            return found
        window = laid.window_over(x)
        assert window is not None
        return tuple(
            Reach(1, -before, extent - 1 - before, axis, even=d == 1)
            for axis, (before, extent, d) in enumerate(zip(window.before, window.extent, window.dilation, strict=True))
        )

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return xs[0].elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        g, y = self._laid(x).painted(x), self.infer(xs)
        columns = values[0].reshape(-1, x.channels, prod(x.size))
        even = all(before == after for before, after in g.cut) and min(min(pair) for pair in g.cut) >= 0
        size = y.size if even else tuple(n + sum(cut) for n, cut in zip(y.size, g.cut, strict=True))
        padding = {"padding": short(tuple(before for before, _ in g.cut))} if even and g.cut != ((0, 0), (0, 0)) else {}
        options = {"dilation": short(g.dilation), "stride": short(g.stride), **padding}
        whole = torch.nn.functional.fold(columns, size, short(g.kernel), **options)
        if even:
            return whole
        kept = (slice(before, before + n) for (before, _), n in zip(g.cut, y.size, strict=True))
        return whole[(..., *kept)]

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        laid = self._laid(x)
        kernels = taps(relax, laid.groups, laid.painted(x).kernel)
        return laid.to_relax(relax, xs, values, {"weight": kernels})

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if call.target != "fold2d":
            return None
        kernel = call["kernel_size"]
        plain = cls(
            window=alike(kernel, 2),
            stride=call.window("stride", 2),
            pad=padding(call, kernel, 2),
            dilation=call.window("dilation", 2),
        )
        size = plain.infer(xs[:1]).shape
        return plain if size == call.shape else plain.model_copy(update={"size": alike(call.shape[1:], 2)})
