"""Loads and runs a compiled network. Needs NumPy and TVM's runtime (`pip install apache-tvm`), nothing else.

From Python:   network = load("package/"); y = network(x)
From a shell:  python predict.py x.npy [y.npy]

`x` has the input's shape, or the same behind a batch axis of any length. One output comes as an array, several
as a dict by name, always with the batch axis.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PARTS = ("lib.so", "weights.safetensors", "source.cnn", "graph.json", "predict.py")
"""The files of a package beside its manifest."""


class DamagedError(Exception):
    """A file of the package is missing or has changed since it was written."""


class WrongInputError(ValueError):
    """An array of another shape or type, or a name that is not an input's."""


class Network:
    """A compiled network with its weights; call it with arrays in the order of its inputs, or by name."""

    def __init__(self, library: Any, manifest: dict[str, Any], constants: Sequence[np.ndarray]) -> None:
        """`library` is TVM's module or executable, `constants` are the arrays that `manifest["constants"]` names."""
        import tvm

        self.manifest = manifest
        self._tensor = tvm.runtime.tensor
        self._main = tvm.runtime.vm.VirtualMachine(library, tvm.cpu())["main"]
        self._constants = [self._tensor(array) for array in constants]

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """One array, or a dict by name for several outputs. Raises WrongInputError."""
        inputs, count = self._inputs(arrays, named)
        batch: int = self.manifest["batch"]
        parts = [self._run([x[i : i + batch] for x in inputs]) for i in range(0, count, batch)]
        values = [
            np.concatenate(part)[:count] if len(part) > 1 else part[0][:count] for part in zip(*parts, strict=True)
        ]
        outputs = self.manifest["outputs"]
        return values[0] if len(outputs) == 1 else {o["name"]: v for o, v in zip(outputs, values, strict=True)}

    def _run(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        missing = self.manifest["batch"] - len(inputs[0])
        if missing:
            inputs = [np.concatenate([x, np.zeros((missing, *x.shape[1:]), x.dtype)]) for x in inputs]
        values = self._main(*map(self._tensor, inputs), *self._constants)
        return [value.numpy() for value in values]

    def _inputs(self, arrays: Sequence[Any], named: Mapping[str, Any]) -> tuple[list[np.ndarray], int]:
        expected = self.manifest["inputs"]
        names = [i["name"] for i in expected]
        if len(arrays) > len(names):
            raise WrongInputError(f"expected {len(names)} inputs ({', '.join(names)}), found {len(arrays)}")
        given = dict(zip(names, arrays, strict=False))
        for name, array in named.items():
            if name not in names:
                raise WrongInputError(f"there is no input {name!r}; expected {', '.join(names)}")
            if name in given:
                raise WrongInputError(f"the input {name!r} is given twice")
            given[name] = array
        if absent := [name for name in names if name not in given]:
            raise WrongInputError(f"the input {absent[0]!r} is missing; expected {', '.join(names)}")
        batched = [_batched(given[i["name"]], i) for i in expected]
        counts = {len(x) for x in batched}
        if len(counts) > 1 or counts == {0}:
            raise WrongInputError(
                f"expected one batch size from 1 for all inputs, found {', '.join(map(str, sorted(counts)))}"
            )
        return batched, counts.pop()


def _batched(value: Any, expected: dict[str, Any]) -> np.ndarray:
    array, name = np.asarray(value), expected["name"]
    shape, dtype = tuple(expected["shape"]), np.dtype(expected["dtype"])
    if array.shape != shape and array.shape[1:] != shape:
        one = "×".join(map(str, shape))
        found = "×".join(map(str, array.shape)) or "one number"
        raise WrongInputError(f"the input {name!r} is {found}; expected {one}, or a batch N×{one}")
    # Wider floats may be narrowed as everywhere in NumPy; whole numbers are not taken for an image by accident.
    if not np.can_cast(array.dtype, dtype, "same_kind") or array.dtype.kind != dtype.kind:
        raise WrongInputError(f"the input {name!r} is of {array.dtype}; expected {dtype}")
    array = array if array.ndim == len(shape) + 1 else array[None]
    return np.ascontiguousarray(array, dtype)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The package's description, after the checksums of all its files were compared. Raises DamagedError."""
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
        files: dict[str, str] = manifest["files"]
    except FileNotFoundError:
        raise DamagedError(f"{folder} is no package: it has no manifest.json") from None
    except (ValueError, KeyError, TypeError):
        raise DamagedError(f"{folder / 'manifest.json'} is damaged") from None
    if not isinstance(files, dict) or not set(PARTS) <= set(files):
        raise DamagedError(f"{folder / 'manifest.json'} does not list all parts of a package")
    for name, checksum in files.items():
        path = folder / name
        if not path.is_file():
            raise DamagedError(f"{path} is missing")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != checksum:
                raise DamagedError(f"{path} has changed since the package was written")
    return manifest


def load(folder: str | os.PathLike[str]) -> Network:
    """The network of a package directory. Raises DamagedError."""
    folder = Path(folder).resolve()
    manifest = read_manifest(folder)
    # TVM reads this once, while it is imported, and by itself takes half the cores.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    os.environ.setdefault("TVM_NUM_THREADS", str(cores))
    import tvm

    arrays = _read_constants(folder / "weights.safetensors")
    library = tvm.runtime.load_module(str(folder / "lib.so"))
    return Network(library, manifest, [arrays[name] for name in manifest["constants"]])


def _read_constants(path: Path) -> dict[str, np.ndarray]:
    data = np.memmap(path, mode="r", dtype=np.uint8)
    start = 8 + int.from_bytes(data[:8].tobytes(), "little")
    header = json.loads(data[8:start].tobytes())
    types = {
        "F64": "f8",
        "F32": "f4",
        "F16": "f2",
        "I64": "i8",
        "I32": "i4",
        "I16": "i2",
        "I8": "i1",
        "U8": "u1",
        "BOOL": "?",
    }
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__":
            low, high = entry["data_offsets"]
            arrays[name] = data[start + low : start + high].view(types[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def main(arguments: Sequence[str]) -> int:
    """Runs the package this file lies in on arrays from `.npy` or `.npz` files."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python predict.py x.npy|x.npz [y.npy|y.npz]", file=sys.stderr)
        return 2
    try:
        network = load(Path(__file__).parent)
        given = np.load(arguments[0], allow_pickle=False)
        result = network(given) if isinstance(given, np.ndarray) else network(**given)
    except (DamagedError, WrongInputError, OSError, ValueError) as e:
        print(f"error: {e}", file=sys.stderr)
        return 3 if isinstance(e, DamagedError) else 1
    if len(arguments) == 2 and isinstance(result, dict):
        np.savez(arguments[1], **result)
    elif len(arguments) == 2:
        np.save(arguments[1], result)
    else:
        print(result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
