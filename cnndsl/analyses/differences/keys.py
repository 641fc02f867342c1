"""Keys of weights in few lines: those of one layer together, and those of alike layers."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.analyses.differences.document import KeyDifference
from cnndsl.analyses.differences.gathered import pattern
from cnndsl.ir.written import sizes

Layer = tuple[str | None, str | None]


def key_lines(found: Sequence[KeyDifference]) -> list[str]:
    """`conv1 → stem: weight, bias`, or `layer*.*.conv1 (16 layers): weight, such as 64×64×1×1 → 128×64×1×1`."""
    layers: dict[Layer, list[KeyDifference]] = {}
    for key in found:
        layers.setdefault((_layer(key.old), _layer(key.new)), []).append(key)
    groups: dict[object, list[Layer]] = {}
    for layer, keys in layers.items():
        named = tuple(None if name is None else pattern(name) for name in layer)
        groups.setdefault((named, tuple(map(_slot, keys))), []).append(layer)
    return [_line(group, layers[group[0]]) for group in groups.values()]


def _line(group: list[Layer], keys: list[KeyDifference]) -> str:
    alone = len(group) == 1
    names = [name if alone else pattern(name) for name in group[0] if name is not None]
    what = " → ".join(dict.fromkeys(names)) + ("" if alone else f" ({len(group)} layers)")
    slots = [_slot(key) for key in keys]
    reshaped = [key for key in keys if key.old_shape and key.new_shape and key.old_shape != key.new_shape]
    if reshaped and alone:
        slots = [f"{_slot(key)} {_shapes(key)}" for key in keys]
    elif reshaped:
        slots[0] += f" ({'such as ' if not alone else ''}{_shapes(reshaped[0])})"
    elif keys[0].old is None or keys[0].new is None:
        slots[0] += f" {_shapes(keys[0])}" if alone else ""
    return f"{what}: {', '.join(slots)}" if any(slots) else f"{what} {_shapes(keys[0])}"


def _shapes(key: KeyDifference) -> str:
    shown = [sizes(shape) or "one number" for shape in (key.old_shape, key.new_shape) if shape is not None]
    return " → ".join(dict.fromkeys(shown))


def _layer(key: str | None) -> str | None:
    return None if key is None else key.rpartition(".")[0] or key


def _slot(key: KeyDifference) -> str:
    return "" if "." not in (key.new or key.old or "") else (key.new or key.old or "").rpartition(".")[2]
