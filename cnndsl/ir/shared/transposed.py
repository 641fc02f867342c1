"""The window of a transposed convolution: each input position paints it on the output, `stride` apart."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from cnndsl.ir.reach import Reach
from cnndsl.ir.window import Window, make_window

Pads = tuple[tuple[int, int], ...]
"""Rows before and after, for each axis."""


class PaintedWindow(NamedTuple):
    """Numbers for each axis behind the channels. Of what is painted, `cut` is taken off before and after; `added` rows,
    which nothing paints, come behind it."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    cut: Pads
    added: tuple[int, ...]

    @property
    def extent(self) -> tuple[int, ...]:
        """Output positions from the first to the last that one input position paints: `(kernel - 1)·dilation + 1`."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def uneven(self) -> bool:
        """Whether more is cut off at one side than at the other, which torch's layers cannot say."""
        return any(before != after for before, after in self.cut)

    @property
    def pads_of_conv(self) -> Pads:
        """The padding, negative where it is a cut, with which a plain convolution of the input, with `stride - 1` zeros
        between its positions, gives the same."""
        return tuple((e - 1 - b, e - 1 - a + m) for e, (b, a), m in zip(self.extent, self.cut, self.added, strict=True))

    def painted_size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """What an input of this size paints, before anything is cut off."""
        return tuple((n - 1) * s + e for n, s, e in zip(size, self.stride, self.extent, strict=True))

    def output_size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Positions per axis over an input of this size; 0 or less where the cuts leave nothing."""
        painted = self.painted_size(size)
        return tuple(n - b - a + m for n, (b, a), m in zip(painted, self.cut, self.added, strict=True))

    @property
    def as_window(self) -> Window | None:
        """The window of a plain convolution that gives the same; there is one where the stride is 1."""
        if set(self.stride) != {1}:
            return None
        before, after = zip(*self.pads_of_conv, strict=True)
        return Window(kernel=self.kernel, stride=self.stride, before=before, after=after, dilation=self.dilation)

    @property
    def reach(self) -> tuple[Reach, ...]:
        """Output `o` sees inputs `(o + before - i·dilation) / stride` for the taps i where that is whole."""
        return tuple(
            Reach(Fraction(1, s), Fraction(b - e + 1, s), Fraction(b, s), axis, even=s == 1)
            for axis, (s, e, (b, _)) in enumerate(zip(self.stride, self.extent, self.cut, strict=True))
        )


def make_painted_window(
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pad: Any,
    dilation: tuple[int, ...],
    added: tuple[int, ...],
) -> PaintedWindow:
    """The painted window over an input of this size. `pad` is cut off, as much as `make_window` would add; `same_tf` leaves
    `size·stride`, as TensorFlow does, which adds rows where the window is smaller than the stride. Raises `Refusal`."""
    if pad != "same_tf":
        window = make_window(size, kernel, stride, pad, dilation)
        return PaintedWindow(kernel, stride, dilation, tuple(zip(window.before, window.after, strict=True)), added)
    # What TensorFlow's convolution with this stride would have added to an input of size·stride.
    plain = PaintedWindow(kernel, stride, dilation, (), added)
    totals = [max(e - s, 0) for e, s in zip(plain.extent, stride, strict=True)]
    return plain._replace(
        cut=tuple((total // 2, total - total // 2) for total in totals),
        added=tuple(max(s - e, 0) for e, s in zip(plain.extent, stride, strict=True)),
    )
