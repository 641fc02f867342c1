"""A quantised network on real numbers, which are rounded where it has whole ones: what can be learnt, and what is exported."""

from __future__ import annotations

from typing import Any

from cnndsl.backends.pytorch.library import nn
from cnndsl.backends.tvm.plan.quantized import QuantizedGroup, rounded_tensors
from cnndsl.backends.tvm.program.steps import Program
from cnndsl.calibration.layer import StepLayer, layer
from cnndsl.calibration.product import product
from cnndsl.calibration.reference import joined


class OnReals(nn.Module):  # type: ignore[misc]
    """Takes batched inputs in the order of the program's, and gives one tensor for one output, else a dict by names."""

    def __init__(self, program: Program, groups: tuple[QuantizedGroup, ...]) -> None:
        super().__init__()
        self.program = program
        self.groups = groups
        self.rounded = rounded_tensors(program, groups)
        """The tensors that are rounded, in order."""
        self._layers = layers_of(groups)

    def entered(self, name: str, value: Any) -> Any:
        """A tensor as those that read it find it: rounded, where it is one of `rounded`."""
        raise NotImplementedError

    def factors(self, group: QuantizedGroup) -> tuple[Any, Any]:
        """The weight and the bias of a group of kind product, as real numbers."""
        raise NotImplementedError

    def forward(self, *tensors: Any) -> Any:
        values = {name: self.entered(name, x) for name, x in zip(self.program.inputs, tensors, strict=True)}
        for group, layers in zip(self.groups, self._layers, strict=True):
            given = [values[name] for name in group.group.inputs]
            values[group.name] = self.entered(group.name, self._computed(group, layers, given))
        found = {name: values[step] for name, step in self.program.outputs.items()}
        return next(iter(found.values())) if len(found) == 1 else found

    def _computed(self, group: QuantizedGroup, layers: list[StepLayer], given: list[Any]) -> Any:
        residuals = given[len(given) - len(group.group.residuals) :]
        if group.group.route is not None:
            value = joined(group.group.route)(*given)
        elif group.kind == "product":
            value = product(group.group.anchor, given[0], *self.factors(group))
        else:
            value = layers[0](*given)
        for step, compute in zip(group.group.tail, layers[1:], strict=True):
            value = compute(value, residuals.pop(0)) if step.op.combines == "add" else compute(value)
        return value


def layers_of(groups: tuple[QuantizedGroup, ...]) -> list[list[StepLayer]]:
    """The layers of each group; the first is computed otherwise where it has products or moves channels."""
    return [[layer(step) for step in (group.group.anchor, *group.group.tail)] for group in groups]
