"""What output positions see of an input where no sliding window says it."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

Number = int | Fraction


class Reach(NamedTuple):
    """One axis: output position `o` sees the input positions from `stride·o + first` to `stride·o + last`.

    A stride below 1 is upsampling; a stride of 0 means that every position sees the same ones. `axis` is the input's axis,
    counted behind the channels. Where `even` is false, some positions see less than that: the interval holds them all.
    """

    stride: Number
    first: Number
    last: Number
    axis: int
    even: bool = True
