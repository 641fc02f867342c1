"""Fields of protocol buffers by number, without any schema: what the readers of TensorFlow's files stand on."""

from __future__ import annotations

from collections.abc import Iterator

Value = int | bytes

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """The fields in their order: whole numbers, and bytes for texts, messages and packed numbers. Raises ValueError."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind, number = tag & 7, tag >> 3
        if kind == VARINT:
            value, at = varint(data, at)
            yield number, value
            continue
        if kind == BYTES:
            size, at = varint(data, at)
        elif kind in (EIGHT, FOUR):
            size = 8 if kind == EIGHT else 4
        else:
            raise ValueError(f"it has a field of the kind {kind}")
        if at + size > len(data):
            raise ValueError("it ends in the middle of a field")
        yield number, data[at : at + size]
        at += size


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A whole number of 7 bits a byte, and where it ends. Raises ValueError."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it ends in the middle of a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("it has a number of more than 64 bits")


def shape_of(data: bytes) -> tuple[int, ...]:
    """The sizes of TensorFlow's `TensorShapeProto`. Raises ValueError."""
    sizes = []
    for number, dimension in fields(data):
        if number == 2 and isinstance(dimension, bytes):
            size = next((value for n, value in fields(dimension) if n == 1), 0)
            if not isinstance(size, int) or size >= 1 << 40:
                raise ValueError("it has an array of unknown size")
            sizes.append(size)
    if len(sizes) > 32:
        raise ValueError("it has an array of more than 32 axes")
    return tuple(sizes)


DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 5: "<i2", 6: "i1", 9: "<i8", 19: "<f2"}
"""NumPy's names for the numbers of TensorFlow's types."""
