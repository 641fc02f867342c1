"""Readers of weights that other libraries wrote."""

from __future__ import annotations

from pathlib import Path

from cnndsl.arrays.weight_files import read_weights
from cnndsl.diagnostics.errors import CnnError
from tests.fuzz import made
from tests.published import foreign


def pickled(data: bytes) -> None:
    """A pickle of arrays."""
    _read({"fuzz.pkl": data})


def hdf5(data: bytes) -> None:
    """Keras' file."""
    _read({"fuzz.h5": data})


def tf_graph(data: bytes) -> None:
    """A frozen graph of TensorFlow."""
    _read({"fuzz.pb": data})


def tf_checkpoint(data: bytes) -> None:
    """The index of a checkpoint of TensorFlow."""
    _read({"fuzz.index": data, "fuzz.data-00000-of-00001": foreign.tf_checkpoint()[1]})


def tfjs(data: bytes) -> None:
    """The list of arrays of a model of TensorFlow.js."""
    _read({"fuzz.json": data, "numbers.bin": foreign.tfjs()[1]})


def darknet(data: bytes) -> None:
    """Darknet's numbers for a network of two layers."""
    from cnndsl.published.layout import read_published

    path = made.folder() / "fuzz.weights"
    path.write_bytes(data)
    _told(lambda: read_published(path, "darknet", [], made.network()))


def quantized(data: bytes) -> None:
    """A quantised network: read, and made the one that its table is of."""
    from cnndsl.backends.tvm.plan.quantized_network import quantized_network
    from cnndsl.quantization.file import read_quantization

    path = made.folder() / "fuzz8.safetensors"
    path.write_bytes(data)
    try:
        quantized_network(made.network(), read_quantization(path))
    except CnnError as error:
        assert {d.id for d in error.diagnostics} <= _OF_TABLES, error


_OF_TABLES = {
    "unreadable-weights", "not-quantized", "wrong-quantization", "missing-weight", "unexpected-weight", "weight-mismatch",
}  # fmt: skip


SEEDS = {
    "quantized": lambda: [made.quantized()],
    "pickled": lambda: [foreign.pickled(protocol) for protocol in (2, 3, 4, 5)],
    "hdf5": lambda: [foreign.hdf5()],
    "tf_graph": lambda: [foreign.tf_graph()],
    "tf_checkpoint": lambda: [foreign.tf_checkpoint()[0]],
    "tfjs": lambda: [foreign.tfjs()[0]],
    "darknet": lambda: [foreign.darknet(13)],
}


def _read(files: dict[str, bytes]) -> None:
    first: Path | None = None
    for name, data in files.items():
        path = made.folder() / name
        path.write_bytes(data)
        first = first or path
    assert first is not None
    _told(lambda: read_weights(first))


def _told(read: object) -> None:
    assert callable(read)
    try:
        read()
    except CnnError as error:
        # A list of arrays names the file beside it that holds their numbers.
        assert [d.id for d in error.diagnostics] in (["unreadable-weights"], ["file-not-found"]), error
