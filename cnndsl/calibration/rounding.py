"""Weights rounded so that the errors within one sum make up for each other.

The nearest whole number is the best for a weight, and not for the sums that it stands in: what rounding one weight changes can be
taken back by the weights of inputs that vary with its own. The weights of a sum are rounded one after the other, and after each
the rest is moved to where it is best for the results (Frantar et al.: GPTQ, 2023; Hassibi and Stork: Optimal brain surgeon,
1993). What counts is how inputs vary together, and not their means: a shift of the mean is corrected in the bias.
"""

from __future__ import annotations

from math import prod
from typing import Any

from cnndsl.backends.pytorch.library import nn, torch
from cnndsl.backends.tvm.program.steps import Step
from cnndsl.ops.conv import Conv
from cnndsl.quantization.arithmetic import LARGEST_WEIGHT

SAMPLES = 4096
"""Windows that are looked at."""
MOST = 576
"""Weights that are rounded with regard to each other; longer sums are parted."""
_BLOCK = 48
"""Weights that are rounded before the rest is moved by all of them together."""
_DAMPING = 0.01
"""Added to how much every input varies, in units of the mean."""


def rounded_together(anchor: Step, x: Any, zero_point: int, scales: Any) -> Any:
    """The weight of a convolution or a fully connected layer in whole numbers, int8, with a scale for each output channel, for
    the maps `x` of whole numbers, uint8, batch included."""
    weight = torch.tensor(anchor.weights["weight"].numpy())
    groups = anchor.op.groups if isinstance(anchor.op, Conv) else 1
    outputs, channels = len(weight) // groups, weight.shape[1]
    parts = _parts(channels, weight[0, 0].numel())
    rows = (weight.double() / scales.double().reshape(-1, *(1,) * (weight.dim() - 1))).reshape(
        groups, outputs, parts, -1
    )
    windows = (_windows(anchor, x, zero_point).float() - zero_point).reshape(-1, groups * parts, rows.shape[-1])
    if len(windows) < windows.shape[2]:
        # Too few to say how inputs vary together.
        return rows.round().clamp_(-LARGEST_WEIGHT, LARGEST_WEIGHT).reshape(weight.shape).to(torch.int8)
    found = _rounded(rows.transpose(1, 2).flatten(0, 1), _covariance(windows))
    return found.unflatten(0, (groups, parts)).transpose(1, 2).reshape(weight.shape).to(torch.int8)


def _parts(channels: int, taps: int) -> int:
    """Into how many equal parts the input channels of a sum are divided."""
    fits = (parts for parts in range(1, channels + 1) if channels % parts == 0 and channels // parts * taps <= MOST)
    return next(fits, channels)


def _windows(anchor: Step, x: Any, zero_point: int) -> Any:
    """`(windows, numbers)`: what some of the sums are made of, in the order of the weight's axes."""
    if not isinstance(anchor.op, Conv):
        return x
    window = anchor.op.window_over(anchor.xs[0])
    pads = [n for pair in zip(window.before[::-1], window.after[::-1], strict=True) for n in pair]
    wide = nn.functional.pad(x, pads, value=zero_point)
    draw = torch.Generator().manual_seed(0)
    sizes, taps = anchor.type.size, prod(window.kernel)
    count = min(SAMPLES, len(x) * prod(sizes))
    place = torch.zeros((count, 1), dtype=torch.int64)
    tap = torch.arange(taps)
    for axis, size in enumerate(wide.shape[2:]):
        at = torch.randint(sizes[axis], (count, 1), generator=draw) * window.stride[axis]
        step = tap // prod(window.kernel[axis + 1 :]) % window.kernel[axis] * window.dilation[axis]
        place = place * size + at + step
    picture = torch.randint(len(x), (count, 1), generator=draw)
    return wide.flatten(2).transpose(1, 2)[picture, place].transpose(1, 2).flatten(1)


def _covariance(windows: Any) -> Any:
    """How the inputs of sums vary together, `(parts, n, n)`, from `(windows, parts, n)`. Of few windows less is believed."""
    count, _, n = windows.shape
    away = (windows - windows.mean(0)).transpose(0, 1)
    found = (away.transpose(1, 2) @ away / count).double()
    own = torch.diagonal(found, dim1=1, dim2=2)
    doubt = n / (n + count)
    least = _DAMPING * own.mean(1, keepdim=True).clamp(min=1e-9)
    return found * (1 - doubt) + torch.diag_embed(doubt * own + least)


def _rounded(rows: Any, covariance: Any) -> Any:
    """Each of the `(parts, rows, n)` in whole numbers; inputs that vary most come first."""
    order = torch.diagonal(covariance, dim1=1, dim2=2).argsort(1, descending=True)
    rows = rows.gather(2, order[:, None].expand_as(rows)).contiguous()
    covariance = torch.stack([c[o][:, o] for c, o in zip(covariance, order, strict=True)])
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(covariance))
    moves = torch.linalg.cholesky(inverse, upper=True).float()
    rows = rows.float()
    whole = torch.empty_like(rows)
    n = rows.shape[2]
    for start in range(0, n, _BLOCK):
        end = min(start + _BLOCK, n)
        errors = torch.empty_like(rows[:, :, start:end])
        for i in range(start, end):
            whole[:, :, i] = rows[:, :, i].round().clamp_(-LARGEST_WEIGHT, LARGEST_WEIGHT)
            error = (rows[:, :, i] - whole[:, :, i]) / moves[:, i, i, None]
            rows[:, :, i + 1 : end] -= error[:, :, None] * moves[:, None, i, i + 1 : end]
            errors[:, :, i - start] = error
        rows[:, :, end:] -= errors @ moves[:, start:end, end:]
    return whole.gather(2, order.argsort(1)[:, None].expand_as(whole))
