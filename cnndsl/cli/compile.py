"""`cnndsl compile`: a network as a PyTorch file, a TVM package, a file of other ecosystems, or our own IR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import click

from cnndsl.cli.shared.reading import file_argument, is_foreign, network_options, read_network, read_source
from cnndsl.cli.shared.recognising import opened
from cnndsl.cli.shared.targets import say_copies, say_slow
from cnndsl.cli.shared.tuning import Tuning, store_option
from cnndsl.cli.shared.voice import note, say, step, untrained
from cnndsl.cli.shared.weighing import read_given, read_quantized, weights_option
from cnndsl.cli.shared.writing import FOLDER, refuse_name
from cnndsl.disk.folders import size_of
from cnndsl.ir.written import in_bytes

if TYPE_CHECKING:
    from cnndsl.arrays.use import Use
    from cnndsl.backends.tvm.options import CompileOptions
    from cnndsl.ir.graph import Graph

_EXPORTS = ("onnx", "pt2", "safetensors")
_WEIGHTED = ("weights", "seed")
_WRITES = {
    "torch": ((".py",), "a PyTorch module"),
    "tvm": ((FOLDER,), "a package"),
    "onnx": ((".onnx",), "an ONNX file"),
    "pt2": ((".pt2",), "an exported program"),
    "safetensors": ((".safetensors",), "a file of weights"),
    "ir": ((".json",), "a graph as JSON"),
}
"""The endings of what each `--to` writes, and what it is."""
TVM_ONLY = ("target", "batch", "strict_numerics", "precision", "threads", "runtime", "dump", "tune", "store")


class Batches(click.ParamType[tuple[int, ...]]):
    """Whole numbers from 1 with commas between."""

    name = "n,…"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        if not all(part.isascii() and part.isdigit() and int(part) >= 1 for part in parts):
            self.fail(f"expected batch sizes from 1, as `8` or `1,8`, found {value}", param, ctx)
        return tuple(sorted({int(part) for part in parts}))


@click.command("compile")
@file_argument
@click.option(
    "--to",
    type=click.Choice(["torch", "tvm", "onnx", "pt2", "safetensors", "ir"]),
    required=True,
    help="What to make of it.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A file (torch, ir: `-`, the default, is stdout) or directory (tvm).",
)
@weights_option("A .safetensors or .pth state dict; not for torch and ir.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="First weights, where none are given."
)
@click.option(
    "--target",
    default="llvm",
    show_default=True,
    help="tvm: `llvm` is this machine, `llvm:x86-64-v3` a processor, `portable` any x86; `aarch64`, `c`, `cuda:sm_80`.",
)
@click.option(
    "--batch",
    type=Batches(),
    default="1",
    show_default=True,
    help="tvm: examples in one run; of several, as `1,8`, the largest that fits is used.",
)
@click.option("--strict-numerics", is_flag=True, help="tvm: no kernels that trade accuracy for speed.")
@click.option(
    "--precision",
    type=click.Choice(["f32", "bf16", "int8"]),
    default="f32",
    show_default=True,
    help="tvm: of the factors in convolutions and fully connected layers; tvm, onnx: int8 takes what `cnndsl quantize` wrote as "
    "--weights.",
)
@click.option("--threads", type=click.IntRange(1), help="tvm: how many the package uses; all cores by default.")
@click.option(
    "--runtime",
    type=click.Choice(["alone", "tvm"]),
    default="alone",
    show_default=True,
    help="tvm: what the package runs on: code of its own, or TVM's runtime, as packages for GPUs do.",
)
@click.option("--dump", type=click.Path(file_okay=False, path_type=Path), help="tvm: write every stage as text there.")
@click.option(
    "--tune",
    type=click.IntRange(0),
    metavar="N",
    help="tvm: measure up to N candidates for its kernels; 0 measures nothing and uses what was measured before.",
)
@store_option
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
    batch: tuple[int, ...],
    strict_numerics: bool,
    precision: Literal["f32", "bf16", "int8"],
    threads: int | None,
    runtime: Literal["alone", "tvm"],
    dump: Path | None,
    tune: int | None,
    store: Path | None,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
) -> None:
    """Compile a network for PyTorch or TVM."""
    default = click.core.ParameterSource.DEFAULT
    given = {name for name in (*_WEIGHTED, *TVM_ONLY) if context.get_parameter_source(name) is not default}
    foreign = set() if to == "tvm" else given - set(_WEIGHTED if to in _EXPORTS else ())
    if to == "onnx" and precision in ("f32", "int8"):
        foreign -= {"precision"}
    if foreign:
        raise click.UsageError(f"--{min(foreign).replace('_', '-')} belongs to `--to tvm`", context)
    if to not in ("torch", "ir") and output is None:
        what = "directory" if to == "tvm" else "file"
        raise click.UsageError(f"`--to {to}` writes a {what}; say which with -o", context)
    if "runtime" in given and runtime == "alone" and target.startswith("cuda"):
        raise click.UsageError("packages for GPUs run on TVM's runtime; leave --runtime out", context)
    if {"weights", "seed"} <= given:
        raise click.UsageError("--weights and --seed are two ways to say the same; give one", context)
    if precision == "int8" and tune is not None:
        raise click.UsageError(
            "--tune measures kernels in float32, and --precision int8 has others; leave one out", context
        )
    if "store" in given and tune is None:
        raise click.UsageError("--store belongs to `--tune`", context)
    endings, what = _WRITES[to]
    refuse_name(context, output, file.partition(":")[0] if not Path(file).exists() else file, endings, what)
    run = opened(file)
    if run is not None and (parameters or inputs):
        raise click.UsageError("a run knows its parameters and its size; give none", context)
    if run is None and is_foreign(file) and weights is None and "seed" not in given and to in ("tvm", *_EXPORTS):
        imported = read_source(file, parameters, inputs)
        graph = imported.graph
        if imported.weights is not None:
            from cnndsl.arrays.weights import write_weights

            weights = Path(context.with_resource(TemporaryDirectory())) / f"{graph.name}.safetensors"
            write_weights(weights, dict(imported.weights))
    else:
        graph = read_network(file, parameters, inputs).graph if run is None else run.graph
    if run is not None and "seed" not in given:
        weights = weights or (run.quantized if precision == "int8" else run.best)
    if weights is None and to in ("tvm", *_EXPORTS) and precision != "int8":
        untrained(seed)
    use = None if run is None else run.use
    if to == "tvm":
        assert output is not None
        from cnndsl.backends.tvm.options import CompileOptions

        options = CompileOptions(strict_numerics, precision, threads, runtime)
        _package(graph, _Order(output, weights, use, seed, target, batch, options, Tuning(tune, store), dump))
    elif to == "torch":
        from cnndsl.backends.pytorch.writing.source import to_source

        _write(to_source(graph), output)
    elif to == "onnx" and precision == "int8":
        assert output is not None
        _export_quantized(graph, output, weights)
    elif to in _EXPORTS:
        assert output is not None
        _export(graph, to, output, weights, seed)
    else:
        _write(graph.model_dump_json(indent=1), output)


def _export(graph: Graph, to: str, output: Path, weights: Path | None, seed: int) -> None:
    from cnndsl.arrays.weights import checked, initial_weights, write_weights

    if weights is None:
        arrays = initial_weights(graph, seed)
    else:
        given = read_given(graph, weights)
        arrays = checked(graph, given.arrays, given.origin)
    if to == "safetensors":
        write_weights(output, arrays)
    else:
        from cnndsl.backends.pytorch.live.export import write_onnx, write_pt2

        with step(f"exporting {graph.name}"):
            (write_onnx if to == "onnx" else write_pt2)(graph, arrays, output)
    note(f"wrote {output}")


def _export_quantized(graph: Graph, output: Path, weights: Path | None) -> None:
    from cnndsl.calibration.on_reals.onnx import write_quantized_onnx

    quantization = read_quantized(weights)
    with step(f"exporting {graph.name}"):
        write_quantized_onnx(graph, quantization, output)
    note(f"wrote {output}")


@dataclass(frozen=True)
class _Order:
    """What `--to tvm` was told."""

    output: Path
    weights: Path | None
    use: Use | None
    """Of a run; published weights say it themselves."""
    seed: int
    """For first weights, where no file of weights is given."""
    target: str
    batch: tuple[int, ...]
    options: CompileOptions
    tuning: Tuning
    dump: Path | None


def _package(graph: Graph, order: _Order) -> None:
    from cnndsl.arrays.weights import initial_weights
    from cnndsl.backends.tvm.examine.stage import Stage, Tell
    from cnndsl.cli.shared.apart import do_apart

    output, weights, target, options = order.output, order.weights, order.target, order.options

    def work(tell: Tell) -> None:
        from cnndsl.backends.tvm.build import build
        from cnndsl.backends.tvm.package.export import refuse_foreign
        from cnndsl.published.weights import use_of

        # Compiling takes seconds, and this is known before.
        refuse_foreign(output.absolute())
        quantization = read_quantized(weights) if options.precision == "int8" and weights else None
        given = read_given(graph, weights) if weights and quantization is None else None
        arrays, origin = (given.arrays, given.origin) if given else (None, "" if weights is None else weights.name)
        use = use_of(graph, given) if order.use is None and given and given.entry else order.use
        tell(Stage.PREPARING, "looking for settings of kernels")
        choices = order.tuning.choices(graph, target, order.batch, options)
        tell(Stage.COMPILING, "compiling the network")
        say_copies(graph, target, whole=quantization is not None)
        if quantization is not None:
            say_slow(target)
        make = partial(build, graph, arrays, target, order.batch, options, choices=choices, quantization=quantization)
        with step(f"compiling {graph.name} for {target}") as hear:
            package = make(seed=order.seed, origin=origin, hear=hear)
        package.manifest = package.manifest.used(use)
        tell(Stage.WRITING, f"writing {output}")
        if order.dump is not None:
            package.dump(order.dump)
            note(f"wrote the stages to {order.dump}")
        with step(f"linking {output}"):
            package.export(output)
        note(f"wrote {output}, {in_bytes(size_of(output))}")

    def again(tell: Tell) -> None:
        from cnndsl.backends.tvm.examine.crash import compile_apart

        quantization = read_quantized(weights) if options.precision == "int8" and weights else None
        given = read_given(graph, weights).arrays if weights and quantization is None else None
        arrays = initial_weights(graph, order.seed) if given is None else given
        choices = order.tuning.known(target, options)
        for size in order.batch:
            compile_apart(graph, arrays, options, target, size, tell, choices, quantization)

    do_apart(work, again)


def _write(text: str, output: Path | None) -> None:
    if output is None or str(output) == "-":
        say(text)
        return
    from cnndsl.disk.files import write_atomically

    write_atomically(output, text if text.endswith("\n") else f"{text}\n")
    note(f"wrote {output}")
