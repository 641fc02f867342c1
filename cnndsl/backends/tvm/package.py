"""A compiled network as a directory that needs TVM's runtime and NumPy, and nothing of ours."""

from __future__ import annotations

import os
import shutil
import tempfile
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnndsl.errors import CnnError, Diagnostic, MissingPart
from cnndsl.ir.graph import Graph
from cnndsl.version import __version__
from cnndsl.weights import write_weights

if TYPE_CHECKING:
    from cnndsl.backends.tvm.lower import Compiled


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Port(_Strict):
    """An input or output; the shape is without batch."""

    name: str
    shape: list[int]
    dtype: str


class Manifest(_Strict):
    """What a package is. `files` are SHA-256 sums by name; `constants` the arrays in the order the code takes them."""

    format: Literal["cnndsl-package"] = "cnndsl-package"
    version: Literal[1] = Field(default=1, alias="schema")
    model: str
    inputs: list[Port]
    outputs: list[Port]
    batch: int
    target: dict[str, str]
    tvm: str
    cnndsl: str
    weights: str
    constants: list[str]
    files: dict[str, str] = {}

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1)


def describe(compiled: Compiled) -> Manifest:
    """The manifest of a compiled network that is not yet written."""
    from cnndsl.backends.tvm.library import load_tvm

    graph = compiled.graph
    return Manifest(
        model=graph.name,
        inputs=[Port(name=i.name, shape=list(i.type.shape), dtype=i.type.dtype) for i in graph.inputs],
        outputs=[_output(graph, o.name, o.node) for o in graph.outputs if not o.training],
        batch=compiled.options.batch,
        target={"kind": "llvm", "mcpu": compiled.cpu.name, "mtriple": compiled.cpu.triple},
        tvm=load_tvm().__version__,
        cnndsl=__version__,
        weights=compiled.origin,
        constants=list(compiled.constants),
    )


def _output(graph: Graph, name: str, node: str) -> Port:
    type = graph.types[node]
    return Port(name=name, shape=list(type.shape), dtype=type.dtype)


def export(compiled: Compiled, path: Path | str) -> Path:
    """Writes the package aside, then renames it to `path`; an older package there is replaced, nothing else.

    Raises `MissingPart` without a C++ compiler and `CnnError` (not-a-package) when something else lies at `path`.
    """
    path = Path(path).absolute()
    refuse_foreign(path)
    if not any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++", "c++")):
        raise MissingPart(
            "linking a package takes a C++ compiler, and there is none",
            "install one: `apt install g++` or `brew install gcc`",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        _write(compiled, aside)
        aside.chmod(0o755)
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
            path.rename(old / "package")
            aside.rename(path)
            shutil.rmtree(old)
        else:
            aside.rename(path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return path


def refuse_foreign(path: Path) -> None:
    """Raises `CnnError` (not-a-package) when something lies at `path` that a package must not replace."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    try:
        Manifest.model_validate_json((path / "manifest.json").read_bytes())
    except (OSError, ValidationError):
        raise CnnError(
            [
                Diagnostic(
                    id="not-a-package",
                    message=f"{path} exists and is not a package of ours",
                    help="give another directory, or remove this one",
                )
            ]
        ) from None


def _write(compiled: Compiled, folder: Path) -> None:
    compiled.executable.export_library(str(folder / "lib.so"))
    write_weights(folder / "weights.safetensors", compiled.constants)
    (folder / "source.cnn").write_text(_source(compiled.graph), "utf-8")
    (folder / "graph.json").write_text(compiled.graph.model_dump_json(indent=1), "utf-8")
    shutil.copyfile(Path(__file__).with_name("predict.py"), folder / "predict.py")
    files = {}
    for file in sorted(folder.iterdir()):
        with file.open("rb") as data:
            files[file.name] = file_digest(data, "sha256").hexdigest()
    manifest = describe(compiled).model_copy(update={"files": files})
    (folder / "manifest.json").write_text(manifest.to_json(), "utf-8")


def _source(graph: Graph) -> str:
    """The program's text; behind a comment with its name where several files make it up."""
    if len(graph.sources) == 1:
        return next(iter(graph.sources.values()))
    return "\n".join(f"# {name}\n{text}" for name, text in graph.sources.items())
