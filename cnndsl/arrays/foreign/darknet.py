"""Darknet's `.weights`: a header of version and count of images, then float32 numbers one after another, without names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

SLOTS = ("bias", "weight", "running_mean", "running_var")
"""The order of a batch normalisation's tensors in the file; those of its convolution's kernel follow."""


def read_darknet(file: BinaryIO, order: Sequence[tuple[str, tuple[int, ...]]]) -> Arrays:
    """The arrays by key. The file names nothing: `order` lists keys and shapes as they follow each other in it.

    Raises ValueError where the file has not exactly as many numbers as `order` asks for.
    """
    from math import prod

    import numpy as np

    header = file.read(16)
    if len(header) < 16:
        raise ValueError("it is shorter than a header of Darknet's")
    major, minor, _ = (int(n) for n in np.frombuffer(header[:12], "<i4"))
    if not (0 <= major < 1000 and 0 <= minor < 1000):
        raise ValueError(f"its header says version {major}.{minor}, which Darknet never had")
    # The count of images that training has seen takes 8 bytes since version 0.2.
    if major * 10 + minor >= 2:
        file.read(4)
    data = file.read()
    wanted = sum(prod(shape) for _, shape in order)
    if len(data) != 4 * wanted:
        raise ValueError(f"it has {len(data):,} bytes of numbers, and the network's weights take {4 * wanted:,}")
    numbers, at, arrays = np.frombuffer(data, "<f4"), 0, {}
    for key, shape in order:
        arrays[key] = numbers[at : at + prod(shape)].reshape(shape)
        at += prod(shape)
    return arrays
