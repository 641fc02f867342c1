"""What makes a kernel tunable: it knows other ways to compute the same.

Kernels are frozen dataclasses. A kernel with `candidates` names equal ones that differ from it in a few fields, such as
the tile that stays in registers. Those fields are its *setting*; its kind and all other fields are its *key*: the
problem.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Protocol, Self, runtime_checkable

Setting = dict[str, Any]
"""Values by field, as JSON has them: lists for tuples."""


@runtime_checkable
class Tunable(Protocol):
    """A kernel that can be computed in several ways, all of them right."""

    def candidates(self) -> tuple[Self, ...]:
        """Kernels that differ in their setting alone, this one first, then those likely to be good."""

    def prim_func(self) -> Any:
        """The scheduled function, with the same arguments for all candidates unless the emitter looks at the
        setting."""


def tunable_fields(kernel: Tunable) -> frozenset[str]:
    """The fields in which candidates differ."""
    first, *others = kernel.candidates()
    return frozenset(
        f.name for f in _fields(kernel) if any(getattr(o, f.name) != getattr(first, f.name) for o in others)
    )


def key(kernel: Tunable) -> str:
    """The problem in one line: kind, and every field that candidates share."""
    tunable = tunable_fields(kernel)
    shared = " ".join(f"{f.name}={getattr(kernel, f.name)!r}" for f in _fields(kernel) if f.name not in tunable)
    return f"{type(kernel).__name__} {shared}"


def settings(kernel: Tunable) -> list[tuple[Setting, Tunable]]:
    """Every candidate with its setting."""
    names = sorted(tunable_fields(kernel))
    return [({name: as_json(getattr(c, name)) for name in names}, c) for c in kernel.candidates()]


def as_json(value: Any) -> Any:
    """The value as it comes back from a JSON file."""
    return [as_json(v) for v in value] if isinstance(value, tuple | list) else value


def _fields(kernel: Any) -> tuple[Any, ...]:
    return fields(kernel)
