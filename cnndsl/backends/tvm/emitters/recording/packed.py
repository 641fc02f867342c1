"""Weights as kernels read them, by their shapes: the numbers are packed when they are asked for (`kernels/words/packing.py`)."""

from __future__ import annotations

from math import prod

from cnndsl.backends.tvm.kernels.projection import pack_projection
from cnndsl.backends.tvm.kernels.winograd_deep import pack_deep_winograd
from cnndsl.backends.tvm.kernels.winograd_transforms import pack_winograd
from cnndsl.backends.tvm.kernels.words.packing import (
    fill_up,
    pack_conv,
    pack_dense,
    pack_depthwise,
    pack_flattened,
    pack_vector,
)
from cnndsl.backends.tvm.kernels.words.pairs import paired
from cnndsl.backends.tvm.program.later import Later


def filled_up(array: Later, axis: int, multiple: int) -> Later:
    """As `fill_up`."""
    shape = list(array.shape)
    shape[axis] = _up(shape[axis], multiple)
    return array.then(tuple(shape), lambda a: fill_up(a, axis, multiple))


def packed_vector(array: Later, lanes: int) -> Later:
    """As `pack_vector`."""
    return array.then((-(-array.shape[0] // lanes), lanes), lambda a: pack_vector(a, lanes))


def packed_conv(weight: Later, block: int, lanes: int) -> Later:
    """As `pack_conv`."""
    out, seen, *kernel = weight.shape
    shape = (-(-out // lanes), -(-seen // block), *kernel, block, lanes)
    return weight.then(shape, lambda w: pack_conv(w, block, lanes))


def packed_depthwise(weight: Later, lanes: int) -> Later:
    """As `pack_depthwise`."""
    channels, seen, *kernel = weight.shape
    return weight.then((-(-channels // lanes), *kernel, seen, lanes), lambda w: pack_depthwise(w, lanes))


def packed_dense(weight: Later, vectors: int, lanes: int) -> Later:
    """As `pack_dense`."""
    out, seen = weight.shape
    return weight.then((-(-out // (vectors * lanes)), seen, vectors, lanes), lambda w: pack_dense(w, vectors, lanes))


def packed_flattened(weight: Later, channels: int, positions: int, lanes: int) -> Later:
    """As `pack_flattened`."""
    shape = (weight.shape[0], _up(channels, lanes) * positions)
    return weight.then(shape, lambda w: pack_flattened(w, channels, positions, lanes))


def packed_projection(weight: Later, tile: int, lanes: int) -> Later:
    """As `pack_projection`."""
    out, seen, *_ = weight.shape
    shape = (-(-out // lanes) * _up(seen, lanes), lanes)
    return weight.then(shape, lambda w: pack_projection(w, tile, lanes))


def packed_winograd(weight: Later, m: int, lanes: int) -> Later:
    """As `pack_winograd`, or for windows of three axes as `pack_deep_winograd`."""
    out, seen, *kernel = weight.shape
    rows = (m + 2) ** 2 * -(-out // lanes) * _up(seen, lanes) * prod(kernel[:-2])
    pack = pack_winograd if len(kernel) == 2 else pack_deep_winograd
    return weight.then((rows, lanes), lambda w: pack(w, m, lanes))


def in_pairs(weight: Later, axis: int) -> Later:
    """As `paired`."""
    shape = list(weight.shape)
    shape[axis] //= 2
    return weight.then(tuple(shape), lambda w: paired(w, axis), "int32")


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
