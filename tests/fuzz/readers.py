"""Each reader on plain bytes: it may read them or refuse them with a diagnostic, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cnndsl import pipeline
from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.render import render_all
from cnndsl.passes.read_graph import read_graph
from cnndsl.syntax.scan import decode
from tests.fuzz import made, of_importing, of_packages, of_training, of_weights


def cnn(data: bytes) -> None:
    """A program: built, else refused with words that can be shown; what can be read can be formatted."""
    try:
        source = decode("fuzz.cnn", data)
        pipeline.parse_text(source.text, "fuzz.cnn")
    except CnnError as error:
        assert error.diagnostics
        assert render_all(error.diagnostics)
        return
    again = pipeline.format_text(source)
    assert pipeline.format_text(type(source)("fuzz.cnn", again)) == again


def graph(data: bytes) -> None:
    """Our IR as JSON."""
    try:
        read_graph(data, "fuzz.json")
    except CnnError as error:
        assert [d.id for d in error.diagnostics] == ["not-a-graph"]


def weights(data: bytes) -> None:
    """A file of weights."""
    from cnndsl.arrays.weight_files import read_weights

    _from_file(read_weights, data, "fuzz.safetensors", "unreadable-weights")


def pth(data: bytes) -> None:
    """A file of weights that PyTorch wrote."""
    from cnndsl.arrays.weight_files import read_weights

    _from_file(read_weights, data, "fuzz.pth", "unreadable-weights")


def image(data: bytes) -> None:
    """A picture."""
    from cnndsl.arrays.inputs import read_image

    _from_file(lambda path: read_image(path, (3, 8, 8)), data, "fuzz.png", "unreadable-image")


def array(data: bytes) -> None:
    """NumPy's own files."""
    from cnndsl.arrays.inputs import read_arrays

    _from_file(read_arrays, data, "fuzz.npz", "unreadable-array")


def _from_file(read: Callable[[Path], object], data: bytes, name: str, id: str) -> None:
    path = made.folder() / name
    path.write_bytes(data)
    try:
        read(path)
    except CnnError as error:
        assert [d.id for d in error.diagnostics] == [id]


READERS: dict[str, Callable[[bytes], None]] = {
    "cnn": cnn,
    "graph": graph,
    "weights": weights,
    "pth": pth,
    "pickled": of_weights.pickled,
    "hdf5": of_weights.hdf5,
    "tf_graph": of_weights.tf_graph,
    "tf_checkpoint": of_weights.tf_checkpoint,
    "tfjs": of_weights.tfjs,
    "darknet": of_weights.darknet,
    "quantized": of_weights.quantized,
    "image": image,
    "array": array,
    "onnx": of_importing.onnx,
    "pt2": of_importing.pt2,
    "pt2_model": of_importing.pt2_model,
    "manifest": of_packages.manifest,
    "package_weights": of_packages.package_weights,
    "package_sample": of_packages.package_sample,
    "store": of_packages.store,
    "toml": of_training.toml,
    "labels": of_training.labels,
    "data": of_training.data,
    "classes": of_training.classes,
    "run": of_training.run,
    "run_graph": of_training.run_graph,
    "run_weights": of_training.run_weights,
    "checkpoint": of_training.checkpoint,
}
