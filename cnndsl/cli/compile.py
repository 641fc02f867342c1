"""`cnndsl compile`: a network as a PyTorch file, a TVM package, or our own IR."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.reading import file_argument, network_options, read_network
from cnndsl.cli.voice import note, say, step

if TYPE_CHECKING:
    from cnndsl.ir.graph import Graph

TVM_ONLY = ("weights", "seed", "target", "batch")


@click.command("compile")
@file_argument
@click.option("--to", type=click.Choice(["torch", "tvm", "ir"]), required=True, help="What to make of it.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A file (torch, ir: `-`, the default, is stdout) or directory (tvm).",
)
@click.option("--weights", type=click.Path(path_type=Path), help="tvm: a .safetensors or .pth state dict.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="tvm: first weights, where none are given."
)
@click.option(
    "--target", default="llvm", show_default=True, help="tvm: `llvm` is this machine, `llvm:x86-64-v3` a processor."
)
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="tvm: examples in one run.")
@network_options
@click.pass_context
def command(
    context: click.Context,
    file: str,
    to: str,
    output: Path | None,
    weights: Path | None,
    seed: int,
    target: str,
    batch: int,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Compile a network for PyTorch or TVM."""
    given = {name for name in TVM_ONLY if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT}
    if to != "tvm" and given:
        raise click.UsageError(f"--{min(given)} belongs to `--to tvm`", context)
    if to == "tvm" and output is None:
        raise click.UsageError("`--to tvm` writes a directory; say which with -o", context)
    if {"weights", "seed"} <= given:
        raise click.UsageError("--weights and --seed are two ways to say the same; give one", context)
    graph = read_network(file, parameters, inputs).graph
    if to == "tvm":
        assert output is not None
        _package(graph, output, weights, seed, target, batch)
    elif to == "torch":
        from cnndsl.backends.pytorch.source import to_source

        _write(to_source(graph), output)
    else:
        _write(graph.model_dump_json(indent=1), output)


def _package(graph: Graph, output: Path, weights: Path | None, seed: int, target: str, batch: int) -> None:
    from cnndsl.backends.tvm.build import build
    from cnndsl.backends.tvm.package import refuse_foreign
    from cnndsl.weights import read_weights

    # Compiling takes seconds, and this is known before.
    refuse_foreign(output.absolute())
    arrays = read_weights(weights) if weights else None
    with step(f"compiling {graph.name} for {target}"):
        package = build(graph, arrays, target, batch, seed=seed, origin=weights.name if weights else "")
    with step(f"linking {output}"):
        package.export(output)
    note(f"wrote {output}")


def _write(text: str, output: Path | None) -> None:
    if output is None or str(output) == "-":
        say(text)
        return
    from cnndsl.files import write_atomically

    write_atomically(output, text if text.endswith("\n") else f"{text}\n")
    note(f"wrote {output}")
