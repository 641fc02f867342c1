"""Constants that are one number, and inputs brought to the mean and deviation of a data set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnndsl.importing.trace import Node, Ref
from cnndsl.importing.web import Web, common

TARGETS = ("add", "sub", "mul", "div", "pow", "clamp", "maximum", "minimum")
_MOST_CHANNELS = 16


def rewrite(web: Web, node: Node) -> Node | None:
    """The operation with plain numbers for its constants; a difference and a quotient of constants as `normalize`."""
    found = {
        name: number
        for name, value in node.arguments.items()
        if isinstance(value, Ref) and (number := _number(web, value)) is not None
    }
    if found:
        node = replace(node, arguments=_ordered(node.target, {**node.arguments, **found}))
    if node.target == "div" and (normal := _normalize(web, node)) is not None:
        return normal
    return node if found else None


def _ordered(target: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """A sum or product with the number behind."""
    if target in ("add", "mul") and not isinstance(arguments["self"], Ref) and isinstance(arguments["other"], Ref):
        return {**arguments, "self": arguments["other"], "other": arguments["self"]}
    return arguments


def _number(web: Web, value: Ref) -> float | int | None:
    array = web.constant(value)
    if array is None or array.size == 0 or array.size > 2**20 or not (array == array.flat[0]).all():
        return None
    number = array.flat[0].item()
    return number if isinstance(number, int | float) and not isinstance(number, bool) else None


def _normalize(web: Web, node: Node) -> Node | None:
    less = web.alone(node.arguments["self"], "sub")
    if less is None:
        return None
    mean, std = (_per_channel(web, n.arguments["other"], node.shape) for n in (less, node))
    if mean is None or std is None or not std:
        return None
    arguments = {"self": less.arguments["self"], "mean": mean, "std": std}
    return replace(node, target="normalize", arguments=arguments, scope=common(less, node))


def _per_channel(web: Web, value: Any, shape: tuple[int, ...]) -> float | tuple[float, ...] | None:
    """A number, or one for each channel, as short as float32 allows."""
    if isinstance(value, int | float):
        return float(value)
    array = web.constant(value)
    if (
        array is None
        or array.size != shape[1]
        or array.size > _MOST_CHANNELS
        or array.shape[-(len(shape) - 1)] != array.size
    ):
        return None
    return tuple(float(str(number)) for number in array.reshape(-1))
