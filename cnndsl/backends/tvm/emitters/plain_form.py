"""Layers that have no kernel, each step by its plain form."""

from __future__ import annotations

from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.ir.graph import weight_key


def emit_plain_form(main: MainFunction, group: Group) -> bool:
    """Always True: `refuse_unlowered` has seen, before anything is emitted, that every layer has a plain form."""
    for step in (*group.before, group.anchor, *group.tail):
        if step.name in main.values:
            continue
        weights = {slot: main.constant(weight_key(step.name, slot), array) for slot, array in step.weights.items()}
        values = [main.plain(name) for name in step.inputs]
        main.values[step.name] = TensorForms(step.type, plain=main.plain_form(step, values, weights))
    main.note_untaken(group)
    return True
