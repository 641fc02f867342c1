"""Networks with weights as files of other ecosystems: ONNX, and PyTorch's exported programs. The batch may have any length."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from inspect import Parameter, Signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cnndsl.backends.pytorch.library import nn, torch
from cnndsl.backends.pytorch.live.module import loaded
from cnndsl.diagnostics.errors import MissingPart, fault
from cnndsl.diagnostics.extras import how_to_install
from cnndsl.disk.files import write_atomically
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    Weights = Mapping[str, np.ndarray]

OPSET = 20
"""The first version of ONNX that has an operator for each of our layers, GELU included."""
MOST_ONNX_BYTES = 2**31 - 2**20
"""Bytes of weights that one ONNX file can hold: the limit of protobuf, less some room for the graph."""


def write_onnx(graph: Graph, weights: Weights, path: Path, batch: int | None = None) -> None:
    """Writes an ONNX file whose inputs and outputs have the network's names, for batches of any length or only `batch`.

    It has passed ONNX's checker, shapes included. Raises `MissingPart` without the `onnx` extra and `CnnError`
    (unsupported-by-backend) for more weights than a file can hold, and what `to_torch` raises.
    """
    size = sum(array.nbytes for array in weights.values())
    if size > MOST_ONNX_BYTES:
        raise fault(
            "unsupported-by-backend",
            f"an ONNX file holds at most 2 GiB, and the weights of {graph.name} take {size / 2**30:.1f} GiB",
            help="write `.pt2` instead",
        )
    save_onnx(graph, lambda: exported(graph, weights, batch), path)


def save_onnx(
    graph: Graph, program: Callable[[], Any], path: Path, translations: Callable[[], Mapping[Any, Any]] | None = None
) -> None:
    """Writes what `program` gives, an exported program with the inputs and outputs of the network, as an ONNX file.
    `translations` gives what operations of our own become. Raises `MissingPart` without the `onnx` extra."""
    try:
        import onnx
        import onnxscript  # noqa: F401  (what torch's exporter translates with)
    except ImportError as e:
        raise MissingPart(f"this takes {e.name}, which is not installed", how_to_install("onnx")) from None
    with TemporaryDirectory() as folder, _quiet():
        file = Path(folder) / "network.onnx"
        torch.onnx.export(
            program(),
            (),
            str(file),
            dynamo=True,
            opset_version=OPSET,
            input_names=[i.name for i in graph.inputs],
            output_names=[o.name for o in graph.outputs if not o.training],
            external_data=False,
            verbose=False,
            custom_translation_table=dict(translations()) if translations else None,
        )
        onnx.checker.check_model(str(file), full_check=True)
        write_atomically(path, file.read_bytes())


def write_pt2(graph: Graph, weights: Weights, path: Path) -> None:
    """Writes an exported program, which `torch.export.load` reads. Raises what `to_torch` raises."""
    with TemporaryDirectory() as folder, _quiet():
        file = Path(folder) / "network.pt2"
        torch.export.save(exported(graph, weights), str(file))
        write_atomically(path, file.read_bytes())


def exported(graph: Graph, weights: Weights, batch: int | None = None) -> Any:
    """The program that `torch.export` makes of inference; its placeholders have the names of the inputs."""
    return traced(graph, loaded(graph, weights), batch)


def traced(graph: Graph, module: Any, batch: int | None = None) -> Any:
    """The program that `torch.export` makes of a module which takes and gives what the network does."""
    _name_arguments(module, [i.name for i in graph.inputs])
    # With an example of batch 1, PyTorch would take the batch for a constant.
    count = batch or 2
    examples = tuple(torch.zeros((count, *i.type.shape), dtype=getattr(torch, i.type.dtype)) for i in graph.inputs)
    axes = None if batch else tuple({0: torch.export.Dim("batch")} for _ in examples)
    with torch.no_grad(), _quiet():
        return torch.export.export(module, examples, dynamic_shapes=axes)


def _name_arguments(module: nn.Module, names: list[str]) -> None:
    """Gives `forward` a signature with these names, after which exporters name the inputs. Without one it takes `*tensors`."""
    forward = partial(type(module).forward, module)
    forward.__signature__ = Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names])  # type: ignore[attr-defined]
    module.forward = forward


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps PyTorch's exporters from warning of their own deprecated parts and of what else could be installed."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
