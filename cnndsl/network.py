"""The Python front door: one network with everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.diagnostics.nearest import nearest
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import Loaded, parse_text
from cnndsl.pipeline import load as load_file

if TYPE_CHECKING:
    import graphviz
    import networkx

    from cnndsl.analyses.differences.document import Difference
    from cnndsl.analyses.document import NetworkField, NodeReport, Summary
    from cnndsl.backends.drawing.formats.graphviz import Style
    from cnndsl.backends.drawing.page import Page
    from cnndsl.backends.tvm.options import Precision
    from cnndsl.backends.tvm.package.built import BuiltPackage
    from cnndsl.backends.tvm.tuning.events import Tuned
    from cnndsl.benchmarking.bench_report import BenchReport
    from cnndsl.calibration.model import QuantizedModel
    from cnndsl.latency.estimate import Estimate
    from cnndsl.quantization.quantization import Quantization
    from cnndsl.training.train import Trained
    from cnndsl.verification import Finding

Size = str | tuple[int, ...]


def load(file: str | Path, /, *, input: Size | Mapping[str, Size] | None = None, **parameters: Any) -> Network:
    """The network that a file describes, or the built-in one of that name.

    `file` is a path to a `.cnn` file or to the JSON of `Network.to_json`, `path:MODEL` for one of several models, or a name
    that `cnndsl list` shows. Keyword arguments are values for the program's parameters. `input` is another size than the
    one that the file says, `(3, 192, 192)` or `"3x192x192"`, or sizes by the inputs' names. Raises `CnnError` with
    everything that is wrong.
    """
    return Network(load_file(str(file), parameters, _sizes(input)))


def parse(
    text: str, /, name: str = "<text>", *, input: Size | Mapping[str, Size] | None = None, **parameters: Any
) -> Network:
    """The network that a program's text describes; `name` stands for the file in diagnostics.

    Keyword arguments are values for the program's parameters, and `input` is as for `load`. Raises `CnnError` with
    everything that is wrong.
    """
    return Network(parse_text(text, name, parameters, _sizes(input)))


def _sizes(input: Size | Mapping[str, Size] | None) -> dict[str, str]:
    sizes = {} if input is None else input if isinstance(input, Mapping) else {"": input}
    return {name: size if isinstance(size, str) else "x".join(map(str, size)) for name, size in sizes.items()}


class Network:
    """A network, checked and with every shape known. It never changes. In a notebook it shows its diagram and its table."""

    def __init__(self, loaded: Loaded) -> None:
        self.graph: Graph = loaded.graph
        """The typed graph that every back end works from."""
        self.warnings: tuple[Diagnostic, ...] = loaded.warnings
        """What was noticed while the program was read, though it can be built; `check` finds more."""

    @property
    def name(self) -> str:
        """The name of the model, or of the file where the program has no `model`."""
        return self.graph.name

    def summary(self) -> Summary:
        """Shapes, parameters, MACs, receptive field and memory, in all and for each layer; prints as a table."""
        return self._summary

    @cached_property
    def _summary(self) -> Summary:
        from cnndsl.analyses.summary import summarize

        return summarize(self.graph, self.warnings)

    def latency(self, target: str | None = None, precision: Precision = "f32", batch: int = 1) -> Estimate:
        """How long a run takes, compiled, on a machine that `cnndsl limits` measured: by its name or its file, this one by default.
        Nothing is compiled. Raises `CnnError` (not-measured, bad-machine-file)."""
        from cnndsl.latency.estimate import estimate
        from cnndsl.latency.machine import find_machine

        return estimate(self.graph, find_machine(target), precision, batch)

    @property
    def params(self) -> int:
        """Elements that training changes."""
        return self._summary.totals.params

    @property
    def macs(self) -> int:
        """Multiply-adds of convolutions and matrix products, for one example."""
        return self._summary.totals.macs

    @property
    def receptive_field(self) -> NetworkField | None:
        """What a position of the last feature map before a global operation sees: `.size`, `.stride` and `.start` in pixels
        of the input, an entry for each axis, and `.node`, the layer it is of. None where no layer slides over the input."""
        return self._summary.receptive_field

    def __getitem__(self, name: str) -> NodeReport:
        """What the summary says of one layer: `.op`, `.shape` (without the batch axis), `.params`, `.macs`,
        `.receptive_field`. Raises KeyError, which names the nearest layer."""
        try:
            return self._nodes[name]
        except KeyError:
            near = nearest(name, self._nodes)
            hint = f"; did you mean {near!r}?" if near else ""
            raise KeyError(f"{self.name} has no layer {name!r}{hint}") from None

    @cached_property
    def _nodes(self) -> dict[str, NodeReport]:
        return {node.name: node for node in self._summary.nodes}

    def diff(self, other: Network) -> Difference:
        """What changed from this network to `other`, by meaning; prints as `cnndsl diff` does.

        `.equal` says whether they are the same network, `.layers` has what was added, removed, renamed, moved, changed, resized or
        rewired, `.weights` what becomes of a checkpoint, and `.key_map` the new key of each tensor that fits, by its old key.
        """
        from cnndsl.analyses.differences.difference import difference

        return difference(self.graph, other.graph)

    def to_torch(self) -> Any:
        """A plain `nn.Module` whose `state_dict()` has the published names. Raises `MissingPart` without PyTorch."""
        from cnndsl.backends.pytorch.live.module import to_torch

        return to_torch(self.graph)

    def weights(self, which: str = "published") -> dict[str, Any]:
        """Trained weights as arrays by state-dict key: `published`, `published:WHICH`, or those of a file.

        They are fetched where they are not on this machine. Raises `CnnError` (no-published-weights, wrong-checksum and what
        reading them raises) and `MissingPart` without network.
        """
        from cnndsl.published.weights import weights_for

        return weights_for(self.graph, which, 0)

    def read_picture(self, path: str | Path, weights: str = "") -> Any:
        """A picture file as the network is fed it, without batch: as `weights` (`published`, `published:WHICH`) were trained,
        else from 0 to 1. Raises `CnnError` (file-not-found, unreadable-image, wrong-rank) and `MissingPart`.
        """
        from cnndsl.arrays.inputs import prepared_picture, read_picture
        from cnndsl.published.table import find
        from cnndsl.published.weights import which

        name = which(weights)
        reading = find(self.name, name).use.reading if name is not None else {}
        return prepared_picture(read_picture(path), self.graph.inputs[0].type.shape, reading)[0]

    def to_source(self) -> str:
        """The text of a Python file that needs torch and nothing of ours."""
        from cnndsl.backends.pytorch.writing.source import to_source

        return to_source(self.graph)

    def to_tvm(
        self,
        target: str = "llvm",
        weights: Mapping[str, Any] | QuantizedModel | Quantization | str | Path | None = None,
        *,
        batch: int | Sequence[int] = 1,
        strict_numerics: bool = False,
        precision: Literal["f32", "bf16", "int8"] = "f32",
        threads: int | None = None,
        runtime: Literal["alone", "tvm"] = "alone",
        seed: int = 0,
        tuned: bool = False,
        store: str | Path | None = None,
    ) -> BuiltPackage:
        """A compiled package, to call with arrays or to `export` as a directory.

        `weights` is a state dict of arrays or torch tensors, a file of them, or `published`; without it the first values of `seed`
        are taken. A run takes `batch` examples; of several sizes the largest that fits is used. `strict_numerics` keeps
        to kernels that sum products of the given numbers, without Winograd's transforms. With `precision` bf16
        convolutions and `FC` multiply bfloat16 numbers, but where Winograd's algorithm in float32 is faster. With int8 `weights`
        are a quantised network, or a file of one, and it is computed on whole numbers. It runs on `threads` threads, all cores by default. What
        `export` writes needs NumPy alone, or with `runtime` tvm TVM's runtime. With `tuned` kernels run as `tune` found best, which is in `store`. Raises
        `CnnError` and `MissingPart`.
        """
        from cnndsl.backends.tvm.build import build
        from cnndsl.backends.tvm.options import CompileOptions
        from cnndsl.calibration.model import QuantizedModel
        from cnndsl.published.weights import as_arrays, given_weights
        from cnndsl.quantization.quantization import Quantization

        origin, use, quantization = "the given weights", None, None
        if isinstance(weights, QuantizedModel):
            weights = weights.quantization
        if isinstance(weights, Quantization):
            weights, quantization = None, weights
        elif precision == "int8" and isinstance(weights, str | Path):
            from cnndsl.quantization.file import read_quantization

            origin, quantization, weights = Path(weights).name, read_quantization(weights), None
        elif isinstance(weights, str | Path):
            given = given_weights(self.graph, weights)
            origin, weights = given.origin, given.arrays
            use = given.entry.use if given.entry else None
        arrays = None if weights is None else as_arrays(weights)
        choices = None
        if tuned:
            from cnndsl.backends.tvm.tuning.tune import known

            choices = known(target, store)
        options = CompileOptions(strict_numerics, precision, threads, runtime)
        package = build(
            self.graph,
            arrays,
            target,
            batch,
            options,
            seed=seed,
            origin=origin,
            choices=choices,
            quantization=quantization,
        )
        package.manifest = package.manifest.used(use)
        return package

    def tune(
        self,
        target: str = "llvm",
        *,
        trials: int = 64,
        batch: int | Sequence[int] = 1,
        strict_numerics: bool = False,
        threads: int | None = None,
        **options: Any,
    ) -> tuple[Tuned, ...]:
        """Measures up to `trials` candidates for the kernels, and keeps what makes the network faster in the tuning store,
        for each processor of `target`. Each result has `before_s` and `after_s`, the seconds of one run of the network.

        `batch`, `strict_numerics`, `threads` and `options` are those of `cnndsl tune` by their names: `store` (a folder),
        `space`, `tracker`; `tell` is called with each step. Raises `CnnError` and `MissingPart`.
        """
        from cnndsl.backends.tvm.options import CompileOptions
        from cnndsl.backends.tvm.tuning.tune import tune

        own = CompileOptions(strict_numerics=strict_numerics, threads=threads)
        return tune(self.graph, None, target, batch, own, trials=trials, **options)

    def train(self, data: str = "digits", *, folder: str | Path | None = None, **options: Any) -> Trained:
        """Learns from `data`, with the options of `cnndsl train` by their names (`epochs=30, weight_decay=0.05`).

        The run lies in `folder`, or in `runs/NAME`: `train(…).best` are its figures, `.run.weights()` the weights. Raises
        `CnnError`, `MissingPart`, and pydantic's `ValidationError` for options that cannot be.
        """
        from cnndsl.training.options import Options
        from cnndsl.training.train import train

        return train(self.graph, Options(data=data, **options), None if folder is None else Path(folder))

    def quantize(
        self,
        weights: Mapping[str, Any] | str | Path,
        data: str | Path | Mapping[str, Any],
        *,
        images: int = 64,
        keep: Sequence[str] = (),
        max_error: float | None = None,
        seed: int = 0,
        tell: Callable[[str, int, int], None] | None = None,
    ) -> QuantizedModel:
        """The network in whole numbers of 8 bits, with the error that this brings.

        `weights` as for `to_tvm`. `data` are examples as the network will see them, without labels: a folder of pictures, an
        `.npz` or `.npy` file, the folder of a run, `digits`, or arrays by the inputs' names. Up to `images` of them, drawn by
        `seed`, are calibrated with, and up to as many others measure the error. Layers and blocks that `keep` names stay in
        float32, and with `max_error` so many more that the outputs are off by no more than that share. `tell` is called with
        what is being done, how much of it is done, and of how much. Raises `CnnError` and `MissingPart`.
        """
        from cnndsl.arrays.weights import checked
        from cnndsl.calibration.calibrate import quantize
        from cnndsl.calibration.model import QuantizedModel
        from cnndsl.published.weights import Given, as_arrays, given_weights, use_of
        from cnndsl.training.trained.unlabelled import read_unlabelled

        if isinstance(weights, str | Path):
            given = given_weights(self.graph, weights)
        else:
            given = Given(as_arrays(weights), "the given weights")
        arrays = checked(self.graph, given.arrays, given.origin)
        source = as_arrays(data) if isinstance(data, Mapping) else str(data)
        examples = read_unlabelled(self.graph, source, use_of(self.graph, given).reading, images, seed)
        found = quantize(self.graph, arrays, examples.calibration, examples.held_out, tuple(keep), max_error, tell)
        return QuantizedModel(self.graph, found.quantization, found.report)

    def to_onnx(
        self,
        path: str | Path,
        weights: Mapping[str, Any] | QuantizedModel | str | Path | None = None,
        *,
        seed: int = 0,
    ) -> None:
        """Writes an ONNX file that takes batches of any length, with the network's names of inputs and outputs.

        `weights` and `seed` as for `to_tvm`; what `quantize` gave becomes a file with `QuantizeLinear` and `DequantizeLinear`, which
        runtimes compute on whole numbers. Raises `CnnError` and `MissingPart`.
        """
        from cnndsl.calibration.model import QuantizedModel

        if isinstance(weights, QuantizedModel):
            from cnndsl.calibration.on_reals.onnx import write_quantized_onnx

            write_quantized_onnx(self.graph, weights.quantization, Path(path))
            return
        from cnndsl.backends.pytorch.live.export import write_onnx
        from cnndsl.published.weights import weights_for

        write_onnx(self.graph, weights_for(self.graph, weights, seed), Path(path))

    def to_pt2(self, path: str | Path, weights: Mapping[str, Any] | str | Path | None = None, *, seed: int = 0) -> None:
        """Writes an exported program for `torch.export.load` that takes batches of any length.

        `weights` and `seed` as for `to_tvm`. Raises `CnnError` and `MissingPart`.
        """
        from cnndsl.backends.pytorch.live.export import write_pt2
        from cnndsl.published.weights import weights_for

        write_pt2(self.graph, weights_for(self.graph, weights, seed), Path(path))

    def bench(
        self,
        weights: Mapping[str, Any] | QuantizedModel | str | Path | None = None,
        *,
        strict_numerics: bool = False,
        precision: Literal["f32", "bf16", "int8"] = "f32",
        threads: int | None = None,
        **plan: Any,
    ) -> BenchReport:
        """Measures our package in turns with other engines, and returns a row for each: `engine`, `p50_ms`, `p90_ms`, `p99_ms`
        (milliseconds per batch) and `max_rel_error` against float64.

        It is compiled as `to_tvm` does; `plan` has the other options of `cnndsl bench` by their names: `peers` (a tuple of
        engines), `batch`, `rounds`, `seconds` (of one engine in one round), `kernels`. Without `weights` they are drawn so
        that numbers keep their size through all layers. With int8 `weights` may be what `quantize` gave; others are quantised, and
        peers quantise them by their own tools. Raises `CnnError` and `MissingPart`.
        """
        from cnndsl.backends.tvm.options import CompileOptions
        from cnndsl.benchmarking.bench import BenchPlan, bench
        from cnndsl.calibration.model import QuantizedModel
        from cnndsl.published.weights import weights_for

        own = BenchPlan(options=CompileOptions(strict_numerics, precision, threads), **plan)
        if isinstance(weights, QuantizedModel):
            return bench(self.graph, own, quantization=weights.quantization)
        return bench(self.graph, own, None if weights is None else weights_for(self.graph, weights, 0))

    def to_json(self) -> str:
        """The graph as JSON: `load` takes a file of it and works out all of it again before it believes it."""
        return self.graph.model_dump_json(indent=1)

    def draw(self, path: str | Path, *, page: Page | None = None, **style: Unpack[Style]) -> None:
        """Writes a diagram as `.svg`, `.png`, `.pdf`, `.dot` or `.mmd` (Mermaid), whichever the path ends in.

        Options: `depth` (levels of blocks to open; all by default), `expand` (draw every round of a repeat), `direction`
        (`"TB"`, `"LR"`, `"BT"`, `"RL"`), `show_shapes`, `show_costs`, `color` (a heat map of `"rf"`, `"params"`, `"macs"` or
        `"memory"`), `theme` (`"light"`, `"dark"`, or for an SVG `"auto"`). With a `page` (`"A3"`, `"A4"`, `"A5"`, `"letter"`) the diagram goes on in
        columns and is no larger than that sheet. Raises `CnnError` for another ending, and
        `MissingPart` where Graphviz is needed and not installed.
        """
        from cnndsl.backends.drawing.draw import draw

        draw(self.graph, path, page=page, **style)

    def to_graphviz(self, **style: Unpack[Style]) -> graphviz.Source:
        """The diagram as a `graphviz.Source`, which notebooks show; options as for `draw`.

        Its own pictures are made by the program `dot`. Raises `CnnError` (theme-without-reader) for the theme `"auto"`, and `MissingPart`
        without the package graphviz."""
        from cnndsl.backends.drawing.objects import to_graphviz

        return to_graphviz(self.graph, **style)

    def to_networkx(self) -> networkx.MultiDiGraph:
        """The network as a `networkx.MultiDiGraph`: a node for each input and layer, an arrow for each tensor that a layer reads.

        Layers have `kind`, `text`, `shape`, `dtype`, `params`, `macs` and `weights_of`, arrows the place of the `argument`, and the
        graph `outputs` and `training_outputs`. Raises `MissingPart` without NetworkX."""
        from cnndsl.backends.drawing.objects import to_networkx

        return to_networkx(self.graph)

    def verify(
        self,
        seed: int = 0,
        precision: Literal["f32", "bf16", "int8"] = "f32",
        weights: QuantizedModel | str | Path | None = None,
    ) -> Iterable[Finding]:
        """Compares our figures, PyTorch and TVM, layer by layer, the package in `precision`; yields each finding as soon as it is
        known: `what` was compared `between` which two, whether it `agrees`, and the `first` layer that does not.

        Weights and inputs are drawn from `seed`. With int8, `weights` may be a quantised network or a file of one; without, one
        is made of the drawn weights. Raises `CnnError` and `MissingPart`."""
        from cnndsl.calibration.model import QuantizedModel
        from cnndsl.quantization.file import read_quantization
        from cnndsl.verification import verify

        table = weights.quantization if isinstance(weights, QuantizedModel) else None
        if isinstance(weights, str | Path):
            table = read_quantization(weights)
        return verify(self.graph, seed, precision, quantization=table)

    def __repr__(self) -> str:
        ends = ", ".join(str(self.graph.types[o.node]) for o in self.graph.outputs if not o.training)
        starts = ", ".join(str(i.type) for i in self.graph.inputs)
        return f"<cnndsl network {self.name}: {starts} → {ends}, {self.params:,} parameters>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """How a notebook shows it: its diagram and its table, and a line where there is no more room."""
        from cnndsl.webpage.bundle import mimebundle

        return mimebundle(self.graph, self.summary(), repr(self))
