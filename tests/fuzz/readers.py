"""Each reader on plain bytes: it may read them or refuse them with a diagnostic, and nothing else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from cnndsl import pipeline
from cnndsl.errors import CnnError
from cnndsl.passes.graph_file import read_graph
from cnndsl.render import render_all
from cnndsl.syntax.scan import decode


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
    from cnndsl.weight_files import read_weights

    _from_file(read_weights, data, "fuzz.safetensors", "unreadable-weights")


def image(data: bytes) -> None:
    """A picture."""
    from cnndsl.images import read_image

    _from_file(lambda path: read_image(path, (3, 8, 8)), data, "fuzz.png", "unreadable-image")


def array(data: bytes) -> None:
    """NumPy's own files."""
    from cnndsl.images import read_arrays

    _from_file(read_arrays, data, "fuzz.npz", "unreadable-array")


def _from_file(read: Callable[[Path], object], data: bytes, name: str, id: str) -> None:
    path = _folder() / name
    path.write_bytes(data)
    try:
        read(path)
    except CnnError as error:
        assert [d.id for d in error.diagnostics] == [id]


@cache
def _folder() -> Path:
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))


READERS: dict[str, Callable[[bytes], None]] = {
    "cnn": cnn,
    "graph": graph,
    "weights": weights,
    "image": image,
    "array": array,
}
