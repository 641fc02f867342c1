"""Everything else: each step by its own plain form."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.assembly import Assembly, Call, Value
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.ir.graph import weight_key


def emit_generic(a: Assembly, group: Group) -> bool:
    """Always True: that every op has a plain form was seen before anything was emitted."""
    for step in (*group.before, group.anchor, *group.tail):
        if step.name in a.values:
            continue
        weights = {slot: a.constant(weight_key(step.name, slot), array) for slot, array in step.weights.items()}
        values = tuple(a.plain(name) for name in step.inputs)
        y = a.builder.emit(step.op.to_relax(load_tvm().relax, step.xs, values, weights))
        a.values[step.name] = Value(step.type, plain=y)
    a.calls.append(Call(None, None, group))
    return True
