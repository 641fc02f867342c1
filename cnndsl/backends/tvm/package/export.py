"""A compiled network as a directory that needs NumPy, and nothing of ours."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from cnndsl.arrays import answers, pictures
from cnndsl.arrays.weights import write_weights
from cnndsl.backends.tvm.code.alone import DRIVER, Ports
from cnndsl.backends.tvm.package.building import build_files
from cnndsl.backends.tvm.package.manifest import Manifest, constant_keys
from cnndsl.backends.tvm.predict import MOST_MANIFEST_BYTES
from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.disk.files import exists, open_file
from cnndsl.disk.folders import folder_aside
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.code.compiled import Compiled


def export(
    variants: Sequence[Sequence[Compiled]], manifest: Manifest, sample: Mapping[str, np.ndarray], path: Path | str
) -> Path:
    """Writes the package aside and puts it in its place in one step; an older package there is replaced, nothing else.

    Raises `MissingPart` without a compiler that can link it or where it cannot be written, and `CnnError`
    (not-a-package) when something else lies at `path`.
    """
    path = Path(path).absolute()
    refuse_foreign(path)
    for parts in variants:
        parts[0].code.check_linker()
    with folder_aside(path) as aside:
        _write(variants, manifest, sample, aside)
    return path


def refuse_foreign(path: Path) -> None:
    """Raises `CnnError` (not-a-package) when something lies at `path` that a package must not replace."""
    if not exists(path) or (path.is_dir() and not any(path.iterdir())):
        return
    try:
        with open_file(path / "manifest.json") as file:
            Manifest.model_validate_json(file.read(MOST_MANIFEST_BYTES))
    except (CnnError, ValidationError):
        raise fault(
            "not-a-package",
            f"{path} exists and is not a package of ours",
            help="give another directory, or remove this one",
        ) from None


def _write(
    variants: Sequence[Sequence[Compiled]], manifest: Manifest, sample: Mapping[str, np.ndarray], folder: Path
) -> None:
    entries = []
    for parts, entry in zip(variants, manifest.variants, strict=True):
        arrays: dict[str, np.ndarray] = {}
        programs = []
        for compiled, part, keys in zip(parts, entry.programs, constant_keys(parts), strict=True):
            arrays |= {keys[name]: array for name, array in compiled.constants.items()}
            ports = Ports(
                tuple(port.name for port in manifest.inputs),
                tuple(port.name for port in manifest.outputs),
                tuple(part.constants),
            )
            programs.append(part.model_copy(update={"library": compiled.code.write(folder, str(part.library), ports)}))
        # Arrays of whole cache lines first: all of them start at a multiple of one, and can be used where they lie.
        ordered = dict(sorted(arrays.items(), key=lambda item: item[1].nbytes % 64 != 0))
        write_weights(folder / entry.weights, ordered)
        entries.append(entry.model_copy(update={"programs": programs}))
    graph = variants[0][0].graph
    if manifest.runtime == "alone":
        in_browser = manifest.variants[0].system == "wasm"
        for name in ("network.mjs",) if in_browser else ("network.h", "example.c"):
            shutil.copyfile(DRIVER / name, folder / name)
        libraries = [str(part.library) for entry in entries for part in entry.programs]
        for name, text in () if in_browser else build_files(graph.name, libraries):
            (folder / name).write_text(text, "utf-8")
    write_weights(folder / "sample.safetensors", sample)
    (folder / "source.cnn").write_text(_source(graph), "utf-8")
    (folder / "graph.json").write_text(graph.model_dump_json(indent=1), "utf-8")
    shutil.copyfile(Path(__file__).parents[1] / "predict.py", folder / "predict.py")
    for module in (answers, pictures):
        shutil.copyfile(str(module.__file__), folder / Path(str(module.__file__)).name)
    files = {}
    for file in sorted(folder.iterdir()):
        with file.open("rb") as data:
            files[file.name] = file_digest(data, "sha256").hexdigest()
    written = manifest.model_copy(update={"files": files, "variants": entries})
    (folder / "manifest.json").write_text(written.to_json(), "utf-8")


def _source(graph: Graph) -> str:
    """The program's text; behind a comment with its name where several files make it up."""
    if len(graph.sources) == 1:
        return next(iter(graph.sources.values()))
    return "\n".join(f"# {name}\n{text}" for name, text in graph.sources.items())
