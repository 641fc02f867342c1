"""Layers that have no kernel, each step by its plain form."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.forms import KernelCall, TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.ir.graph import weight_key


def emit_plain_form(main: MainFunction, group: Group) -> bool:
    """Always True: `refuse_unlowered` has seen, before anything is emitted, that every layer has a plain form."""
    for step in (*group.before, group.anchor, *group.tail):
        if step.name in main.values:
            continue
        weights = {slot: main.constant(weight_key(step.name, slot), array) for slot, array in step.weights.items()}
        values = tuple(main.plain(name) for name in step.inputs)
        y = main.builder.emit(step.op.to_relax(load_tvm().relax, step.xs, values, weights))
        main.values[step.name] = TensorForms(step.type, plain=y)
    main.calls.append(KernelCall(None, None, group))
    return True
