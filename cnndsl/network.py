"""The Python front door: one network with everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.diagnostics.nearest import nearest
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import Loaded, parse_text
from cnndsl.pipeline import load as load_file

if TYPE_CHECKING:
    from cnndsl.analyses.document import NetworkField, NodeReport, Summary
    from cnndsl.backends.drawing.formats.graphviz import Options
    from cnndsl.backends.tvm.package.loaded import Package
    from cnndsl.backends.tvm.tuning.tune import Tuned
    from cnndsl.benchmarking.report import Report
    from cnndsl.training.train import Trained
    from cnndsl.verification import Finding

Size = str | tuple[int, ...]


def load(file: str | Path, /, *, input: Size | Mapping[str, Size] | None = None, **parameters: Any) -> Network:
    """The network of a file (`path` or `path:MODEL`) or built-in architecture, with values for its parameters.

    `input` is another size, `(3, 192, 192)` or `"3x192x192"`, or sizes by name. Raises `CnnError`.
    """
    return Network(load_file(str(file), parameters, _sizes(input)))


def parse(
    text: str, /, name: str = "<text>", *, input: Size | Mapping[str, Size] | None = None, **parameters: Any
) -> Network:
    """The network of a program's text; `name` stands for the file in diagnostics. Raises `CnnError`."""
    return Network(parse_text(text, name, parameters, _sizes(input)))


def _sizes(input: Size | Mapping[str, Size] | None) -> dict[str, str]:
    sizes = {} if input is None else input if isinstance(input, Mapping) else {"": input}
    return {name: size if isinstance(size, str) else "x".join(map(str, size)) for name, size in sizes.items()}


