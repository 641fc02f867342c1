"""Transposed convolution."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any, ClassVar, Self, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes, Naturals, Padding, Positive, per_axis
from cnndsl.ir.call import Call, alike
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.shared.refusals import needed_window, refuse_groups, refuse_no_map
from cnndsl.ir.shared.torch_words import short
from cnndsl.ir.shared.transposed import PaintedWindow, make_painted_window
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight
from cnndsl.ir.window import Window
from cnndsl.ir.written import show, sizes


@final
@register
class ConvT(Op):
    """Let each input position paint a window of the output, `stride` apart: a `Conv` backwards, which enlarges the map.

    `ConvT2x2(64, stride=2)` doubles it, as in the U-Net; so does `ConvT4x4(64, 2, pad=1)`, as in GANs. The size becomes
    `(size - 1) · stride - pad + (k - 1) · dilation + 1 + output_pad`, with the pad of both sides.
    """

    word: ClassVar = "ConvT"
    category: ClassVar = "convolution"
    takes_window: ClassVar = True
    follows: ClassVar = "Conv"
    fresh: ClassVar = True
    examples: ClassVar = (
        ("ConvT2x2(4, stride=2)", (3, 5, 6)),
        ("ConvT4x4(4, 2, pad=1)", (3, 5, 6)),
        ("ConvT3x3(4, 2, pad=1, output_pad=1, bias=false)", (3, 5, 6)),
        ("ConvT3x3(6, 2, groups=3)", (3, 4, 4)),
        ("ConvT3x3(4, dilation=2, pad=2)", (2, 6, 6)),
        ("ConvT3x3(2, 3, dilation=2, output_pad=(1, 2))", (2, 4, 4)),
        ("ConvT3x3(4, 2, pad=((0, 1), (1, 0)))", (2, 4, 5)),
        ("ConvT3x3(4, 2, pad=same_tf)", (2, 4, 5)),
        ("ConvT4(4, 2)", (2, 7)),
        ("ConvT2x2x2(4, 2)", (2, 3, 4, 3)),
    )

    channels: Positive | None = None
    """Output channels; as many as come in when left out."""
    stride: Axes = 1
    """Distance in the output between the windows of neighbouring inputs."""
    pad: Padding = 0
    """Rows and columns cut off around the output: a number, one per axis, or (before, after) pairs; `same` is
    (k-1)//2·dilation on both sides, `valid` none, `same_tf` as much as leaves size·stride."""
    output_pad: Naturals = 0
    """Rows and columns added after the end, fewer than the stride or the dilation. A `Conv` with a stride brings several sizes
    to the same one: this chooses to which of them its way back leads."""
    dilation: Axes = 1
    """Distance between the window's taps."""
    groups: Positive = 1
    """Parts into which channels are divided; each output part sees one input part."""
    bias: bool = True
    """Whether a trained number is added to each output channel."""
    window: Axes | None = None
    """The size of the window, when it is not written in the word."""

    def _out(self, x: TensorType) -> int:
        return self.channels or x.channels

    def _kernel(self, x: TensorType) -> tuple[int, ...]:
        refuse_no_map(x, self.word)
        window = needed_window(self.window, self.word, size=2, channels=self.channels or "")
        return per_axis(window, x.rank, "window")

    def painted(self, x: TensorType) -> PaintedWindow:
        """What each position of this input paints. Raises `Refusal` for arguments that do not fit it."""
        kernel = self._kernel(x)
        stride, dilation = per_axis(self.stride, x.rank, "stride"), per_axis(self.dilation, x.rank, "dilation")
        added = per_axis(self.output_pad, x.rank, "output_pad")
        most = tuple(0 if self.pad == "same_tf" else max(s, d) - 1 for s, d in zip(stride, dilation, strict=True))
        if any(a > m for a, m in zip(added, most, strict=True)):
            raise Refusal(
                "out-of-range",
                f"`output_pad` of {show(short(added))} is more than the windows leave open",
                argument="output_pad",
                notes=(f"expected at most {show(short(most))}, found {show(short(added))}",),
                help="add fewer rows, or leave it out",
            )
        if self.pad == "causal":
            raise Refusal(
                "out-of-range",
                "`pad=causal` says nothing of a transposed convolution",
                argument="pad",
                notes=("expected numbers, `same`, `valid` or `same_tf`, found causal",),
                help="cut the future off by numbers: `pad=((0, 1),)`",
            )
        return make_painted_window(x.size, kernel, stride, self.pad, dilation, added)

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        painted = self.painted(x)
        refuse_groups(self.groups, x.channels, self._out(x))
        size = painted.output_size(x.size)
        if min(size) < 1:
            raise Refusal(
                "out-of-range",
                f"`pad` cuts everything off: {sizes(painted.painted_size(x.size))} without it",
                argument="pad",
                notes=(f"expected a pad that leaves at least 1 on each axis, found {min(size)} left",),
                help="cut less off, or take a larger window",
            )
        return x.resized(size).with_channels(self._out(x))

    def window_over(self, x: TensorType) -> Window | None:
        """That of a plain convolution, which the layer is with a stride of 1; with others, `reach` says what is seen."""
        return self.painted(x).as_window

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        (x,) = xs
        painted = self.painted(x)
        return painted.reach if painted.as_window is None else None

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        shape = (x.channels, self._out(x) // self.groups, *self._kernel(x))
        # PyTorch computes this bound from the output's channels, and not from the input's as for other layers.
        bound = 1 / sqrt(prod(shape[1:]))
        weights = {"weight": Weight(shape=shape, init="uniform", bound=bound)}
        if self.bias:
            weights["bias"] = Weight(shape=(self._out(x),), init="uniform", bound=bound)
        return weights

    def macs(self, xs: Tensors, y: TensorType) -> int:
        (x,) = xs
        return x.elements * (y.channels // self.groups) * prod(self._kernel(x))

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return y.elements if self.bias else 0

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        (x,) = xs
        painted, zeros = self.painted(x), (0,) * x.rank
        beyond = tuple(max(m - a, 0) for m, (_, a) in zip(painted.added, painted.cut, strict=True))
        given: dict[str, Any] = {
            "stride": (painted.stride, 1),
            "padding": (zeros if painted.uneven else tuple(b for b, _ in painted.cut), 0),
            "output_padding": (beyond if painted.uneven else painted.added, 0),
            "dilation": (painted.dilation, 1),
        }
        options: dict[str, Any] = {name: short(value) for name, (value, d) in given.items() if short(value) != d}
        if self.groups != 1:
            options["groups"] = self.groups
        if not self.bias:
            options["bias"] = False
        module = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[x.rank - 1]
        return module(x.channels, self._out(x), short(painted.kernel), **options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        painted = self.painted(x)
        if not painted.uneven:
            return module(*values)
        kept = (slice(b, b + n) for (b, _), n in zip(painted.cut, self.infer((x,)).size, strict=True))
        return module(*values)[(..., *kept)]

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        """A plain convolution with the flipped window, over the input with zeros put between its positions. TVM's own
        transposed convolutions take neither dilation nor uneven cuts."""
        (x,), op = xs, relax.op
        painted = self.painted(x)
        kernel, stride, pads = painted.kernel, painted.stride, painted.pads_of_conv
        data = _spread(relax, values[0], x, stride)
        for axis, (n, s, (before, after)) in enumerate(zip(x.size, stride, pads, strict=True), start=2):
            if before < 0 or after < 0:
                data = op.strided_slice(data, [axis], [max(-before, 0)], [(n - 1) * s + 1 - max(-after, 0)])
        groups, outs = self.groups, self._out(x) // self.groups
        taps = list(range(3, 3 + x.rank))
        weight = op.reshape(weights["weight"], (groups, x.channels // groups, outs, *kernel))
        weight = op.reshape(op.permute_dims(weight, [0, 2, 1, *taps]), (groups * outs, x.channels // groups, *kernel))
        for axis in range(2, 2 + x.rank):
            weight = op.flip(weight, axis)
        conv = (op.nn.conv1d, op.nn.conv2d, op.nn.conv3d)[x.rank - 1]
        padding = [max(before, 0) for before, _ in pads] + [max(after, 0) for _, after in pads]
        y = conv(data, weight, padding=padding, dilation=list(painted.dilation), groups=groups)
        return op.add(y, op.reshape(weights["bias"], (1, self._out(x), *(1,) * x.rank))) if "bias" in weights else y

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        if (
            call.target not in ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
            or "weight" not in call.weights
        ):
            return None
        rank, groups = xs[0].rank, call.arguments.get("groups", 1)
        _, out, *kernel = call.weights["weight"]
        return cls(
            channels=out * groups,
            groups=groups,
            window=alike(kernel, rank),
            stride=call.window("stride", rank),
            dilation=call.window("dilation", rank),
            pad=call.window("padding", rank) if "pads" not in call.arguments else call["pads"],
            output_pad=call.window("output_padding", rank),
            bias="bias" in call.weights,
        )


def _spread(relax: Any, value: Any, x: TensorType, stride: tuple[int, ...]) -> Any:
    """The batched value with `stride - 1` zeros between neighbours along each axis, as a Relax expression."""
    op, shape = relax.op, [value.ty.shape[0], *x.shape]
    for axis, s in enumerate(stride, start=2):
        if s == 1:
            continue
        n = shape[axis]
        apart = op.reshape(value, (*shape[: axis + 1], 1, *shape[axis + 1 :]))
        pads = [0] * (2 * (len(shape) + 1))
        pads[2 * (axis + 1) + 1] = s - 1
        shape[axis] = n * s
        value = op.strided_slice(op.reshape(op.nn.pad(apart, pads), tuple(shape)), [axis], [0], [(n - 1) * s + 1])
        shape[axis] = (n - 1) * s + 1
    return value
