"""The tensors and calls of `main`, the network's function, while it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnndsl.backends.tvm.emitters.recording.instructions import Value
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.plan.joins import Slot
from cnndsl.ir.tensor import TensorType


@dataclass
class TensorForms:
    """A tensor in each form that was asked for: plain `(batch, *shape)`, packed, both, or as a
    vector flattened from a packed map."""

    type: TensorType
    plain: Value | None = None
    packed: Value | None = None
    flattened: str | None = None
    """The map whose numbers this vector has, where only the map has been computed."""
    pairs: Value | None = None
    """Packed as pairs of bfloat16 numbers, int32 `(batch, chunks, *size, 8)`; there is then no other form."""
    quads: Value | None = None
    """Whole numbers, int32: of a map `(batch, chunks, *size, lanes // 4)`, of a vector `(batch, numbers / 4 rounded up)`."""
    slot: Slot | None = None
    """Where `packed` lies in the memory of a concatenation; None for memory of its own."""


@dataclass(frozen=True, eq=False)
class KernelCall:
    """One call that `main` makes: of a kernel, by the name of its function in the module; or, where `function` and
    `kernel` are None, of whatever TVM makes of the plain forms of a group's layers."""

    function: str | None
    kernel: Any
    group: Group | None
    """The group that is computed; None for a change of layout before a tensor leaves the network."""
