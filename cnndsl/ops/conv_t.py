"""Transposed convolution."""

from __future__ import annotations

from fractions import Fraction
from math import prod, sqrt
from typing import Any, ClassVar, NamedTuple, final

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.arguments import Axes, Naturals, Pad, Positive, make_window, per_axis, spatial
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.reach import Reach
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight
from cnndsl.ir.window import Window
from cnndsl.ir.written import show
from cnndsl.ops.conv import short

Pads = tuple[tuple[int, int], ...]


class Geometry(NamedTuple):
    """Numbers for each axis; `cut` is taken off before and after, `added` comes behind it."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    cut: Pads
    added: tuple[int, ...]

    @property
    def extent(self) -> tuple[int, ...]:
        """What one input position paints."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def as_conv(self) -> Pads:
        """The padding, negative where it is a cut, with which a plain convolution of the input, with zeros between its
        positions, gives the same."""
        return tuple((e - 1 - b, e - 1 - a + m) for e, (b, a), m in zip(self.extent, self.cut, self.added, strict=True))

    @property
    def uneven(self) -> bool:
        """Whether torch's layers cannot say the cut: they take as much off either side."""
        return any(before != after for before, after in self.cut)


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
    pad: Pad = 0
    """Rows and columns cut off around the output: a number, one per axis, or (before, after) pairs; `same` is
    (k-1)//2·dilation on both sides, `valid` none, `same_tf` what leaves size·stride."""
    output_pad: Naturals = 0
    """Rows and columns more after the end, fewer than the stride or the dilation: which of the sizes that a `Conv` would
    bring to the input's it shall be."""
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
        spatial(x, self.word)
        if self.window is None:
            raise Refusal(
                "missing-argument",
                "`ConvT` needs the size of its window",
                notes=("expected `ConvT2x2` or `window=2`, found neither",),
                help=f"write `ConvT2x2({self.channels or ''})`",
            )
        return per_axis(self.window, x.rank, "window")

    def geometry(self, x: TensorType) -> Geometry:
        """The layer's numbers over an input of this size. Raises `Refusal` for those that say nothing."""
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
        if self.pad != "same_tf":
            window = make_window(x.size, kernel, stride, self.pad, dilation)
            cut = tuple(zip(window.before, window.after, strict=True))
            return Geometry(kernel, stride, dilation, cut, added)
        # What TensorFlow's convolution with this stride would have added to an input of size·stride.
        plain = Geometry(kernel, stride, dilation, (), added)
        totals = [max(e - s, 0) for e, s in zip(plain.extent, stride, strict=True)]
        return plain._replace(
            cut=tuple((total // 2, total - total // 2) for total in totals),
            added=tuple(max(s - e, 0) for e, s in zip(plain.extent, stride, strict=True)),
        )

    def infer(self, xs: Tensors) -> TensorType:
        (x,) = xs
        geometry = self.geometry(x)
        for name, channels in (("input", x.channels), ("output", self._out(x))):
            if channels % self.groups:
                fits = [g for g in range(min(self.groups, channels), 0, -1) if x.channels % g == 0 == self._out(x) % g]
                raise Refusal(
                    "groups-mismatch",
                    f"{channels} {name} channels cannot be divided into {self.groups} groups",
                    argument="groups",
                    notes=(f"expected a divisor of {x.channels} and {self._out(x)}, found {self.groups}",),
                    help=f"write `groups={fits[0]}`",
                )
        whole = [(n - 1) * s + e for n, s, e in zip(x.size, geometry.stride, geometry.extent, strict=True)]
        size = tuple(n - b - a + m for n, (b, a), m in zip(whole, geometry.cut, geometry.added, strict=True))
        if min(size) < 1:
            raise Refusal(
                "out-of-range",
                f"`pad` cuts everything off: {'×'.join(map(str, whole))} without it",
                argument="pad",
                notes=(f"expected a pad that leaves at least 1 on each axis, found {min(size)} left",),
                help="cut less off, or take a larger window",
            )
        return x.resized(size).with_channels(self._out(x))

    def window_over(self, x: TensorType) -> Window | None:
        """With a stride of 1 it is a plain convolution."""
        g = self.geometry(x)
        if set(g.stride) != {1}:
            return None
        before, after = zip(*g.as_conv, strict=True)
        return Window(kernel=g.kernel, stride=g.stride, before=before, after=after, dilation=g.dilation)

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        """Output `o` sees inputs `(o + before - i·dilation) / stride` for the taps i where that is whole."""
        (x,) = xs
        g = self.geometry(x)
        if set(g.stride) == {1}:
            return None
        return tuple(
            Reach(Fraction(1, s), Fraction(b - e + 1, s), Fraction(b, s), axis, even=s == 1)
            for axis, (s, e, (b, _)) in enumerate(zip(g.stride, g.extent, g.cut, strict=True))
        )

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        shape = (x.channels, self._out(x) // self.groups, *self._kernel(x))
        # PyTorch's own bound, which takes the output for the fan.
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
        g, zeros = self.geometry(x), (0,) * x.rank
        beyond = tuple(max(m - a, 0) for m, (_, a) in zip(g.added, g.cut, strict=True))
        given: dict[str, Any] = {
            "stride": (g.stride, 1),
            "padding": (zeros if g.uneven else tuple(b for b, _ in g.cut), 0),
            "output_padding": (beyond if g.uneven else g.added, 0),
            "dilation": (g.dilation, 1),
        }
        options: dict[str, Any] = {name: short(value) for name, (value, d) in given.items() if short(value) != d}
        if self.groups != 1:
            options["groups"] = self.groups
        if not self.bias:
            options["bias"] = False
        module = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[x.rank - 1]
        return module(x.channels, self._out(x), short(g.kernel), **options)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        g = self.geometry(x)
        if not g.uneven:
            return module(*values)
        kept = (slice(b, b + n) for (b, _), n in zip(g.cut, self.infer((x,)).size, strict=True))
        return module(*values)[(..., *kept)]

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        """A plain convolution with the flipped window over the input with zeros between its positions: TVM's own
        transposed convolutions know neither dilation nor uneven cuts."""
        (x,), op = xs, relax.op
        geometry = self.geometry(x)
        kernel, stride, pads = geometry.kernel, geometry.stride, geometry.as_conv
        data = _spread(relax, values[0], x, stride)
        for axis, (n, s, (before, after)) in enumerate(zip(x.size, stride, pads, strict=True), start=2):
            if before < 0 or after < 0:
                data = op.strided_slice(data, [axis], [max(-before, 0)], [(n - 1) * s + 1 - max(-after, 0)])
        g, outs = self.groups, self._out(x) // self.groups
        taps = list(range(3, 3 + x.rank))
        weight = op.reshape(weights["weight"], (g, x.channels // g, outs, *kernel))
        weight = op.reshape(op.permute_dims(weight, [0, 2, 1, *taps]), (g * outs, x.channels // g, *kernel))
        for axis in range(2, 2 + x.rank):
            weight = op.flip(weight, axis)
        conv = (op.nn.conv1d, op.nn.conv2d, op.nn.conv3d)[x.rank - 1]
        padding = [max(before, 0) for before, _ in pads] + [max(after, 0) for _, after in pads]
        y = conv(data, weight, padding=padding, dilation=list(geometry.dilation), groups=g)
        return op.add(y, op.reshape(weights["bias"], (1, self._out(x), *(1,) * x.rank))) if "bias" in weights else y


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
