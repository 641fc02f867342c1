"""Concatenation, shuffles and slices of channels, over packed maps."""

from __future__ import annotations

from typing import Any

from cnndsl.backends.tvm.emitters.assembly import Assembly, Value
from cnndsl.backends.tvm.kernels.move import Joined, Move
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.plan.joins import Slot, grain
from cnndsl.backends.tvm.plan.routes import Route
from cnndsl.ir.tensor import TensorType


def emit_route(a: Assembly, group: Group) -> bool:
    """False where nothing that moves has been packed."""
    route = group.route
    if route is None or all(a.values[name].packed is None for name in route.sources):
        return False
    parts = route.parts(grain(group.last.type, a.lanes)) if a.slices else None
    chunk = route.first_chunk(a.lanes) if a.slices and len(route.sources) == 1 else None
    if parts is not None and len(parts) > 1:
        _join(a, group, route, parts)
    elif chunk is not None and group.last.name not in a.joins.slots:
        view = a.view(a.packed(route.sources[0]), chunk, group.last.type)
        a.values[group.last.name] = Value(group.last.type, packed=view)
    else:
        sources = [a.packed(name) for name in route.sources]
        a.give(group, _move(a, group.last.type, route.widths, route.channels), sources)
    return True


def _join(a: Assembly, group: Group, route: Route, parts: tuple[int, ...]) -> None:
    """Parts that were not computed in place are copied to it."""
    name, type = group.last.name, group.last.type
    slot = a.slot(name) or Slot(name, 0)
    written: list[Any] = []
    chunk = slot.chunk
    for part in parts:
        source, width = route.sources[part], route.widths[part]
        value, there = a.values[source], Slot(slot.join, chunk)
        if value.slot == there:
            written.append(value.packed)
        else:
            kernel = _move(a, value.type, (width,), tuple((0, channel) for channel in range(width)))
            into = a.memory(there, value.type)
            written.append(a.call(kernel, [a.packed(source)], a.packed_shape(value.type), into))
        chunk += a.chunks(width)
    shapes = tuple(a.packed_shape(a.values[route.sources[part]].type) for part in parts)
    done = a.note(Joined(a.packed_shape(type), shapes), a.memory(slot, type), written)
    a.values[name] = Value(type, packed=done, slot=slot)


def _move(a: Assembly, type: TensorType, widths: tuple[int, ...], channels: tuple[tuple[int, int], ...]) -> Move:
    chunks = tuple(a.chunks(width) for width in widths)
    return Move(a.batch, type.size, a.lanes, chunks, channels, vectors=a.cpu.kind == "llvm")
