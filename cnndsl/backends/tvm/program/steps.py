"""What is compiled: steps in order, each a layer with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cnndsl.backends.tvm.program.later import Later
from cnndsl.ir.op import Op, Tensors
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import sizes


@dataclass(frozen=True, eq=False)
class Step:
    """One layer with the values of its weights, by slot, and the types of its inputs and of its result."""

    name: str
    op: Op
    inputs: tuple[str, ...]
    xs: Tensors
    type: TensorType
    weights: Mapping[str, Later]

    def describe(self) -> str:
        """One line: the result, the layer, what it reads, and the sizes of its weights."""
        line = f"{self.name}: {self.type} = {self.op.text()} of {', '.join(self.inputs)}"
        weights = ", ".join(f"{slot} {sizes(array.shape)}".strip() for slot, array in self.weights.items())
        return f"{line}, with {weights}" if weights else line

    @property
    def is_image(self) -> bool:
        """Whether it makes images of images: float32 maps of one, two or three axes, which can be packed."""
        return all(1 <= t.rank <= 3 and t.channel_axis == 0 and t.dtype == "float32" for t in (*self.xs, self.type))

    @property
    def is_pointwise(self) -> bool:
        """Whether each output element follows from the same input element alone."""
        return len(self.inputs) == 1 and self.op.is_pointwise


@dataclass(frozen=True)
class Program:
    """Steps in order, and for each output's name the step (or network input) that gives it."""

    inputs: dict[str, TensorType]
    steps: tuple[Step, ...]
    outputs: dict[str, str]

    def readers(self) -> dict[str, int]:
        """How often each tensor is read, leaving the network included."""
        counts = dict.fromkeys([*self.inputs, *(step.name for step in self.steps)], 0)
        for name in [name for step in self.steps for name in step.inputs] + list(self.outputs.values()):
            counts[name] += 1
        return counts

    def describe(self) -> list[str]:
        """One line for each input, step and output; a step's has its result, its layer, what it reads, and its
        weights."""
        return [
            *(f"{name}: {type} = input" for name, type in self.inputs.items()),
            *(step.describe() for step in self.steps),
            *(f"output {name} = {step}" for name, step in self.outputs.items()),
        ]
