"""Pickles of NumPy arrays in lists, tuples and dicts, read instruction by instruction: nothing is ever called.

An unpickler looks up what a pickle names and calls it. This reader knows a few names (NumPy's
`_reconstruct`, `_frombuffer`, `ndarray` and `dtype`, and `encode`, by which old pickles say bytes) as marks alone, and makes
arrays itself from the type, shape and bytes that it finds; any other name is refused.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

MOST_BYTES = 4 * 10**9
MOST_DEPTH = 50
_NAMES = {
    f"{module} {name}": name
    for modules, names in (
        (("numpy.core.multiarray", "numpy._core.multiarray", "numpy"), ("_reconstruct", "ndarray", "dtype")),
        (("numpy.core.numeric", "numpy._core.numeric"), ("_frombuffer",)),
        (("_codecs",), ("encode",)),
    )
    for module in modules
    for name in names
}
_DTYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")
_VALUES = {
    "NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "SHORT_BINBYTES", "BINBYTES",
    "BINBYTES8", "BYTEARRAY8", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING",
}  # fmt: skip
_FIXED = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_MARK = object()


@dataclass
class _Name:
    word: str


@dataclass
class _Type:
    code: str
    big: bool = False


@dataclass
class _Array:
    """An array that is being put together; `value` is there once its bytes are."""

    value: Any = None


def read_pickled(file: BinaryIO) -> Arrays:
    """The arrays by the way to them, `conv1/0` for the first of a list under `conv1`. Raises ValueError."""
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
    try:
        found = _run(data)
    except (IndexError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise ValueError("it is no pickle of arrays") from None
    arrays: Arrays = {}
    _collect(found, "", arrays, 0)
    if not arrays:
        raise ValueError("it holds no arrays")
    return arrays


def _run(data: bytes) -> Any:
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for code, argument, _ in pickletools.genops(data):
        word = code.name
        place = argument if isinstance(argument, int) else -1
        if word in _VALUES:
            stack.append(_FIXED.get(word, argument))
        elif word in ("BINPUT", "LONG_BINPUT"):
            memo[place] = stack[-1]
        elif word == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif word in ("BINGET", "LONG_BINGET"):
            stack.append(memo[place])
        elif word == "GLOBAL":
            stack.append(_name(str(argument)))
        elif word == "STACK_GLOBAL":
            name = stack.pop()
            stack.append(_name(f"{stack.pop()} {name}"))
        elif word in _BUILDERS:
            _BUILDERS[word](stack)
        elif word not in ("PROTO", "FRAME", "STOP"):
            raise ValueError(f"it has the instruction {word}, which no array needs")
    return stack.pop()


def _name(text: str) -> _Name:
    if text not in _NAMES:
        raise ValueError(f"it names {text.replace(' ', '.')[:80]}, and nothing but NumPy's arrays is read")
    return _Name(_NAMES[text])


def _marked(stack: list[Any]) -> list[Any]:
    """What lies above the last mark; it and the mark are taken off."""
    at = max(i for i, item in enumerate(stack) if item is _MARK) if _MARK in stack else -1
    if at < 0:
        raise ValueError("it is no pickle of arrays")
    items = stack[at + 1 :]
    del stack[at:]
    return items


def _tuple_of(count: int, stack: list[Any]) -> None:
    items = stack[len(stack) - count :]
    if len(items) != count or _MARK in items:
        raise ValueError("it is no pickle of arrays")
    del stack[len(stack) - count :]
    stack.append(tuple(items))


def _reduce(stack: list[Any]) -> None:
    arguments, name = stack.pop(), stack.pop()
    if not isinstance(name, _Name) or not isinstance(arguments, tuple):
        raise ValueError("it is no pickle of arrays")
    if name.word == "_reconstruct":
        stack.append(_Array())
    elif name.word == "_frombuffer":
        data, kind, shape, order = arguments
        stack.append(_Array(_array(shape, kind, order == "F", data)))
    elif name.word == "encode" and arguments[1:] == ("latin1",) and isinstance(arguments[0], str):
        stack.append(arguments[0].encode("latin-1"))
    elif name.word == "dtype" and arguments and arguments[0] in _DTYPES:
        stack.append(_Type(arguments[0]))
    else:
        raise ValueError(f"it holds numbers of the type {str(arguments[:1])[:40]}, which are not read")


def _build(stack: list[Any]) -> None:
    state, built = stack.pop(), stack[-1]
    if isinstance(built, _Type):
        built.big = state[1] == ">"
        return
    if not isinstance(built, _Array):
        raise ValueError("it is no pickle of arrays")
    _, shape, kind, columns_first, data = state
    built.value = _array(shape, kind, columns_first, data)


def _array(shape: Any, kind: Any, columns_first: Any, data: Any) -> np.ndarray:
    from math import prod

    import numpy as np

    if isinstance(data, str | bytearray):
        # Texts where the protocol has no bytes yet.
        data = data.encode("latin-1") if isinstance(data, str) else bytes(data)
    whole = isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)
    if not whole or not isinstance(kind, _Type) or not isinstance(data, bytes) or len(shape) > 32:
        raise ValueError("an array in it is not described as NumPy does")
    dtype = np.dtype((">" if kind.big else "<") + kind.code)
    if len(data) != prod(shape) * dtype.itemsize:
        raise ValueError(f"an array in it has {len(data)} bytes for the shape {shape}")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if columns_first else "C")
    return array.astype(dtype.newbyteorder("="))


def _append(stack: list[Any]) -> None:
    item = stack.pop()
    stack[-1].append(item)


def _appends(stack: list[Any]) -> None:
    items = _marked(stack)
    stack[-1].extend(items)


def _set_item(stack: list[Any]) -> None:
    value, key = stack.pop(), stack.pop()
    stack[-1][key] = value


def _set_items(stack: list[Any]) -> None:
    items = _marked(stack)
    stack[-1].update(zip(items[::2], items[1::2], strict=True))


_BUILDERS: dict[str, Any] = {
    "MARK": lambda stack: stack.append(_MARK),
    "EMPTY_DICT": lambda stack: stack.append({}),
    "EMPTY_LIST": lambda stack: stack.append([]),
    "EMPTY_TUPLE": lambda stack: stack.append(()),
    "TUPLE": lambda stack: stack.append(tuple(_marked(stack))),
    "TUPLE1": lambda stack: _tuple_of(1, stack),
    "TUPLE2": lambda stack: _tuple_of(2, stack),
    "TUPLE3": lambda stack: _tuple_of(3, stack),
    "REDUCE": _reduce,
    "BUILD": _build,
    "APPEND": _append,
    "APPENDS": _appends,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "POP": lambda stack: stack.pop(),
}


def _collect(found: Any, way: str, arrays: Arrays, depth: int) -> None:
    if depth > MOST_DEPTH or len(arrays) > 100_000:
        raise ValueError("it nests too deep")
    if isinstance(found, _Array):
        if found.value is None:
            raise ValueError("an array in it has no numbers")
        arrays[way] = found.value
    elif isinstance(found, dict | list | tuple):
        pairs = found.items() if isinstance(found, dict) else enumerate(found)
        for key, value in pairs:
            _collect(value, f"{way}/{key}" if way else str(key), arrays, depth + 1)
