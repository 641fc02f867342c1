"""What a call asks of a machine, as a row of numbers that a coefficient is multiplied with, and by which reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log
from typing import Any, Literal

from cnndsl.backends.tvm.emitters.recording.instructions import (
    Call,
    Cut,
    Instruction,
    Main,
    Noted,
    Padded,
    PlainForm,
    Value,
)
from cnndsl.backends.tvm.kernels.move import Joined
from cnndsl.backends.tvm.kernels.words.demand import Demand
from cnndsl.ops.embedding import Embedding

COLUMNS = ("launch", "call", "work", "second", "tail", "heavy", "memory", "cold", "warm", "near", "far", "scratch")
"""Starts of all threads; one; cycles of multiply-adds; vectors moved beside them; vectors stored; vectors through long
functions; bytes of weights that come from memory, from a cache that all share, and from the cores' own; bytes of maps that fit the cores' own caches, and that do not;
bytes of intermediate numbers."""
Reason = Literal["launch", "arithmetic", "weights", "maps"]
REASONS: Mapping[Reason, tuple[int, ...]] = {
    "launch": (0, 1),
    "arithmetic": (2, 3, 4, 5),
    "weights": (6, 7, 8),
    "maps": (9, 10, 11),
}
"""Columns by what they stand for: why a call takes its time."""
PLAIN = "TVM"
"""The family of what TVM computes by plain forms."""

Row = tuple[float, ...]


@dataclass(frozen=True)
class Caches:
    """Bytes of the cores' own caches together; and how many bytes were written between two uses of weights that were then measured to
    come from a cache that all share (`near`), and from memory (`far`)."""

    own: int
    near: int
    far: int


Shares = tuple[float, float]
"""The parts of weights that come from memory and from the shared cache; the rest is in the cores' own."""
WARM: Shares = (0.0, 0.0)
COLD: Shares = (0.0, 1.0)
REMOTE: Shares = (1.0, 0.0)


@dataclass(frozen=True)
class Asked:
    """One call of a network: who computes it, for which layer, and its features."""

    family: str
    node: str | None
    """The layer; None where a tensor changes its layout on the way out."""
    row: Row


def asked(main: Main, threads: int, caches: Caches) -> tuple[Asked, ...]:
    """The calls of a network in order."""
    constants = {constant.value for constant in main.constants}
    total = sum(constant.value.nbytes for constant in main.constants)
    found_in = shares(total, caches)
    found: list[Asked] = []
    for instruction in main.instructions:
        if isinstance(instruction, Call | Noted | PlainForm | Cut | Padded):
            family, row = _features(instruction, constants, threads, caches, found_in)
            if row is not None:
                found.append(Asked(family, _node(instruction), row))
    return tuple(found)


def shares(total: int, caches: Caches) -> Shares:
    """Where a network finds its weights, of which each run reads `total` bytes: that many lie between two uses of one. What lies
    between the distances that were measured is between them in the logarithm."""
    if total <= caches.own:
        return WARM
    if total <= caches.near:
        # What does not fit is gone by the time it is read again, all of it where it is twice as much.
        return 0.0, min(1.0, log(total / caches.own) / log(2))
    remote = min(1.0, log(total / caches.near) / log(caches.far / caches.near))
    return remote, 1.0 - remote


def row_of(kernel: Any, weights: int, maps: int, threads: int, caches: Caches, found_in: Shares) -> tuple[str, Row]:
    """The family and the features of a call of a kernel on so many bytes of weights and of maps."""
    demand = demand_of(kernel, threads)
    near = min(maps, caches.own)
    row = (
        float(demand.regions),
        1.0,
        demand.work,
        demand.second,
        demand.tail,
        demand.heavy,
        *_weights(weights, found_in, caches),
        float(near),
        float(maps - near),
        demand.scratch,
    )
    return demand.family, row


def _weights(weights: int, found_in: Shares, caches: Caches) -> tuple[float, float, float]:
    """Bytes from memory, the shared cache and the own ones: what does not fit these is not there when it is read again."""
    remote = weights * found_in[0]
    cold = max(weights * found_in[1], weights - caches.own - remote, 0.0)
    return remote, cold, weights - remote - cold


def demand_of(kernel: Any, threads: int) -> Demand:
    """What the kernel says; of one that only moves numbers nothing but its family."""
    if hasattr(kernel, "demand"):
        found: Demand = kernel.demand(threads)
        return found
    name = type(kernel).__name__
    if name == "Repack":
        name = "Repack, packing" if kernel.pack else "Repack, unpacking"
    return Demand(name)


def _features(
    made: Instruction, constants: set[Value], threads: int, caches: Caches, found_in: Shares
) -> tuple[str, Row | None]:
    if isinstance(made, Noted):
        # It does nothing: one call, and no bytes.
        return (Joined.__name__, row_of(made.kernel, 0, 0, threads, caches, found_in)[1])
    if isinstance(made, Call):
        given = (*made.arguments, made.made)
        weights = sum(v.nbytes for v in given if v in constants)
        maps = sum(v.nbytes for v in given if v not in constants)
        return row_of(made.kernel, weights, maps, threads, caches, found_in)
    if isinstance(made, Cut | Padded):
        return PLAIN, _plain(0.0, 0, 2 * made.made.nbytes, caches, found_in)
    assert isinstance(made, PlainForm)
    op = made.step.op
    if op.view:
        return PLAIN, None
    maps = made.made.nbytes + sum(v.nbytes for v in made.arguments)
    # Of a table as much is read as is looked up.
    weights = made.made.nbytes if isinstance(op, Embedding) else sum(v.nbytes for v in made.weights.values())
    macs = op.macs(made.step.xs, made.step.type) * made.made.shape[0]
    return PLAIN, _plain(macs, weights, maps, caches, found_in)


def _plain(macs: float, weights: int, maps: int, caches: Caches, found_in: Shares) -> Row:
    near = min(maps, caches.own)
    return (1.0, 1.0, macs, 0.0, 0.0, 0.0, *_weights(weights, found_in, caches), float(near), float(maps - near), 0.0)


def _node(made: Instruction) -> str | None:
    if isinstance(made, PlainForm):
        return made.step.name.partition(":")[0]
    group = made.group if isinstance(made, Call | Noted) else None
    return None if group is None else group.anchor.name.partition(":")[0]


def reasons(parts: Row) -> Iterator[tuple[Reason, float]]:
    """The seconds of each reason, of the seconds of each column."""
    for reason, columns in REASONS.items():
        yield reason, sum(parts[column] for column in columns)
