"""`cnndsl tune`: faster kernels, found by measuring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from cnndsl.cli.compile import Batches
from cnndsl.cli.shared.reading import file_argument, network_options, read_network
from cnndsl.cli.shared.tuning import progress, store_option, tuned_line
from cnndsl.cli.shared.voice import say


def _tracker(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, int] | None:
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise click.BadParameter(f"expected HOST:PORT, found {value!r}", context, parameter)
    return host, int(port)


@click.command("tune")
@file_argument
@click.option("--trials", type=click.IntRange(0), default=64, show_default=True, help="Most candidates to measure.")
@click.option(
    "--target", default="llvm", show_default=True, help="`llvm` is this machine, `llvm:x86-64-v3` a processor."
)
@click.option("--batch", type=Batches(), default="1", show_default=True, help="Examples in one run, or several: `1,8`.")
@click.option("--strict-numerics", is_flag=True, help="No kernels that trade accuracy for speed.")
@click.option("--threads", type=click.IntRange(1), help="How many to measure with; all cores by default.")
@click.option(
    "--space",
    type=click.Choice(["templates", "generic"]),
    default="templates",
    show_default=True,
    help="Settings of our kernels, or TVM's own search for what has none.",
)
@store_option
@click.option("--rpc", callback=_tracker, metavar="HOST:PORT", help="Measure on the servers of this RPC tracker.")
@click.option("--key", help="With --rpc: the key of the servers.")
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    trials: int,
    target: str,
    batch: tuple[int, ...],
    strict_numerics: bool,
    threads: int | None,
    space: str,
    store: Path | None,
    rpc: tuple[str, int] | None,
    key: str | None,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Measure other settings of a network's kernels, and keep those that make it faster.

    `compile --tune 0` compiles with what the store holds. What has been measured is not measured again: stop at any
    time.
    """
    if (rpc is None) != (key is None):
        raise click.UsageError("--rpc and --key belong together", context)
    graph = read_network(file, parameters, inputs).graph
    from cnndsl.backends.tvm.options import CompileOptions
    from cnndsl.backends.tvm.tuning.remote import Tracker
    from cnndsl.backends.tvm.tuning.tune import tune

    tracker = Tracker(*rpc, key) if rpc and key else None
    with progress() as tell:
        tuned = tune(
            graph,
            None,
            target,
            batch,
            CompileOptions(strict_numerics=strict_numerics, threads=threads),
            trials=trials,
            space="generic" if space == "generic" else "templates",
            store=store,
            tracker=tracker,
            tell=tell,
        )
    for result in tuned:
        say(f"{graph.name} on {tuned_line(result)}")
