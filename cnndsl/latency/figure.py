"""The time of a network as one of its figures: what `assert latency < 5ms` asks for, and what `sweep` lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnndsl.ir.graph import Graph


def seconds_here(graph: Graph) -> float:
    """What a run of the network takes, compiled, on the machine that is meant (`machine.find_machine`). Raises `CnnError` where that was
    not measured."""
    # A program that speaks of no time must not pay for the compiler's plan.
    from cnndsl.latency.estimate import estimate
    from cnndsl.latency.machine import find_machine

    return estimate(graph, find_machine(None)).seconds
