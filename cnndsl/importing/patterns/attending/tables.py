"""Constants that have more numbers than a program says, by the rule that made them: positions as waves, and what depends on
how far two positions of a window lie apart."""

from __future__ import annotations

from math import isqrt, prod
from typing import Any

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web
from cnndsl.ir.shared.offsets import offsets
from cnndsl.ir.shared.turning import Turning

_CLOSE = 2e-5
"""How far sines and cosines of float32 angles may lie from the exact ones."""
_BASES = (10000.0, 100.0, 1000.0, 20.0)
_MOST_COLUMNS = 4
_LEAST_NUMBERS = 16
MOST_NUMBERS = 4096
"""How many numbers of a constant a program says at most."""
_BATCHED_MAP = 4


def by_rule(web: Web, array: Any, flowing: Ref, node: Node, name: str) -> Ref | None:
    """The constant with a batch, made before the operation that takes it; None where no rule makes it."""
    if array.size < _LEAST_NUMBERS:
        return None
    found = _waves(web, array, flowing, node, name)
    many = array.size > MOST_NUMBERS
    return _by_offset(web, array, flowing, node, name) if found is None and many else found


def lists(array: Any) -> Any:
    """An array as numbers in tuples within tuples, each with as few digits as it has."""
    if array.ndim == 1:
        return tuple(float(str(number)) for number in array)
    return tuple(lists(row) for row in array)


def _step(web: Web, node: Node, name: str, target: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> Ref:
    web.insert(Node(name, target, arguments, (web.trace.batch, *shape), scope=node.scope), before=node.name)
    return Ref(name)


def _waves(web: Web, array: Any, flowing: Ref, node: Node, name: str) -> Ref | None:
    """A map of sines and cosines of each position's place."""
    import numpy as np

    apart = array[0] if array.ndim == _BATCHED_MAP and len(array) == 1 else array
    channels, *size = apart.shape
    if len(size) not in (1, 2, 3) or channels % (2 * len(size)) or apart.dtype.kind != "f":
        return None
    for base in _BASES:
        angles = Turning(tuple(size), channels // (2 * len(size)), base, "turn").angles()
        waves = np.stack([np.sin(angles), np.cos(angles)], -1).reshape(*size, channels)
        if abs(np.moveaxis(waves, -1, 0) - apart).max() <= _CLOSE:
            arguments = {"self": flowing, "channels": channels, "size": tuple(size), "base": base}
            if apart is array:
                return _step(web, node, name, "sine_pos", arguments, apart.shape)
            made = _step(web, node, f"{name}.waves", "sine_pos", arguments, apart.shape)
            return _step(web, node, name, "reshape", {"self": made}, array.shape)
    return None


def _by_offset(web: Web, array: Any, flowing: Ref, node: Node, name: str) -> Ref | None:
    """A few numbers for each pair of positions of a square window, alike where they lie alike from each other."""
    import numpy as np

    columns = array.shape[-1]
    pairs = prod(array.shape[:-1])
    side = isqrt(isqrt(pairs))
    if array.ndim < 2 or columns > _MOST_COLUMNS or side**4 != pairs or side < 2 or array.dtype.kind != "f":
        return None
    places = offsets(side, "swin", 1)(np).reshape(-1)
    wide = 2 * side - 1
    numbers = np.zeros((wide * wide, columns), array.dtype)
    numbers[places] = array.reshape(pairs, columns)
    if not np.array_equal(numbers[places], array.reshape(pairs, columns)):
        return None
    grid = numbers.reshape(wide, wide, columns)
    said = _step(web, node, f"{name}.numbers", "const", {"self": flowing, "values": lists(grid)}, grid.shape)
    rows = _step(web, node, f"{name}.rows", "reshape", {"self": said}, numbers.shape)
    arguments = {"self": rows, "size": side, "index": "swin", "stride": 1}
    picked = _step(web, node, f"{name}.picked", "rel_pos_index", arguments, (columns, side**2, side**2))
    turned = _step(web, node, f"{name}.turned", "permute", {"self": picked, "axes": (1, 2, 0)}, (side**2, side**2, columns))  # fmt: skip
    return _step(web, node, name, "reshape", {"self": turned}, array.shape)