class Network:
    """A network, checked and with every shape known. Immutable."""

    def __init__(self, loaded: Loaded) -> None:
        self.graph: Graph = loaded.graph
        """The typed graph that every back end works from."""
        self.warnings: tuple[Diagnostic, ...] = loaded.warnings

    @property
    def name(self) -> str:
        return self.graph.name

    def summary(self) -> Summary:
        """Shapes, parameters, MACs, receptive field and memory, in all and for each layer; prints as a table."""
        return self._summary

    @cached_property
    def _summary(self) -> Summary:
        from cnndsl.analyses.summary import summarize

        return summarize(self.graph, self.warnings)

    @property
    def params(self) -> int:
        """Elements that training changes."""
        return self._summary.totals.params

    @property
    def macs(self) -> int:
        """Multiply-adds of convolutions and matrix products, batch 1."""
        return self._summary.totals.macs

    @property
    def receptive_field(self) -> NetworkField | None:
        """That of the last feature map before a global operation; None where nothing slides."""
        return self._summary.receptive_field

    def __getitem__(self, name: str) -> NodeReport:
        """What the summary says of one layer: `.shape`, `.params`, `.macs`, `.receptive_field`. Raises KeyError."""
        try:
            return self._nodes[name]
        except KeyError:
            near = nearest(name, self._nodes)
            hint = f"; did you mean {near!r}?" if near else ""
            raise KeyError(f"{self.name} has no layer {name!r}{hint}") from None

    @cached_property
    def _nodes(self) -> dict[str, NodeReport]:
        return {node.name: node for node in self._summary.nodes}

    def to_torch(self) -> Any:
        """A plain `nn.Module` whose `state_dict()` has the published names. Raises `MissingPart` without PyTorch."""
        from cnndsl.backends.pytorch.live.module import to_torch

        return to_torch(self.graph)

    def to_source(self) -> str:
        """The text of a Python file that needs torch and nothing of ours."""
        from cnndsl.backends.pytorch.writing.source import to_source

        return to_source(self.graph)

    def to_tvm(
        self,
        target: str = "llvm",
        weights: Mapping[str, Any] | str | Path | None = None,
        *,
        batch: int | Sequence[int] = 1,
        strict_numerics: bool = False,
        precision: Literal["f32", "bf16"] = "f32",
        threads: int | None = None,
        seed: int = 0,
        tuned: bool = False,
        store: str | Path | None = None,
    ) -> Package:
        """A compiled package, to call with arrays or to `export` as a directory.

        `weights` is a state dict of arrays or torch tensors, or a file of them; without it the first values of `seed`
        are taken. A run takes `batch` examples; of several sizes the largest that fits is used. `strict_numerics` keeps
        to kernels that sum products of the given numbers, without Winograd's transforms. With `precision` bf16
        convolutions and `FC` multiply bfloat16 numbers, but where Winograd's algorithm in float32 is faster. It runs on
        `threads` threads, all cores by default. With `tuned` kernels run as `tune` found best, which is in `store`. Raises
        `CnnError` and `MissingPart`.
        """
        from cnndsl.arrays.weights import read_weights
        from cnndsl.backends.tvm.build import build

        origin = "the given weights"
        if isinstance(weights, str | Path):
            origin, weights = Path(weights).name, read_weights(weights)
        arrays = None if weights is None else {key: _array(value) for key, value in weights.items()}
        choices = None
        if tuned:
            from cnndsl.backends.tvm.tuning.tune import known

            choices = known(target, store)
        return build(
            self.graph,
            arrays,
            target,
            batch,
            strict_numerics=strict_numerics,
            precision=precision,
            seed=seed,
            origin=origin,
            threads=threads,
            choices=choices,
        )

    def tune(self, target: str = "llvm", *, trials: int = 64, **options: Any) -> tuple[Tuned, ...]:
        """Measures up to `trials` candidates for the kernels, and keeps what makes the network faster in the tuning store,
        for each processor of `target`. `options` are those of `backends.tvm.tuning.tune.tune`: `batch`, `store`,
        `strict_numerics`, `space`, `tracker`, `threads`, `tell`. Raises `CnnError` and `MissingPart`.
        """
        from cnndsl.backends.tvm.tuning.tune import tune

        return tune(self.graph, None, target, trials=trials, **options)

    def train(self, data: str = "digits", *, folder: str | Path | None = None, **options: Any) -> Trained:
        """Learns from `data`, with the options of `cnndsl train` by their names (`epochs=30, weight_decay=0.05`).

        The run lies in `folder`, or in `runs/NAME`: `train(…).best` are its figures, `.run.weights()` the weights. Raises
        `CnnError`, `MissingPart`, and pydantic's `ValidationError` for options that cannot be.
        """
        from cnndsl.training.options import Options
        from cnndsl.training.train import train

        return train(self.graph, Options(data=data, **options), None if folder is None else Path(folder))

    def to_onnx(
        self, path: str | Path, weights: Mapping[str, Any] | str | Path | None = None, *, seed: int = 0
    ) -> None:
        """Writes an ONNX file that takes batches of any length, with the network's names of inputs and outputs.

        `weights` and `seed` as for `to_tvm`. Raises `CnnError` and `MissingPart`.
        """
        from cnndsl.backends.pytorch.live.export import write_onnx

        write_onnx(self.graph, self._weights(weights, seed), Path(path))

    def to_pt2(self, path: str | Path, weights: Mapping[str, Any] | str | Path | None = None, *, seed: int = 0) -> None:
        """Writes an exported program for `torch.export.load` that takes batches of any length.

        `weights` and `seed` as for `to_tvm`. Raises `CnnError` and `MissingPart`.
        """
        from cnndsl.backends.pytorch.live.export import write_pt2

        write_pt2(self.graph, self._weights(weights, seed), Path(path))

    def _weights(self, given: Mapping[str, Any] | str | Path | None, seed: int) -> dict[str, Any]:
        """Weights of this network as arrays, from a file, a mapping, or a seed. Raises `CnnError`."""
        from cnndsl.arrays.weights import checked, initial_weights, read_weights

        if given is None:
            return initial_weights(self.graph, seed)
        if isinstance(given, str | Path):
            return checked(self.graph, read_weights(given), Path(given).name)
        return checked(self.graph, {key: _array(value) for key, value in given.items()}, "the given weights")

    def bench(self, weights: Mapping[str, Any] | str | Path | None = None, **plan: Any) -> Report:
        """Measures our package in turns with other engines; `plan` has the options of `benchmarking.bench.Plan`: `peers`,
        `threads`, `batch`, `precision`, `rounds`, `seconds`, `kernels`, `strict_numerics`.

        Without `weights` they are drawn so that numbers keep their size through all layers. Raises `CnnError` and
        `MissingPart`.
        """
        from cnndsl.benchmarking.bench import Plan, bench

        return bench(self.graph, Plan(**plan), None if weights is None else self._weights(weights, 0))

    def to_json(self) -> str:
        """The graph as JSON, from which `Graph.model_validate_json` makes it again."""
        return self.graph.model_dump_json(indent=1)

    def draw(self, path: str | Path, **options: Unpack[Options]) -> None:
        """A diagram; svg, png, pdf, dot, mmd from the path's ending. Raises `MissingPart` without Graphviz."""
        from cnndsl.backends.drawing.draw import draw

        draw(self.graph, path, **options)

    def verify(self, seed: int = 0, precision: Literal["f32", "bf16"] = "f32") -> Iterable[Finding]:
        """Compares our figures, PyTorch and TVM, layer by layer; the package in `precision`."""
        from cnndsl.verification import verify

        return verify(self.graph, seed, precision)

    def __repr__(self) -> str:
        ends = ", ".join(str(self.graph.types[o.node]) for o in self.graph.outputs if not o.training)
        starts = ", ".join(str(i.type) for i in self.graph.inputs)
        return f"<cnndsl network {self.name}: {starts} → {ends}, {self.params:,} parameters>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """How a notebook shows it: its diagram and its table, and a line where there is no more room."""
        from cnndsl.notebook import mimebundle

        return mimebundle(self)


def _array(value: Any) -> Any:
    """A torch tensor as the array it holds, without importing torch; arrays as they are."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value
