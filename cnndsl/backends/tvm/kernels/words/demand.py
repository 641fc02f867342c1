"""What one call of a kernel asks of a machine, counted from its settings: `latency/` makes seconds of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnndsl.ir.op import Op
from cnndsl.ops.abs import Abs
from cnndsl.ops.clip import Clip
from cnndsl.ops.hard_sigmoid import HardSigmoid
from cnndsl.ops.hard_swish import HardSwish
from cnndsl.ops.leaky_relu import LeakyReLU
from cnndsl.ops.normalize import Normalize
from cnndsl.ops.relu import ReLU
from cnndsl.ops.relu6 import ReLU6
from cnndsl.ops.square import Square

_SHORT = (Abs, Clip, HardSigmoid, HardSwish, LeakyReLU, Normalize, ReLU, ReLU6, Square)
"""Pointwise layers of a few instructions; merges with numbers are such layers, too. All others take an exponential or worse."""


@dataclass(frozen=True)
class Demand:
    """Of the thread that is done last, where several share the work. Bytes of tensors are not in it: whoever calls the kernel knows
    them."""

    family: str
    """Kernels of one family have the same coefficients."""
    work: float = 0.0
    """Cycles of multiply-adds of vectors, with what the tile wastes."""
    second: float = 0.0
    """Vectors that are loaded, transformed or moved beside these."""
    tail: float = 0.0
    """Vectors that are stored, times the short pointwise layers they go through, and one."""
    heavy: float = 0.0
    """Vectors times the long pointwise layers they go through."""
    scratch: float = 0.0
    """Bytes of intermediate numbers, of all threads, written and read again."""
    regions: int = 1
    """How often all threads start together."""


def share(tasks: int, threads: int) -> float:
    """The part of equal tasks that the busiest thread has."""
    return -(-tasks // threads) / tasks if tasks else 1.0


def passes(tail: Sequence[Op | None]) -> tuple[int, int]:
    """How many short and how many long steps a tail has."""
    short = sum(op is None or isinstance(op, _SHORT) or op.merges for op in tail)
    return short, len(tail) - short


def tile_cycles(chunks: int, width: int) -> float:
    """Cycles of a step of a tile of `chunks` × `width` accumulators: eight of them hide the latency of a multiply-add, and each step
    loads a vector for each chunk and a number for each column."""
    return max(chunks * width, 8, 1.3 * (chunks + width)) + 0.08 * (chunks + width)
