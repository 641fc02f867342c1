"""The figures of two networks side by side."""

from __future__ import annotations

from typing import NamedTuple

from cnndsl.analyses.differences.document import Difference
from cnndsl.analyses.table import sight
from cnndsl.ir.written import in_bytes, in_time


class Figure(NamedTuple):
    """One figure before and after; `change` is empty where it is the same."""

    name: str
    old: str
    new: str
    change: str


def figures(difference: Difference) -> list[Figure]:
    """The figures that `summary` tells of the whole network, each before and after."""
    old, new = difference.old, difference.new
    a, b = old.totals, new.totals
    counted = [
        ("parameters", a.params, b.params),
        ("buffers", a.buffers, b.buffers),
        ("MACs", a.macs, b.macs),
        ("FLOPs", a.flops, b.flops),
        ("activations", a.activations, b.activations),
        ("depth", a.depth, b.depth),
    ]
    found = [Figure(name, f"{x:,}", f"{y:,}", _change(x, y)) for name, x, y in counted]
    for name, x, y in (
        ("memory in inference", a.peak_memory_bytes.inference, b.peak_memory_bytes.inference),
        ("memory in training", a.peak_memory_bytes.training, b.peak_memory_bytes.training),
    ):
        found.append(Figure(name, in_bytes(x), in_bytes(y), _change(x, y)))
    if old.latency is not None and new.latency is not None:
        before, after = old.latency.seconds, new.latency.seconds
        change = "" if in_time(before) == in_time(after) else _change(before, after)
        found.append(Figure("latency", in_time(before), in_time(after), change))
    seen, sees = sight(old.receptive_field), sight(new.receptive_field)
    return [*found, Figure("receptive field", seen, sees, "" if seen == sees else "another")]


def _change(old: float, new: float) -> str:
    if old == new:
        return ""
    if not old:
        return f"+{new:,}"
    if new >= 2 * old:
        return f"×{new / old:.3g}"
    share = 100 * (new - old) / old
    return f"{share:+.2g} %" if abs(share) < 10 else f"{share:+.0f} %"
