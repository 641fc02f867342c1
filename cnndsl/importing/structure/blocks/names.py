"""What a block's parameters are called: by their role in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cnndsl.importing.structure.blocks.solve import Solver
from cnndsl.importing.structure.blocks.vectors import Slot
from cnndsl.passes.values.functions import FUNCTIONS
from cnndsl.syntax.vocabulary import RESERVED

_FACTORS = (1, 2, 3, 4, 5, 6, 8)
_SQUEEZE = re.compile(r"fc1|squeeze|reduce|se\b")
_PLAIN = {"stride", "window", "groups", "dilation", "count", "act", "conv", "norm", "layer", "eps", "bias", "pad"}


def name_slots(solver: Solver) -> list[str]:
    """A name for each parameter, in their order."""
    names: list[str] = [""] * len(solver.slots)
    taken: set[str] = set()
    widths = [n for n, slot in enumerate(solver.slots) if slot.role in ("channels", "units")]
    out = _output(solver, widths)
    if out is not None:
        names[out] = _free("channels", taken)
    rest = [n for n in widths if n != out]
    hints = {n: _width(solver, solver.slots[n], len(rest)) for n in rest}
    for n in rest:
        names[n] = _free(_in_turn(solver, n, hints), taken)
    others = {n: _other(slot) for n, slot in enumerate(solver.slots) if not names[n]}
    for n, name in others.items():
        same = [m for m, other in others.items() if other == name]
        # Several of one role are numbered in their order, the first of them too.
        turn = f"{name}{'_' * name[-1].isdigit()}{same.index(n) + 1}" if len(same) > 1 else name
        names[n] = _free(turn, taken)
    return names


def _in_turn(solver: Solver, n: int, hints: Mapping[int, str]) -> str:
    """The name of one of several widths with one hint, as those of a branch are: the last has it by itself, and one before it
    that is never wider is `…_reduced`."""
    last = max(m for m, hint in hints.items() if hint == hints[n])
    if n == last or hints[n] in ("squeezed", "expanded", "middle"):
        return hints[n]
    pairs = zip(solver.slots[n].values, solver.slots[last].values, strict=True)
    narrow = all(a <= b for a, b in pairs if a is not None and b is not None)
    return f"{hints[n]}_{'reduced' if narrow else 'inner'}"


def _output(solver: Solver, widths: list[int]) -> int | None:
    """The parameter that says the block's output channels, alone or times a number."""
    for factor in _FACTORS:
        for n in reversed(widths) if factor == 1 else widths:
            values = solver.slots[n].values
            pairs = [(v, out) for v, out in zip(values, solver.leaving, strict=True) if v is not None]
            if pairs and all(v * factor == out for v, out in pairs):
                return n
    alone = len(widths) == 1 and not _SQUEEZE.search(solver.slots[widths[0]].hint)
    return widths[0] if alone else None


def _width(solver: Solver, slot: Slot, count: int) -> str:
    if count > 2 and (label := _snake(slot.hint)):
        return label
    pairs = [(v, e) for v, e in zip(slot.values, solver.entering, strict=True) if v is not None and e is not None]
    wider = sum(v > e for v, e in pairs)
    if _SQUEEZE.search(slot.hint):
        return "squeezed"
    return "expanded" if wider * 2 > len(pairs) else "middle"


def _other(slot: Slot) -> str:
    if slot.role == "bool" and re.match(r"(?i)se$|squeeze_?exc|se_?module", slot.hint):
        return "gated"
    if slot.role == "bool":
        return _snake(slot.hint) or "with_part"
    if slot.role == "p":
        return "drop"
    return slot.role if slot.role in _PLAIN or slot.role.isidentifier() else "value"


def _snake(label: str) -> str:
    """`SqueezeExcitation` and `branch2.0` as names."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", label)
    text = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()
    return text if text and not text[0].isdigit() else ""


def _free(name: str, taken: set[str]) -> str:
    wanted, count = name, 2
    while wanted in taken or wanted in RESERVED or wanted in FUNCTIONS:
        wanted, count = f"{name}_{count}", count + 1
    taken.add(wanted)
    return wanted
