"""`--latency` and `--target MACHINE`, of verbs that tell how long networks take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from cnndsl.cli.shared.voice import note

if TYPE_CHECKING:
    from cnndsl.analyses.document import NetworkTime, Summary
    from cnndsl.backends.tvm.options import Precision
    from cnndsl.ir.graph import Graph
    from cnndsl.latency.machine import Machine

Command = Callable[..., Any]


def latency_options(command: Command) -> Command:
    """Adds both options."""
    command = click.option(
        "--target",
        metavar="MACHINE",
        help="With --latency: a machine's name or file, as `cnndsl limits` wrote it; this one by default.",
    )(command)
    told = "Say how long a run takes, compiled: estimated from measurements of the machine; nothing is compiled."
    return click.option("--latency", is_flag=True, help=told)(command)


def refuse_lone_target(context: click.Context, target: str | None, *, latency: bool) -> None:
    """Raises `UsageError` for a machine that nobody asks about."""
    if target is not None and not latency:
        raise click.UsageError("--target is the machine of --latency", context)


def machine_meant(target: str | None) -> Machine:
    """The machine that a command asks about. Once for each command it is said on stderr where that was measured with other kernels
    than these."""
    from cnndsl.latency.kernels import outdated_words
    from cnndsl.latency.machine import find_machine

    machine = find_machine(target)
    said = click.get_current_context().find_root().meta
    if machine.outdated and _SAID not in said:
        said[_SAID] = True
        note(outdated_words(machine.name))
    return machine


_SAID = "cnndsl.outdated"


def timed(graph: Graph, summary: Summary, target: str | None, precision: Precision = "f32", batch: int = 1) -> Summary:
    """The summary with the time of each layer."""
    from cnndsl.latency.estimate import estimate
    from cnndsl.latency.summary import with_latency

    return with_latency(summary, estimate(graph, machine_meant(target), precision, batch))


def timer(target: str | None, precision: Precision = "f32", batch: int = 1) -> Callable[[Graph], NetworkTime]:
    """The time of any network, on one machine."""
    from cnndsl.latency.estimate import estimate
    from cnndsl.latency.summary import network_time

    machine = machine_meant(target)
    return lambda graph: network_time(estimate(graph, machine, precision, batch))
