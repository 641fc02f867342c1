"""Concatenation, shuffles and slices of channels, over packed maps."""

from __future__ import annotations

from typing import Any

from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.kernels.move import Joined, Move
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.plan.joins import Slot, grain
from cnndsl.backends.tvm.plan.routes import Route
from cnndsl.ir.tensor import TensorType


def emit_route(main: MainFunction, group: Group) -> bool:
    """False where none of the sources has been packed: moving plain channels is left to the plain form."""
    route = group.route
    if route is None or all(main.values[name].packed is None for name in route.sources):
        return False
    parts = route.parts(grain(group.last.type, main.lanes)) if main.slices else None
    chunk = route.first_chunk(main.lanes) if main.slices and len(route.sources) == 1 else None
    if parts is not None and group.last.name in main.joins.types:
        _join(main, group, route, parts)
    elif chunk is not None and group.last.name not in main.joins.slots:
        view = main.view(main.packed(route.sources[0]), chunk, group.last.type)
        main.values[group.last.name] = TensorForms(group.last.type, packed=view)
    else:
        sources = [main.packed(name) for name in route.sources]
        main.give(group, _move(main, group.last.type, route.widths, route.channels), sources)
    return True


def _join(main: MainFunction, group: Group, route: Route, parts: tuple[int, ...]) -> None:
    """A concatenation of whole parts: those that were not computed in their place are copied there."""
    name, type = group.last.name, group.last.type
    slot = main.slot(name) or Slot(name, 0)
    written: list[Any] = []
    chunk = slot.chunk
    for part in parts:
        source, width = route.sources[part], route.widths[part]
        value, there = main.values[source], Slot(slot.join, chunk)
        if value.slot == there:
            written.append(value.packed)
        else:
            kernel = _move(main, value.type, (width,), tuple((0, channel) for channel in range(width)))
            into = main.memory(there, value.type)
            written.append(main.call(kernel, [main.packed(source)], main.packed_shape(value.type), into))
        chunk += main.chunks(width)
    shapes = tuple(main.packed_shape(main.values[route.sources[part]].type) for part in parts)
    done = main.note(Joined(main.packed_shape(type), shapes), main.memory(slot, type), written)
    main.values[name] = TensorForms(type, packed=done, slot=slot)


def _move(main: MainFunction, type: TensorType, widths: tuple[int, ...], channels: tuple[tuple[int, int], ...]) -> Move:
    chunks = tuple(main.chunks(width) for width in widths)
    return Move(main.batch, type.size, main.lanes, chunks, channels, vectors=main.cpu.kind == "llvm")
