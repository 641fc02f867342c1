"""`cnndsl verify`: static figures, PyTorch and TVM against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import click

from cnndsl.cli.shared.outcome import WRONG_PROGRAM
from cnndsl.cli.shared.reading import file_argument, network_options, read_network
from cnndsl.cli.shared.voice import complain, say, step

if TYPE_CHECKING:
    from cnndsl.backends.tvm.examine.stage import Tell
    from cnndsl.ir.graph import Graph


@click.command("verify")
@file_argument
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="What weights and inputs are drawn from."
)
@click.option(
    "--precision", type=click.Choice(["f32", "bf16"]), default="f32", show_default=True, help="Of the package."
)
@network_options
def command(
    file: str,
    seed: int,
    precision: Literal["f32", "bf16"],
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Prove that our figures, PyTorch and TVM agree, layer by layer."""
    from cnndsl.cli.shared.apart import do_apart

    graph = read_network(file, parameters, inputs).graph

    def work(tell: Tell) -> None:
        _compare(graph, seed, precision, tell)

    def again(tell: Tell) -> None:
        from cnndsl.arrays.drawn import drawn_weights
        from cnndsl.backends.tvm.examine.crash import compile_apart
        from cnndsl.backends.tvm.options import CompileOptions

        compile_apart(graph, drawn_weights(graph, seed), CompileOptions(precision=precision), "llvm", 1, tell)

    do_apart(work, again)


def _compare(graph: Graph, seed: int, precision: Literal["f32", "bf16"], tell: Tell) -> None:
    from cnndsl.verification import verify

    with step(f"verifying {graph.name}"):
        findings = list(verify(graph, seed, precision, tell))
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
