"""A sliding window: the one fact from which output sizes, padding and receptive fields follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.written import show, sizes


@dataclass(frozen=True, slots=True)
class Window:
    """What an output position sees of the input, per axis behind the channels.

    Output `o` on an axis reads inputs `o·stride - before + i·dilation` for `0 <= i < kernel`.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    dilation: tuple[int, ...]
    ceil: bool = False

    @property
    def extent(self) -> tuple[int, ...]:
        """Input positions from the first to the last one read: `(kernel - 1)·dilation + 1`."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def symmetric(self) -> bool:
        return self.before == self.after

    def output_size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Positions per axis over an input of this size. Raises `window-too-large` where there are none."""
        padded = tuple(n + b + a for n, b, a in zip(size, self.before, self.after, strict=True))
        # With `ceil` an input shorter than the window still has one, if less than a stride is missing.
        missing = tuple(e - n for n, e in zip(padded, self.extent, strict=True))
        if any(m > (s - 1 if self.ceil else 0) for m, s in zip(missing, self.stride, strict=True)):
            window, found = sizes(self.extent), sizes(size)
            pads = "" if padded == size else f" padded to {sizes(padded)}"
            raise Refusal(
                "window-too-large",
                f"a window of {window} does not fit an input of {found}{pads}",
                notes=(f"expected an input of at least {window} after padding, found {sizes(padded)}",),
                help="take a smaller window, pad more, or downsample less before this layer",
            )
        return tuple(map(self._positions, padded, size, self.extent, self.stride, self.before))

    def after_filled(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Rows to add after each axis so that every position of `output_size` has a whole window."""
        out = self.output_size(size)
        return tuple(
            max(a, (o - 1) * s + e - n - b)
            for o, s, e, n, b, a in zip(out, self.stride, self.extent, size, self.before, self.after, strict=True)
        )

    def kept(self, size: tuple[int, ...]) -> tuple[Any, ...]:
        """The index that keeps the positions of `output_size`, for a result that was computed over an input padded
        beforehand: over that, `ceil` may find one more window, which starts in the padding after the input."""
        return (..., *(slice(n) for n in self.output_size(size)))

    def refuse_windows_of_padding(self) -> None:
        """Refuses padding as large as the window: some position would see nothing else."""
        if any(max(b, a) >= e for b, a, e in zip(self.before, self.after, self.extent, strict=True)):
            raise Refusal(
                "out-of-range",
                f"padding of {max(self.before + self.after)} leaves windows of {sizes(self.extent)} that see no input",
                argument="pad",
                notes=(f"expected less than {min(self.extent)}, found {max(self.before + self.after)}",),
                help="pad by at most half the window",
            )

    def _positions(self, padded: int, size: int, extent: int, stride: int, before: int) -> int:
        if not self.ceil:
            return (padded - extent) // stride + 1
        count = -(-(padded - extent) // stride) + 1
        # PyTorch's rule: the last window must start inside the input or its leading padding.
        return count - 1 if (count - 1) * stride >= size + before else count


@lru_cache(maxsize=1024)
def make_window(
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pad: Any,
    dilation: tuple[int, ...],
    *,
    ceil: bool = False,
) -> Window:
    """The window over an input of this size. `same` is `(k-1)//2·dilation` on both sides, `same_tf` gives
    `ceil(size / stride)` positions with the odd row after, `causal` puts `(k-1)·dilation` before the first axis."""
    before, after = zip(*_pads(size, kernel, stride, pad, dilation), strict=True)
    return Window(kernel=kernel, stride=stride, before=before, after=after, dilation=dilation, ceil=ceil)


def _pads(
    size: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], pad: Any, dilation: tuple[int, ...]
) -> list[tuple[int, int]]:
    rank = len(size)
    same = [((k - 1) // 2 * d, (k - 1) // 2 * d) for k, d in zip(kernel, dilation, strict=True)]
    if pad == "same":
        return same
    if pad == "valid":
        return [(0, 0)] * rank
    if pad == "causal":
        return [((kernel[0] - 1) * dilation[0], 0), *same[1:]]
    if pad == "same_tf":
        totals = [
            max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)
        ]
        return [(total // 2, total - total // 2) for total in totals]
    if isinstance(pad, int):
        return [(pad, pad)] * rank
    if len(pad) != rank:
        raise Refusal(
            "wrong-rank",
            f"`pad` has {len(pad)} axes where the input has {rank}",
            argument="pad",
            notes=(f"expected one number{'' if rank == 1 else f' or {rank}'}, found {show(pad)}",),
            help="write one number, one per axis, or one `(before, after)` pair per axis",
        )
    return [item if isinstance(item, tuple) else (item, item) for item in pad]


def products(axes: Sequence[Sequence[float]]) -> Any:
    """A number for each position over several axes, the product of one number for each axis: nested lists."""
    table: Any = 1.0
    for numbers in reversed(axes):
        table = [_times(table, number) for number in numbers]
    return table


def _times(table: Any, factor: float) -> Any:
    return [_times(item, factor) for item in table] if isinstance(table, list) else table * factor
