"""What `main`, the network's function, does, step by step: calls of kernels, and tensors that are looked at in another shape.

It is written down without TVM and without a number of a weight; `code/relax_main.py` makes Relax of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.program.later import Later
from cnndsl.backends.tvm.program.steps import Step

_BYTES = {"float32": 4, "int32": 4, "int64": 8, "int8": 1, "uint8": 1}


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of `main` as it lies in memory, batch included."""

    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * _BYTES[self.dtype]


@dataclass(frozen=True, eq=False)
class Call:
    """A kernel computes `made` from `arguments`; it writes into the memory of `into`, or where that is None into new memory."""

    kernel: Any
    arguments: tuple[Value, ...]
    made: Value
    into: Value | None = None
    group: Group | None = None
    tuned: str | None = None
    """The key of the kernel's problem, where tuning chose its setting."""


@dataclass(frozen=True, eq=False)
class Noted:
    """A kernel that does nothing hands `memory` on as `made`, once `written` has been written into it."""

    kernel: Any
    memory: Value
    written: tuple[Value, ...]
    made: Value
    group: Group | None = None
    tuned: str | None = None


@dataclass(frozen=True, eq=False)
class Allocated:
    """New memory for `made`, which kernels write piece by piece."""

    made: Value


@dataclass(frozen=True, eq=False)
class View:
    """`made` is the memory of `source` from byte `start` on."""

    source: Value
    start: int
    made: Value


@dataclass(frozen=True, eq=False)
class Reshaped:
    """`made` is the memory of `source` under another shape."""

    source: Value
    made: Value


@dataclass(frozen=True, eq=False)
class Cut:
    """`made` is the first columns of `source`, `(batch, columns)`."""

    source: Value
    made: Value


@dataclass(frozen=True, eq=False)
class Padded:
    """`made` is `source`, `(batch, columns)`, with columns of zeros behind it."""

    source: Value
    made: Value


@dataclass(frozen=True, eq=False)
class PlainForm:
    """TVM computes a step by the op's own form."""

    step: Step
    arguments: tuple[Value, ...]
    weights: Mapping[str, Value]
    made: Value


Instruction = Call | Noted | Allocated | View | Reshaped | Cut | Padded | PlainForm


@dataclass(frozen=True, eq=False)
class Untaken:
    """A group that no kernel computes: TVM does by plain forms, or its result is there already."""

    group: Group


@dataclass(frozen=True, eq=False)
class Constant:
    """A parameter of `main` for which every run passes the same array."""

    name: str
    value: Value
    array: Later


@dataclass(frozen=True, eq=False)
class Main:
    """The network's function."""

    batch: int
    inputs: Mapping[str, Value]
    constants: tuple[Constant, ...]
    """In the order in which `main` takes them, behind the inputs."""
    instructions: tuple[Instruction | Untaken, ...]
    outputs: tuple[Value, ...]

    @property
    def calls(self) -> tuple[Call | Noted, ...]:
        """Its calls of kernels, in order."""
        return tuple(made for made in self.instructions if isinstance(made, Call | Noted))
