"""What a package says of itself: `manifest.json`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from cnndsl.arrays.use import Answer, Pictures, Use, plain
from cnndsl.backends.tvm.code.linking import own_architecture
from cnndsl.backends.tvm.options import Runtime
from cnndsl.backends.tvm.target import Cpu, Gpu
from cnndsl.ir.graph import Graph
from cnndsl.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnndsl.backends.tvm.code.compiled import Compiled

TOLERANCE = {"f32": 1e-4, "bf16": 2e-2, "int8": 0.0}
"""How far, of its largest value, an output of the self-test may be from the package's own; a network on whole numbers is
exact, but where layers are left in float32."""


_ENDINGS = {"darwin": ".dylib", "win32": ".dll", "wasm": ".wasm"}
"""Of libraries, by system; on all others it is `.so`."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Port(_Strict):
    """An input or output; the shape is without batch."""

    name: str
    shape: list[int]
    dtype: str


class Part(_Strict):
    """The network for one batch size: its library, and the keys of its constants in the order the code takes them."""

    batch: int
    library: str | None
    constants: list[str]


class Variant(_Strict):
    """The network for one processor: what the machine must be and have (by Linux's names), and the files it takes."""

    target: dict[str, str | list[str]]
    machine: str
    system: str
    features: list[str]
    weights: str
    programs: list[Part]


class Manifest(_Strict):
    """What a package is. `files` are SHA-256 sums by name; of `variants` the last that runs on a machine is the one."""

    format: Literal["cnndsl-package"] = "cnndsl-package"
    version: Literal[1] = Field(default=1, alias="schema")
    model: str
    inputs: list[Port]
    outputs: list[Port]
    batches: list[int]
    target: str
    precision: str
    strict_numerics: bool
    tuned: list[str]
    tolerance: float
    threads: int | None
    variants: list[Variant]
    tvm: str
    cnndsl: str
    runtime: Runtime = "tvm"
    """What its libraries run on: code of their own, or TVM's runtime, as all did that do not say it."""
    weights: str
    trained: bool = Field(default=True, exclude_if=lambda value: value)
    """False where nobody gave weights, and first values stand in for them."""
    files: dict[str, str] = {}
    pictures: Pictures | None = None
    """How a photograph becomes the input."""
    answer: Answer | None = None
    """What the outputs mean."""

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1)

    def used(self, use: Use | None) -> Manifest:
        """The same for a network of which it is known how it is used."""
        if use is None:
            return self
        answer = Answer.model_validate(dict(use.answer)) if use.answer else None
        return self.model_copy(update={"pictures": Pictures.model_validate(dict(use.reading)), "answer": answer})

    @property
    def use(self) -> Use:
        """How the network is used; empty where nobody knew."""
        return Use(plain(self.pictures) if self.pictures else {}, plain(self.answer) if self.answer else {})


def describe(
    variants: Sequence[Sequence[Compiled]], target: str, threads: int | None = None, *, trained: bool = True
) -> Manifest:
    """The manifest of compiled networks that are not yet written: for each processor one for each batch size. `trained` is
    false where their weights are first values."""
    from cnndsl.backends.tvm.library import load_tvm

    first = variants[0][0]
    graph, options = first.graph, first.job.options
    names = [v[0].job.target.name for v in variants] if len(variants) > 1 else [""]
    return Manifest(
        model=graph.name,
        inputs=[Port(name=i.name, shape=list(i.type.shape), dtype=i.type.dtype) for i in graph.inputs],
        outputs=[_output(graph, o.name, o.node) for o in graph.outputs if not o.training],
        batches=[compiled.job.batch for compiled in variants[0]],
        target=target,
        precision=options.precision,
        strict_numerics=options.strict_numerics,
        tuned=sorted({kernel for variant in variants for compiled in variant for kernel in compiled.tuned}),
        tolerance=_tolerance(first),
        threads=threads,
        variants=[_variant(variant, name) for variant, name in zip(variants, names, strict=True)],
        tvm=load_tvm().__version__,
        cnndsl=__version__,
        runtime=_runtime(first),
        weights=first.origin,
        trained=trained,
    )


def _runtime(compiled: Compiled) -> Runtime:
    target = compiled.job.target
    return compiled.job.options.runtime if isinstance(target, Cpu) and target.kind == "llvm" else "tvm"


def _tolerance(compiled: Compiled) -> float:
    network = compiled.quantized
    if network is None:
        return TOLERANCE[compiled.job.options.precision]
    real = {group.name for group in network.groups if group.kind == "float"}
    # Where a number in float32 is rounded to a whole one, its last bit may decide which.
    return TOLERANCE["bf16"] if real & set(network.rounded) else TOLERANCE["f32" if real else "int8"]


def _variant(parts: Sequence[Compiled], name: str) -> Variant:
    target = parts[0].job.target
    ending = f"-{name}" if name else ""
    native = isinstance(target, Gpu) or target.kind == "c"
    system = sys.platform if native or not isinstance(target, Cpu) else target.system
    programs = []
    for compiled, keys in zip(parts, constant_keys(parts), strict=True):
        batch = f"-batch{compiled.job.batch}" if len(parts) > 1 else ""
        programs.append(
            Part(
                batch=compiled.job.batch,
                library=f"lib{ending}{batch}{_ENDINGS.get(system, '.so')}",
                constants=list(keys.values()),
            )
        )
    return Variant(
        target=target.spelled,
        machine=own_architecture() if native or not isinstance(target, Cpu) else target.architecture,
        system=system,
        features=list(target.features) if isinstance(target, Cpu) else [],
        weights=f"weights{ending}.safetensors",
        programs=programs,
    )


def constant_keys(parts: Sequence[Compiled]) -> list[dict[str, str]]:
    """For each batch size the key, in the file of weights, of each of its constants.

    Most constants are the same for every batch size and are stored once; those that differ have the size in their key.
    """
    import numpy as np

    first = parts[0].constants
    return [
        {
            name: name
            if compiled is parts[0] or (name in first and np.array_equal(first[name], array))
            else f"{name}@{compiled.job.batch}"
            for name, array in compiled.constants.items()
        }
        for compiled in parts
    ]


def _output(graph: Graph, name: str, node: str) -> Port:
    type = graph.types[node]
    return Port(name=name, shape=list(type.shape), dtype=type.dtype)
