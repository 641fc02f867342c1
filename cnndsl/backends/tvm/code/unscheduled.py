"""A schedule for whatever has no kernel of its own: parallel outside, vectors inside."""

from __future__ import annotations

from typing import Any

from cnndsl.backends.tvm.kernels.choices import UNTUNED, Choices
from cnndsl.backends.tvm.library import load_tvm


def schedule_rest(module: Any, lanes: int, choices: Choices = UNTUNED) -> Any:
    """The module in which every function that had no schedule has the one that tuning found, or a simple one."""
    tvm = load_tvm()
    for variable, function in unscheduled(module):
        module.update_func(variable, choices.schedule(function) or _scheduled(tvm, function, lanes))
    return module


def unscheduled(module: Any) -> list[tuple[Any, Any]]:
    """The functions that have no kernel, each with its variable."""
    tvm = load_tvm()
    return [
        (variable, function)
        for variable, function in module.functions_items()
        if isinstance(function, tvm.tirx.PrimFunc) and "tirx.is_scheduled" not in (function.attrs or {})
    ]


def _scheduled(tvm: Any, function: Any, lanes: int) -> Any:
    schedule = tvm.s_tir.Schedule(function)
    try:
        blocks = schedule.get_child_blocks(schedule.get_sblock("root"))
    except (tvm.s_tir.ScheduleError, tvm.error.InternalError):
        # Loops of another form, such as a sort's: right as they are, only slower.
        return function
    for block in blocks[:-1]:
        _inline(tvm, schedule, block)
    for name in [schedule.get(block).name_hint for block in schedule.get_child_blocks(schedule.get_sblock("root"))]:
        schedule = _block_spread(tvm, schedule, name, lanes)
    return schedule.mod["main"]


def _block_spread(tvm: Any, schedule: Any, name: str, lanes: int) -> Any:
    """The schedule after the best that is possible for a block: threads and vectors, threads alone, nothing."""
    for attempt in (_spread, _outside):
        copy = schedule.copy()
        try:
            attempt(copy, copy.get_sblock(name), lanes)
        except (tvm.s_tir.ScheduleError, tvm.error.InternalError):
            continue
        return copy
    return schedule


def _kinds(schedule: Any, block: Any) -> str:
    """`S` for each spatial axis of the block and `R` for each reduced one."""
    return "".join("R" if axis.iter_type == 2 else "S" for axis in schedule.get(block).iter_vars)


def _inline(tvm: Any, schedule: Any, block: Any) -> None:
    """Writes a block's expression into those that read it, unless a reduction would compute it again and again."""
    if "R" in _kinds(schedule, block) or any(
        "R" in _kinds(schedule, reader) for reader in schedule.get_consumers(block)
    ):
        return
    try:
        schedule.compute_inline(block)
    except tvm.s_tir.ScheduleError:
        return


def _spread(schedule: Any, block: Any, lanes: int) -> None:
    loops, kinds = schedule.get_loops(block), _kinds(schedule, block)
    if len(loops) != len(kinds) or "S" not in kinds:
        _outside(schedule, block, lanes)
        return
    spatial = [loop for loop, kind in zip(loops, kinds, strict=True) if kind == "S"]
    reduced = [loop for loop, kind in zip(loops, kinds, strict=True) if kind == "R"]
    if not reduced:
        # The innermost loop is left to LLVM, which makes vectors of it where memory allows.
        schedule.parallel(schedule.fuse(*spatial[:-1]) if len(spatial) > 1 else spatial[0])
        return
    extent = int(schedule.get(spatial[-1]).extent)
    width = max(d for d in range(1, 4 * lanes + 1) if extent % d == 0)
    outer, inner = schedule.split(spatial[-1], [None, width])
    schedule.reorder(*spatial[:-1], outer, *reduced, inner)
    written = schedule.cache_write(block, 0, "global")
    task = schedule.fuse(*spatial[:-1], outer)
    schedule.reverse_compute_at(written, task)
    schedule.parallel(task)
    schedule.vectorize(inner)
    schedule.decompose_reduction(block, reduced[0])


def _outside(schedule: Any, block: Any, _lanes: int) -> None:
    """The first loop of more than one turn in parallel."""
    loops = [loop for loop in schedule.get_loops(block) if int(schedule.get(loop).extent) > 1]
    if loops:
        schedule.parallel(loops[0])
