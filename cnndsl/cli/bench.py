"""`cnndsl bench`: a network's package against other engines, and against what the machine can do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.reading import file_argument, network_options, read_network
from cnndsl.cli.shared.tuning import Tuning, store_option
from cnndsl.cli.shared.voice import note, say
from cnndsl.cli.shared.weighing import read_given, weights_option

if TYPE_CHECKING:
    from cnndsl.backends.tvm.options import Precision
    from cnndsl.quantization.quantization import Quantization


def _peers(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    from cnndsl.benchmarking.engines import OURS, PEERS

    if value is None:
        return tuple(PEERS)
    words = dict.fromkeys(word.strip() for word in value.split(","))
    if unknown := [word for word in words if word not in PEERS and word != OURS]:
        raise click.BadParameter(
            f"no engine is called {unknown[0]!r}; there are {', '.join((OURS, *PEERS))}", context, parameter
        )
    return tuple(word for word in words if word != OURS)


@click.command("bench")
@file_argument
@weights_option("A .safetensors or .pth state dict, or else drawn.")
@click.option("--threads", type=click.IntRange(1), help="For every engine; all cores by default.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Examples in one run.")
@click.option("--precision", type=click.Choice(["f32", "bf16", "int8"]), default="f32", show_default=True)
@click.option(
    "--engines",
    "peers",
    metavar="A,B,…",
    callback=_peers,
    help="Of openvino, onnxruntime, torch-compile, torch; all that are installed by default. Ours always is.",
)
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True, help="Turns of each engine.")
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), default=0.25, show_default=True, help="Length of a turn."
)
@click.option("--kernels", is_flag=True, help="Also every kernel of our package.")
@click.option("--strict-numerics", is_flag=True, help="No kernels that trade accuracy for speed.")
@click.option("--tune", type=click.IntRange(0), metavar="N", help="Ours as `compile --tune N` makes it.")
@store_option
@click.option("--format", type=click.Choice(["table", "json", "md"]), default="table", show_default=True)
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    weights: Path | None,
    threads: int | None,
    batch: int,
    precision: Precision,
    peers: tuple[str, ...],
    rounds: int,
    seconds: float,
    kernels: bool,
    strict_numerics: bool,
    tune: int | None,
    store: Path | None,
    format: str,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Measure latency in turns with other engines, their errors, and the distance to what the machine can do."""
    if store is not None and tune is None:
        raise click.UsageError("--store belongs to `--tune`", context)
    if tune is not None and precision == "int8":
        raise click.UsageError("--tune measures kernels in float32, and --precision int8 has others", context)
    from cnndsl.backends.tvm.examine.stage import Stage, Tell
    from cnndsl.backends.tvm.options import CompileOptions
    from cnndsl.cli.shared.apart import do_apart

    graph = read_network(file, parameters, inputs).graph
    options, tuning = CompileOptions(strict_numerics, precision, threads), Tuning(tune, store)

    def work(tell: Tell) -> None:
        from cnndsl.benchmarking.bench import BenchPlan, bench
        from cnndsl.benchmarking.text import to_markdown, to_text

        def hear(stage: Stage, text: str) -> None:
            tell(stage, text)
            note(f"{text} …")

        table = _table(weights) if precision == "int8" else None
        arrays = read_given(graph, weights).arrays if weights and table is None else None
        if arrays is None and table is None:
            note("no --weights: drawn ones, untrained; how long a run takes does not depend on them")
        tell(Stage.PREPARING, "looking for settings of kernels")
        choices = tuning.choices(graph, "llvm", (batch,), options)
        plan = BenchPlan(
            peers=peers,
            options=options,
            batch=batch,
            rounds=rounds,
            seconds=seconds,
            kernels=kernels,
            choices=None if tune is None else choices,
        )
        report = bench(graph, plan, arrays, hear, table)
        say(
            report.to_json(indent=1) if format == "json" else to_markdown(report) if format == "md" else to_text(report)
        )

    def again(tell: Tell) -> None:
        from cnndsl.arrays.weights import checked
        from cnndsl.backends.tvm.examine.crash import compile_apart
        from cnndsl.benchmarking.examples import lively_weights

        table = _table(weights) if precision == "int8" else None
        given = read_given(graph, weights) if weights and table is None else None
        arrays = checked(graph, given.arrays, given.origin) if given else lively_weights(graph, 0)
        compile_apart(graph, arrays, options, "llvm", batch, tell, tuning.known("llvm", options), table)

    do_apart(work, again)


def _table(weights: Path | None) -> Quantization | None:
    """The quantised network that `--weights` is; None where it is weights in float32. Raises `CnnError`."""
    from cnndsl.cli.shared.weighing import read_quantized
    from cnndsl.quantization.file import is_quantized

    return read_quantized(weights) if weights is not None and is_quantized(weights) else None
