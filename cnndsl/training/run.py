"""The folder of a run: what was trained, how, how it went, and all that is needed to go on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import cnndsl.ops  # noqa: F401  (fills the registry of layers, from which graphs are read)
from cnndsl.arrays.use import Use, normalized, plain_use
from cnndsl.arrays.weights import checked, read_weights
from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.disk.files import exists, is_file, open_file, write_atomically
from cnndsl.ir.graph import Graph
from cnndsl.passes.read_graph import MOST_GRAPH_BYTES, read_graph
from cnndsl.training.config import merged, to_toml
from cnndsl.training.options import Options
from cnndsl.version import __version__

if TYPE_CHECKING:
    import numpy as np

ABOUT, GRAPH, SOURCE, OPTIONS = "run.json", "graph.json", "source.cnn", "options.toml"
BEST, LAST, CHECKPOINT = "best.safetensors", "last.safetensors", "checkpoint.safetensors"
METRICS, CURVES = "metrics.csv", "curves.svg"
QUANTIZED = "quantized.safetensors"


class About(BaseModel):
    """What a run is. `graph` is the network's hash, `data` that of the labels and their order."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: Literal["cnndsl-run"] = "cnndsl-run"
    version: Literal[1] = Field(default=1, alias="schema")
    model: str
    classes: list[str]
    graph: str
    data: str
    fit: Literal["whole", "centre"]
    reading: dict[str, Any] = {}
    """How pictures are read, where the weights that training began with said so; see `arrays/pictures.py`."""
    cnndsl: str = __version__
    options: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A run that lies in `folder`."""

    folder: Path
    graph: Graph
    options: Options
    about: About

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.about.classes)

    @property
    def reading(self) -> dict[str, Any]:
        """How pictures become the network's input, in training and ever after."""
        channels = self.graph.inputs[0].type.shape[0]
        return self.about.reading or normalized({"fit": self.about.fit}, self.options.normalize, channels)

    @property
    def use(self) -> Use:
        """How the trained network is used."""
        return plain_use(self.graph, self.classes, self.reading)

    @property
    def best(self) -> Path:
        """The file of the best weights. Raises `CnnError` (not-a-run) where there is none yet."""
        self.weights()
        return self.folder / BEST

    @property
    def quantized(self) -> Path | None:
        """The file of the best quantised network; None where the run has not learnt one (yet)."""
        path = self.folder / QUANTIZED
        return path if is_file(path) else None

    def weights(self, name: str = BEST) -> dict[str, np.ndarray]:
        """The best (or `LAST`) weights by state-dict key. Raises `CnnError` (not-a-run, damaged-run)."""
        path = self.folder / name
        if not is_file(path):
            raise _no_run(f"{self.folder} has no trained weights yet", "go on with `cnndsl train --resume`")
        if trained_hash(path) != self.about.graph:
            raise damaged(f"{path} holds weights of another network")
        return checked(self.graph, read_weights(path), name)


def graph_hash(graph: Graph) -> str:
    """A SHA-256 sum of what the network computes. The program's text, and the places of layers in it, do not change it."""
    written = graph.model_dump_json(exclude={"sources": True, "frames": True, "nodes": {"__all__": {"place", "frame"}}})
    return sha256(written.encode()).hexdigest()


def trained_hash(path: Path) -> str:
    """The hash of the network that a file of weights of a run names; "" for other files."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            return str((file.metadata() or {}).get("graph", ""))
    except (OSError, SafetensorError):
        return ""


def first_process() -> bool:
    """Whether this process writes the run's files. The other processes were started by Lightning or a cluster's scheduler."""
    names = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "NODE_RANK")
    return all(os.environ.get(name, "0") == "0" for name in names)


def free_folder(name: str) -> Path:
    """`runs/NAME`, or the first of `runs/NAME-2`, `-3`, … that does not exist."""
    number = 1
    while (path := Path("runs") / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return path


def refuse_occupied(folder: Path) -> None:
    """Raises `CnnError` (run-exists) where something lies in the folder that a run is to be made in."""
    if first_process() and exists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise fault(
            "run-exists",
            f"{folder} exists",
            help=f"go on with `cnndsl train --resume {folder}`, or give another folder",
        )


def begin(folder: Path, graph: Graph, options: Options, about: About) -> Run:
    """Makes the folder, which the first process does for all."""
    run = Run(folder, graph, options, about)
    if not first_process():
        return run
    write_atomically(folder / SOURCE, _text(graph))
    write_atomically(folder / GRAPH, graph.model_dump_json(indent=1))
    write_atomically(folder / OPTIONS, to_toml(options))
    # This file is written last: a folder that has it is a whole run.
    write_atomically(folder / ABOUT, about.model_dump_json(by_alias=True, indent=1))
    return run


def lengthened(run: Run, epochs: int) -> Run:
    """The run with more epochs to go, its files saying so. The rate goes on as if the run had been that long from the
    start. Raises `CnnError` (wrong-option) where it is not longer."""
    if epochs <= run.options.epochs:
        raise fault(
            "wrong-option",
            f"the run has {run.options.epochs} epochs, and {epochs} are not more",
            help=f"say more, as `--epochs {2 * run.options.epochs}`, or leave it out to finish the run",
        )
    if run.options.quantize:
        raise fault(
            "wrong-option",
            f"the last epochs of {run.folder} have learnt with rounded numbers, and nothing follows them",
            help="begin a new run with `--init` of this one's weights",
        )
    options = merged(run.options, {"epochs": epochs})
    about = run.about.model_copy(update={"options": run.about.options | {"epochs": epochs}})
    if first_process():
        write_atomically(run.folder / OPTIONS, to_toml(options))
        write_atomically(run.folder / ABOUT, about.model_dump_json(by_alias=True, indent=1))
    return Run(run.folder, run.graph, options, about)


def _text(graph: Graph) -> str:
    if len(graph.sources) == 1:
        return next(iter(graph.sources.values()))
    return "\n".join(f"# {name}\n{text}" for name, text in graph.sources.items())


def open_run(folder: Path) -> Run:
    """The run that lies in a folder which `cnndsl train` or `Network.train` made: its `graph`, `options`, `classes`, and with
    `weights()` its best weights by key. Raises `CnnError` (not-a-run, damaged-run)."""
    if not is_file(folder / ABOUT):
        raise _no_run(f"{folder} is no run: it has no {ABOUT}", "give a folder that `cnndsl train` made")
    try:
        about = About.model_validate_json(_content(folder / ABOUT))
        graph = read_graph(_content(folder / GRAPH), GRAPH)
        options = Options.model_validate_json(_json(about.options))
    except (CnnError, OSError, ValueError) as error:
        raise damaged(f"{folder} cannot be read: {_first(error)}") from None
    if graph_hash(graph) != about.graph:
        raise damaged(f"{folder / GRAPH} is not the network that was trained")
    return Run(folder, graph, options, about)


def _content(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(MOST_GRAPH_BYTES + 1)


def _json(options: Mapping[str, Any]) -> str:
    import json

    return json.dumps(dict(options))


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
    return error.diagnostics[0].message if isinstance(error, CnnError) else str(error)


def damaged(message: str) -> CnnError:
    """The fault of a run whose files are not what was written."""
    return fault("damaged-run", message, help="train again, or take another run")


def _no_run(message: str, help: str) -> CnnError:
    return fault("not-a-run", message, help=help)
