"""Which results are computed where they will lie in a concatenation, as slices of its memory.

At batch 1 whole chunks of channels are neighbours in memory: a concatenation is then no work at all, and the growing
maps of a dense block are one buffer. Parts begin at a whole cache line: a view of memory that begins elsewhere is a
copy in TVM, and what a kernel writes into a copy would be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import gcd, prod

from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.ir.tensor import TensorType

_LINE = 16
"""Numbers of float32 that TVM's memory is aligned to."""


@dataclass(frozen=True)
class Slot:
    """Chunks of a concatenation, from `chunk` on."""

    join: str
    chunk: int


@dataclass(frozen=True)
class Joins:
    """Which results lie in which concatenation; a concatenation may itself lie in a larger one."""

    slots: dict[str, Slot] = field(default_factory=dict)
    types: dict[str, TensorType] = field(default_factory=dict)

    def place(self, name: str) -> Slot | None:
        """The slot in the outermost concatenation; None for what has its own memory."""
        slot = self.slots.get(name)
        while slot is not None and (outer := self.slots.get(slot.join)) is not None:
            slot = Slot(outer.join, outer.chunk + slot.chunk)
        return slot

    def describe(self) -> list[str]:
        """A line for each result that is computed in place."""
        return [f"{name} in {slot.join} from chunk {slot.chunk}" for name in self.slots if (slot := self.place(name))]


def grain(type: TensorType, lanes: int, width: int | None = None) -> int:
    """The fewest channels that are both whole chunks and whole cache lines, where a chunk at one position has `lanes`
    channels and takes as much memory as `width` numbers of float32, by default one for each channel."""
    return lanes * (_LINE // gcd(_LINE, (width or lanes) * prod(type.size)))


def find_joins(groups: Sequence[Group], lanes: int, width: int | None = None) -> Joins:
    """Concatenations choose their parts in turn, later ones first: they are the larger ones. A result is computed in
    one place; a second concatenation that has it as a part copies it. `width` is that of `grain`."""
    made = {group.last.name for group in groups}
    joins = Joins()
    for group in reversed(groups):
        parts = group.route.parts(grain(group.last.type, lanes, width)) if group.route else None
        if group.route is None or parts is None or len(parts) < 2:
            continue
        joins.types[group.last.name] = group.last.type
        chunk = 0
        for part in parts:
            name = group.route.sources[part]
            if name in made and name not in joins.slots:
                joins.slots[name] = Slot(group.last.name, chunk)
            chunk += -(-group.route.widths[part] // lanes)
    return joins
