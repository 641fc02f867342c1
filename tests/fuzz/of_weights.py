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


SEEDS = {
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
