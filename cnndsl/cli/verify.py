"""`cnndsl verify`: static figures, PyTorch and TVM against each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.outcome import WRONG_PROGRAM
from cnndsl.cli.shared.reading import file_argument, network_options, read_network
from cnndsl.cli.shared.voice import complain, say, step
from cnndsl.cli.shared.weighing import read_quantized

if TYPE_CHECKING:
    from cnndsl.backends.tvm.examine.stage import Tell
    from cnndsl.backends.tvm.options import Precision
    from cnndsl.ir.graph import Graph
    from cnndsl.quantization.quantization import Quantization


@click.command("verify")
@file_argument
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="What weights and inputs are drawn from."
)
@click.option(
    "--precision", type=click.Choice(["f32", "bf16", "int8"]), default="f32", show_default=True, help="Of the package."
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="int8: what `cnndsl quantize` wrote.  [default: drawn weights, quantised]",
)
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    seed: int,
    precision: Precision,
    weights: Path | None,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Prove that our figures, PyTorch and TVM agree, layer by layer."""
    from cnndsl.cli.shared.apart import do_apart

    if weights is not None and precision != "int8":
        raise click.UsageError(
            "--weights belongs to `--precision int8`; other precisions are proved on drawn ones", context
        )
    graph = read_network(file, parameters, inputs).graph
    quantization = None if weights is None else read_quantized(weights)

    def work(tell: Tell) -> None:
        _compare(graph, seed, precision, quantization, tell)

    def again(tell: Tell) -> None:
        from cnndsl.arrays.drawn import drawn_weights
        from cnndsl.backends.tvm.examine.crash import compile_apart
        from cnndsl.backends.tvm.options import CompileOptions

        # A package in int8 that crashes the compiler is told apart where its table is known.
        options = CompileOptions(precision="f32" if quantization is None and precision == "int8" else precision)
        arrays = {} if quantization is not None else drawn_weights(graph, seed)
        compile_apart(graph, arrays, options, "llvm", 1, tell, None, quantization)

    do_apart(work, again)


def _compare(graph: Graph, seed: int, precision: Precision, quantization: Quantization | None, tell: Tell) -> None:
    from cnndsl.verification import verify

    with step(f"verifying {graph.name}"):
        findings = list(verify(graph, seed, precision, tell, quantization))
    say(f"{graph.name}\n")
    for f in findings:
        mark = "agree" if f.agrees else "DIFFER"
        say(f"  {f.what:<18} {f.between:<28} {f.count:>5}  {mark:<7} {f.detail}")
    wrong = [f for f in findings if not f.agrees]
    if wrong:
        complain(
            f"{wrong[0].what} differ between {wrong[0].between}, first at `{wrong[0].first}`",
            "please report this with the program",
        )
        raise click.exceptions.Exit(WRONG_PROGRAM)
