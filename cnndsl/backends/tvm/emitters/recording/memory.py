"""Where tensors lie in memory that a package has for all that is neither given nor wanted: each for as long as it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnndsl.backends.tvm.emitters.recording.instructions import (
    Allocated,
    Call,
    Main,
    Noted,
    PlainForm,
    Reshaped,
    Untaken,
    Value,
    View,
)

LINE = 64
"""Bytes of a cache line: every array starts at a multiple of it."""


@dataclass
class Room:
    """Memory of so many bytes that is in use from its `first` call to its `last`, both included, and begins at byte `at`."""

    size: int
    first: int = -1
    last: int = -1
    at: int = 0

    def use(self, call: int) -> None:
        """A call reads or writes it."""
        self.first = call if self.first < 0 else self.first
        self.last = call


def place(rooms: Sequence[Room]) -> int:
    """Gives each its place, such that no two that are in use at the same time overlap, and returns the bytes of all: the largest
    first, each in the smallest gap that holds it."""
    done: list[Room] = []
    whole = 0
    for room in sorted(rooms, key=lambda r: (-r.size, r.first)):
        size = -(-room.size // LINE) * LINE
        taken = sorted(
            (other.at, other.at + -(-other.size // LINE) * LINE)
            for other in done
            if other.first <= room.last and room.first <= other.last
        )
        best, gap, end = -1, 0, 0
        for start, stop in taken:
            if start - end >= size and (best < 0 or start - end < gap):
                best, gap = end, start - end
            end = max(end, stop)
        room.at = end if best < 0 else best
        whole = max(whole, room.at + size)
        done.append(room)
    return whole


def room_of(main: Main) -> int | None:
    """Bytes of that memory for a network; None where TVM computes a layer in a way of its own, whose intermediates only compiling
    tells."""
    lies: dict[Value, tuple[Room, int]] = {}
    given = {*main.inputs.values(), *(constant.value for constant in main.constants)}
    calls = 0

    def used(*values: Value) -> None:
        for value in values:
            if value in lies:
                lies[value][0].use(calls)

    for made in main.instructions:
        if isinstance(made, PlainForm):
            return None
        if isinstance(made, Untaken):
            continue
        if isinstance(made, Allocated):
            lies[made.made] = Room(made.made.nbytes), 0
        elif isinstance(made, View | Reshaped):
            if made.source in lies:
                room, offset = lies[made.source]
                lies[made.made] = room, offset + (made.start if isinstance(made, View) else 0)
        else:
            if isinstance(made, Noted):
                lies[made.made] = lies[made.memory]
                used(made.memory, *made.written)
            else:
                into = made.into if isinstance(made, Call) else None
                lies[made.made] = lies[into] if into is not None else (Room(made.made.nbytes), 0)
                used(*(made.arguments if isinstance(made, Call) else (made.source,)), made.made)
            calls += 1
    wanted: list[Room] = []
    for value in main.outputs:
        if value in given or value not in lies:
            continue
        room, offset = lies[value]
        # What is computed where it belongs takes no room.
        if offset == 0 and room.size == value.nbytes and room.first >= 0 and not any(room is one for one in wanted):
            wanted.append(room)
        else:
            room.last = calls
    rooms = {id(room): room for room, _ in lies.values()}
    return place([room for room in rooms.values() if not any(room is one for one in wanted) and room.first >= 0])
