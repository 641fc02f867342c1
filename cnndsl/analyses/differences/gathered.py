"""Many changes of one kind told as one: sixteen `layer*.*.conv2` that are grouped now, seventeen blocks that came."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from cnndsl.analyses.differences.document import ArgumentDifference, Difference, Kind, LayerDifference

MOST_VALUES = 3
"""Values of an argument that are written out one by one."""
LONG_NUMBER = 9
"""Characters of a number from which it is rounded."""
MOST_CHAIN = 4
"""Layers that are written out one by one."""


@dataclass(frozen=True)
class Change:
    """One line of an account: what happened to which layers."""

    kinds: tuple[Kind, ...]
    what: str
    """The layers: a name, or a pattern with `*` for several."""
    layers: tuple[LayerDifference, ...]
    words: str
    """What happened, in words."""

    @property
    def params(self) -> int:
        """By how much the parameters grew."""
        return sum(layer.new_params - layer.old_params for layer in self.layers)

    @property
    def macs(self) -> int:
        """By how much the multiply-adds grew."""
        return sum(layer.new_macs - layer.old_macs for layer in self.layers)


def changes(difference: Difference) -> list[Change]:
    """The changes in order, alike ones together; layers that only take other shapes are left out."""
    groups: dict[object, list[LayerDifference]] = {}
    chain, before = 0, None
    for layer in difference.layers:
        if layer.kinds == ("resized",):
            continue
        chain += not _continues(before, layer)
        before = layer
        groups.setdefault(_alike(layer, chain), []).append(layer)
    return [_change(group) for group in groups.values()]


def resized(difference: Difference) -> list[LayerDifference]:
    """The layers that are the same and take or give other shapes."""
    return [layer for layer in difference.layers if layer.kinds == ("resized",)]


def pattern(name: str) -> str:
    """A dotted name with `*` for the numbers of rounds: `layer*.*.conv1`. The number of a label at its end stays."""
    scope, _, label = name.rpartition(".")
    return ".".join(filter(None, (re.sub(r"\d+", "*", scope), "*" if label.isdigit() else label)))


def _continues(before: LayerDifference | None, layer: LayerDifference) -> bool:
    """Whether a layer that came or went reads the one told before it, which came or went, too."""
    if before is None or before.kinds != layer.kinds or layer.kinds not in (("added",), ("removed",)):
        return False
    return (before.new or before.old,) == _after(layer) and before.scope == layer.scope


def _alike(layer: LayerDifference, chain: int) -> object:
    kinds = _told(layer)
    if layer.old is None or layer.new is None:
        return kinds, _block_pattern(layer.scope) if layer.scope else chain
    if kinds == ("renamed",):
        return kinds, _renaming(layer)
    if "rewired" in kinds or "moved" in kinds:
        return kinds, layer.old
    words = None if layer.arguments else (_word(layer.old_op), _word(layer.new_op))
    others = tuple((a.name, a.old, a.new) for a in layer.arguments if not _numbers(a))
    return kinds, pattern(layer.old), tuple(a.name for a in layer.arguments), others, words


def _told(layer: LayerDifference) -> tuple[Kind, ...]:
    return tuple(kind for kind in layer.kinds if kind != "resized")


def _block_pattern(scope: str) -> str:
    return re.sub(r"\d+", "*", scope)


def _renaming(layer: LayerDifference) -> tuple[str, str]:
    """The scope that has another name: of `a.b.conv` and `c.b.conv`, `a` and `c`; of `conv` and `a.conv`, nothing and `a`."""
    old, new = (layer.old or "").split("."), (layer.new or "").split(".")
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    if old and new and len((layer.old or "").split(".")) == len(old):
        return layer.old or "", layer.new or ""
    return ".".join(old), ".".join(new)


def _change(group: list[LayerDifference]) -> Change:
    first = group[0]
    kinds = _told(first)
    if first.old is None or first.new is None:
        return Change(kinds, *_came(group))
    if kinds == ("renamed",):
        return Change(kinds, *_renamed(group))
    what = first.old if len(group) == 1 else pattern(first.old)
    return Change(kinds, what, tuple(group), "; ".join(_happened(kind, group) for kind in kinds))


def _renamed(group: list[LayerDifference]) -> tuple[str, tuple[LayerDifference, ...], str]:
    first = group[0]
    old, new = _renaming(first)
    if len(group) == 1:
        return first.old or "", tuple(group), f"is now called {first.new}"
    count = f"{len(group)} layers"
    if not old:
        return "*", tuple(group), f"{count} lie now in {new}"
    if not new:
        return f"{old}.*", tuple(group), f"{count} lie no longer in {old}"
    return f"{old}.*", tuple(group), f"{count} are now called {new}.*"


def _happened(kind: Kind, group: Sequence[LayerDifference]) -> str:
    first = group[0]
    count = f"{len(group)} layers, " if len(group) > 1 else ""
    if kind == "renamed":
        return f"is now called {first.new}" if len(group) == 1 else f"{count}now called {pattern(first.new or '')}"
    if kind == "moved":
        return f"{first.new_op} moved: now after {_listed(first.new_after)}, was after {_listed(first.old_after)}"
    if kind == "rewired":
        return f"reads {_listed(first.new_after)} instead of {_listed(first.old_after)}"
    if not first.arguments:
        return f"{count}{_common(x.old_op for x in group)} became {_common(x.new_op for x in group)}"
    words = {_word(layer.old_op) for layer in group}
    window = any(a.name == "window" for a in first.arguments)
    word = "" if window or len(words) > 1 else f"{words.pop()}: "
    return f"{count}{word}" + ", ".join(
        _argument([layer.arguments[index] for layer in group]) for index in range(len(first.arguments))
    )


def _word(op: str | None) -> str:
    return re.split(r"[({]", op or "")[0]


def _argument(values: Sequence[ArgumentDifference]) -> str:
    """`channels 64 → 96`, and of several layers `channels ×2 (64 → 128 … 512 → 1024)`."""
    name = values[0].name
    shown = list(dict.fromkeys(_step(a) for a in values))
    if len(shown) == 1:
        return f"{name} {shown[0]}"
    listed = ", ".join(shown) if len(shown) <= MOST_VALUES else f"{shown[0]} … {shown[-1]}"
    if all(map(_numbers, values)):
        ratios = {float(a.new) / float(a.old) for a in values if float(a.old)}
        if len(ratios) == 1:
            return f"{name} ×{ratios.pop():g} ({listed})"
    return f"{name} {listed}"


def _step(argument: ArgumentDifference) -> str:
    """`64 → 96`; long fractions with six digits, where these tell them apart."""
    values = (argument.old, argument.new)
    if _numbers(argument) and max(map(len, values)) > LONG_NUMBER:
        rounded = (f"{float(argument.old):.6g}", f"{float(argument.new):.6g}")
        values = rounded if rounded[0] != rounded[1] else values
    return " → ".join(values)


def _numbers(argument: ArgumentDifference) -> bool:
    return all(re.fullmatch(r"\d+(?:\.\d+)?", value) for value in (argument.old, argument.new))


def _came(group: Sequence[LayerDifference]) -> tuple[str, tuple[LayerDifference, ...], str]:
    """Layers that were added or removed: what they are called, and what they are."""
    first, last = group[0], group[-1]
    ops = [str(layer.new_op if layer.old is None else layer.old_op) for layer in group]
    chain = " → ".join(ops) if len(ops) <= MOST_CHAIN else f"{len(ops)} layers"
    where = f"after {_listed(_after(first))}"
    scopes = [scope for scope, _ in groupby(layer.scope for layer in group)]
    if first.scope is None:
        names = dict.fromkeys(str(layer.new or layer.old) for layer in (first, last))
        return " … ".join(names), tuple(group), f"{chain}, {where}"
    if len(scopes) == 1:
        return first.scope, tuple(group), f"{chain}, {where}"
    each, rest = divmod(len(group), len(scopes))
    count = f"{len(scopes)} blocks of {each} layers" if not rest else f"{len(scopes)} blocks, {len(group)} layers"
    return f"{scopes[0]} … {scopes[-1]}", tuple(group), count


def _after(layer: LayerDifference) -> tuple[str, ...]:
    return layer.new_after or layer.old_after


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "nothing"


def _common(texts: Iterable[str | None]) -> str:
    """What several layers are written as: all of it where it is the same, else the word alone."""
    every = list(dict.fromkeys(map(str, texts)))
    return every[0] if len(every) == 1 else _word(every[0])
