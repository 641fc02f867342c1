"""Arithmetic on sizes, which exporters leave in the graph: done here, once, on small arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from cnndsl.importing.readers.onnx.arrays import DTYPES

MOST_ELEMENTS = 4_000_000
MOST_FILLED = 2**28
"""How many numbers of one value an array may have, which takes no memory before it is used."""


def fold(kind: str, arrays: Sequence[Any], attributes: Mapping[str, Any]) -> Any:
    """The result of an operation on constants; None for one that is not computed here."""
    if kind not in _FOLDS or any(a is not None and a.size > MOST_ELEMENTS for a in arrays):
        return None
    try:
        made = _FOLDS[kind](list(arrays), attributes)
    except (ValueError, IndexError, TypeError, ZeroDivisionError, OverflowError, KeyError, MemoryError):
        return None
    most = MOST_FILLED if kind == "ConstantOfShape" else MOST_ELEMENTS
    return made if made is not None and made.size <= most else None


def _axes(arrays: list[Any], attributes: Mapping[str, Any]) -> tuple[int, ...] | None:
    if len(arrays) > 1 and arrays[1] is not None:
        return tuple(int(n) for n in arrays[1].reshape(-1))
    axes = attributes.get("axes")
    return tuple(axes) if axes is not None else None


def _gather(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    import numpy as np

    return np.take(arrays[0], arrays[1], axis=attributes.get("axis", 0))


def _concat(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    import numpy as np

    return np.concatenate(arrays, axis=attributes["axis"])


def _unsqueeze(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    import numpy as np

    return np.expand_dims(arrays[0], _axes(arrays, attributes) or ())


def _squeeze(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    import numpy as np

    return np.squeeze(arrays[0], _axes(arrays, attributes))


def _slice(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    data = arrays[0]
    given = [None if a is None else [int(n) for n in a.reshape(-1)] for a in arrays[1:]]
    starts = given[0] if given else attributes["starts"]
    ends = given[1] if len(given) > 1 else attributes["ends"]
    assert starts is not None
    assert ends is not None
    axes = (given[2] if len(given) > 2 else attributes.get("axes")) or range(len(starts))
    steps = (given[3] if len(given) > 3 else None) or [1] * len(starts)
    index: list[Any] = [slice(None)] * data.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index[axis] = slice(start, None if step < 0 and end < -(2**31) else end, step)
    return data[tuple(index)]


def _cast(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    return arrays[0].astype(DTYPES[attributes["to"]])


def _scattered(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    import numpy as np

    data, places, updates = arrays
    if attributes.get("reduction", "none") != "none":
        return None
    made = np.array(data)
    np.put_along_axis(
        made,
        np.where(places < 0, places + data.shape[attributes.get("axis", 0)], places),
        updates,
        attributes.get("axis", 0),
    )
    return made


def _flattened(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    shape, axis = arrays[0].shape, attributes.get("axis", 1)
    axis += len(shape) if axis < 0 else 0
    return arrays[0].reshape(prod(shape[:axis]), prod(shape[axis:]))


def _tiled(arrays: list[Any], _: Mapping[str, Any]) -> Any:
    import numpy as np

    times = [int(n) for n in arrays[1]]
    return np.tile(arrays[0], times) if prod(times) * max(arrays[0].size, 1) <= MOST_ELEMENTS else None


def _padded(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    import numpy as np

    data, amounts = arrays[0], [int(n) for n in arrays[1].reshape(-1)]
    if attributes.get("mode", "constant") != "constant" or len(arrays) > 3 or min(amounts, default=0) < 0:
        return None
    value = arrays[2].item() if len(arrays) > 2 and arrays[2] is not None else 0
    pairs = list(zip(amounts[: data.ndim], amounts[data.ndim :], strict=True))
    most = prod(n + b + a for n, (b, a) in zip(data.shape, pairs, strict=True))
    return np.pad(data, pairs, constant_values=value) if most <= MOST_ELEMENTS else None


def _sized(arrays: list[Any], _: Mapping[str, Any]) -> Any:
    import numpy as np

    return np.asarray(arrays[0].size, "int64")


def _shape(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    import numpy as np

    return np.asarray(arrays[0].shape[attributes.get("start", 0) : attributes.get("end")], "int64")


def _reshape(arrays: list[Any], _: Mapping[str, Any]) -> Any:
    shape = [int(n) for n in arrays[1]]
    return arrays[0].reshape([arrays[0].shape[i] if n == 0 else n for i, n in enumerate(shape)])


def _filled(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    import numpy as np

    shape = [int(n) for n in arrays[0]]
    value = attributes.get("value")
    if np.prod(shape, dtype=float) > MOST_FILLED:
        return None
    return np.broadcast_to(np.float32(0) if value is None else value.reshape(-1)[0], shape)


def _range(arrays: list[Any], _: Mapping[str, Any]) -> Any:
    import numpy as np

    start, stop, step = (a.item() for a in arrays)
    return np.arange(start, stop, step, dtype=arrays[0].dtype) if abs((stop - start) / step) < MOST_ELEMENTS else None


def _expand(arrays: list[Any], _: Mapping[str, Any]) -> Any:
    import numpy as np

    shape = np.broadcast_shapes(arrays[0].shape, tuple(int(n) for n in arrays[1]))
    return np.broadcast_to(arrays[0], shape) if np.prod(shape, dtype=float) <= MOST_ELEMENTS else None


def _divided(arrays: list[Any], _: Mapping[str, Any]) -> Any:
    a, b = arrays
    if a.dtype.kind in "iu" and b.dtype.kind in "iu":
        return (abs(a) // abs(b) * ((a < 0) ^ (b < 0)).choose([1, -1])).astype(a.dtype) if (b != 0).all() else None
    return a / b


def _transposed(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
    return arrays[0].transpose(attributes.get("perm"))


def _reduced(name: str) -> Callable[[list[Any], Mapping[str, Any]], Any]:
    def reduce(arrays: list[Any], attributes: Mapping[str, Any]) -> Any:
        import numpy as np

        axes = _axes(arrays, attributes)
        return np.asarray(getattr(np, name)(arrays[0], axis=axes, keepdims=bool(attributes.get("keepdims", 1))))

    return reduce


def _numpy(name: str) -> Callable[[list[Any], Mapping[str, Any]], Any]:
    def apply(arrays: list[Any], _: Mapping[str, Any]) -> Any:
        import numpy as np

        with np.errstate(all="ignore"):
            return np.asarray(getattr(np, name)(*arrays))

    return apply


_FOLDS: Mapping[str, Callable[[list[Any], Mapping[str, Any]], Any]] = {
    "Gather": _gather,
    "Concat": _concat,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Slice": _slice,
    "Cast": _cast,
    "Reshape": _reshape,
    "ConstantOfShape": _filled,
    "Range": _range,
    "Expand": _expand,
    "Div": _divided,
    "Transpose": _transposed,
    "ScatterElements": _scattered,
    "Flatten": _flattened,
    "Tile": _tiled,
    "Size": _sized,
    "Pad": _padded,
    "Shape": _shape,
    "Identity": lambda arrays, _: arrays[0],
    "ReduceProd": _reduced("prod"),
    "ReduceSum": _reduced("sum"),
    "ReduceMax": _reduced("max"),
    "ReduceMin": _reduced("min"),
    "ReduceMean": _reduced("mean"),
    **{
        kind: _numpy(name)
        for kind, name in {
            "Add": "add", "Sub": "subtract", "Mul": "multiply", "Floor": "floor", "Ceil": "ceil", "Sqrt": "sqrt",
            "Pow": "power", "Neg": "negative", "Abs": "abs", "Exp": "exp", "Reciprocal": "reciprocal", "Equal": "equal",
            "Greater": "greater", "Less": "less", "Not": "logical_not", "And": "logical_and", "Or": "logical_or",
            "Where": "where", "Max": "maximum", "Min": "minimum", "Mod": "mod", "Sin": "sin", "Cos": "cos", "Tan": "tan", "Log": "log",
            "Sign": "sign", "LessOrEqual": "less_equal", "GreaterOrEqual": "greater_equal", "Round": "rint", "Tanh": "tanh",
        }.items()
    },
}  # fmt: skip
