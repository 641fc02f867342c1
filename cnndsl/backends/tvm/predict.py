"""Loads and runs a compiled network. Needs NumPy and nothing else; packages of `--runtime tvm` also need TVM's runtime
(`pip install apache-tvm`).

From Python:   network = load("package/"); y = network(x)
From a shell:  python predict.py x.npy [y.npy], or python predict.py photo.jpg [found.png] (which takes Pillow)

`x` has the input's shape, or the same behind a batch axis of any length: a NumPy array, or anything that speaks
DLPack on the CPU, such as a torch tensor. Contiguous inputs that start at a multiple of 64 bytes are read where they
are. One output comes as an array, several as a dict by name, always with the batch axis. Any thread may call; one
runs at a time.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import math
import os
import re
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
else:

    class _Later:
        """NumPy, imported when something of it is first used: checksums are computed meanwhile."""

        def __getattr__(self, name: str) -> Any:
            global np  # noqa: PLW0603
            import numpy as np

            return getattr(np, name)

    np = _Later()

PARTS = ("weights.safetensors", "sample.safetensors", "source.cnn", "graph.json", "predict.py")
"""Files that every package has beside its manifest and libraries; one for several processors has weights for each."""

ALIGNMENT = 64
"""Bytes; compiled code reads whole vectors at once from where an array starts."""

Runnable = Callable[[Sequence[np.ndarray]], list[np.ndarray]]
"""A network for one batch size: arrays of that batch in the order of the inputs → the outputs."""


class DamagedError(Exception):
    """A file of the package is missing or has changed since it was written."""


class UnsuitableError(Exception):
    """The package is not for this machine, or something that it takes is missing here."""


class WrongInputError(ValueError):
    """An array of another shape or type, or a name that is not an input's."""


class Network:
    """A compiled network with its weights; call it with arrays in the order of its inputs, or by name."""

    def __init__(
        self, manifest: dict[str, Any], runnables: Mapping[int, Runnable], sample: Mapping[str, np.ndarray]
    ) -> None:
        """`runnables` holds one for each batch size; `sample` has arrays `input.NAME` and what they give,
        `output.NAME`."""
        self.manifest = manifest
        self.sample = sample
        self._runnables = dict(sorted(runnables.items()))

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """One array, or a dict by name for several outputs. Raises WrongInputError."""
        inputs, count = self._inputs(arrays, named)
        parts, done = [], 0
        while done < count:
            size = max((b for b in self._runnables if b <= count - done), default=min(self._runnables))
            parts.append(self._run(size, [x[done : done + size] for x in inputs]))
            done += size
        values = [
            part[0][:count] if len(part) == 1 else np.concatenate(part)[:count] for part in zip(*parts, strict=True)
        ]
        outputs = self.manifest["outputs"]
        if [(list(v.shape[1:]), v.dtype.name) for v in values] != [(o["shape"], o["dtype"]) for o in outputs]:
            raise UnsuitableError("the library does not give the outputs that the manifest lists")
        return values[0] if len(outputs) == 1 else {o["name"]: v for o, v in zip(outputs, values, strict=True)}

    def self_test(self) -> float:
        """The largest error on the package's own sample, as a share of the largest value of that output.

        Raises UnsuitableError when it is more than the manifest's `tolerance`: this machine does not give the numbers
        that were found where the package was made.
        """
        found = self(**{i["name"]: self.sample[f"input.{i['name']}"] for i in self.manifest["inputs"]})
        outputs = [o["name"] for o in self.manifest["outputs"]]
        found = found if isinstance(found, dict) else {outputs[0]: found}
        worst = 0.0
        for name in outputs:
            expected = self.sample[f"output.{name}"].astype(np.float64)
            scale = max(float(np.abs(expected).max(initial=0.0)), 1e-30)
            error = float(np.abs(found[name] - expected).max(initial=0.0)) / scale
            worst = max(worst, error if np.isfinite(error) else np.inf)
        if worst > self.manifest["tolerance"]:
            raise UnsuitableError(
                f"the self-test is off by {worst:.1e}; up to {self.manifest['tolerance']:.0e} is right"
            )
        return worst

    def _run(self, size: int, inputs: list[np.ndarray]) -> list[np.ndarray]:
        missing = size - len(inputs[0])
        if missing:
            try:
                inputs = [np.concatenate([x, np.zeros((missing, *x.shape[1:]), x.dtype)]) for x in inputs]
            except (MemoryError, ValueError):
                raise UnsuitableError(f"a run of {size} examples does not fit into memory") from None
        return self._runnables[size](inputs)

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
    array, name = _viewed(value, expected["name"]), expected["name"]
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


def _viewed(value: Any, name: str) -> np.ndarray:
    """The value as an array, without a copy where it shares its memory."""
    if isinstance(value, np.ndarray) or not hasattr(value, "__dlpack__"):
        return np.asarray(value)
    try:
        return np.from_dlpack(value)
    except (BufferError, RuntimeError, TypeError, ValueError) as e:
        raise WrongInputError(f"the input {name!r} cannot be read: {e}") from None


# ---- running


class _Turns:
    """One run at a time in this process, and so one that writes to the rooms of a program.

    TVM makes a pool of workers for each thread that calls and never ends it: the first thread has one, and all others
    together another. Workers are not in the copy that a fork makes, and the thread that forked would wait for its
    own: in the copy, all threads count as others.
    """

    def __init__(self) -> None:
        self._taken = threading.Lock()
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._lock = threading.Lock()
        self._others = ThreadPoolExecutor(1, "network")
        # A number of a thread can be another's once it has ended; what is kept for a thread is not.
        self._of_this_thread = threading.local()

    def __call__(self, runnable: Runnable, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        mine = self._of_this_thread
        if not hasattr(mine, "first"):
            mine.first = self._taken.acquire(blocking=False)
        if mine.first:
            return self._locked(runnable, inputs)
        return self._others.submit(self._locked, runnable, inputs).result()

    def _locked(self, runnable: Runnable, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        with self._lock:
            return runnable(inputs)


_turns = cache(_Turns)


def runtime(threads: int | None = None) -> Any:
    """The module `tvm_ffi` with TVM's runtime loaded, on all cores unless told otherwise. Raises UnsuitableError.

    Neither TVM's compiler nor, unless it is imported already, PyTorch is loaded: tvm_ffi would import it for nothing
    but faster views of its tensors, and take a second for it.
    """
    from importlib.util import find_spec

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads is None:
        os.environ.setdefault("TVM_NUM_THREADS", str(cores))
    else:
        os.environ["TVM_NUM_THREADS"] = str(threads)
    hidden = "torch" not in sys.modules
    if hidden:
        sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        import tvm_ffi
        from tvm_ffi.libinfo import load_lib_ctypes
    except ImportError as e:
        raise UnsuitableError(f"TVM's runtime cannot be imported ({e}): run `pip install apache-tvm`") from None
    finally:
        if hidden:
            del sys.modules["torch"]
    spec = find_spec("tvm")
    if spec is None or spec.origin is None:
        raise UnsuitableError("TVM is not installed: run `pip install apache-tvm`")
    load_lib_ctypes("tvm", "tvm_runtime", "RTLD_GLOBAL", extra_lib_paths=[Path(spec.origin).parent / "lib"])
    if threads is not None:
        big_cores_first = 1
        tvm_ffi.get_global_func("runtime.config_threadpool")(big_cores_first, threads)
    return tvm_ffi


def vm_runnable(module: Any, constants: Sequence[np.ndarray]) -> Runnable:
    """The function `main(*inputs, *constants)` of a TVM module on the processor."""
    ffi = runtime()
    machine = module["vm_load_executable"]()
    cpu, pooled = 1, 2
    machine["vm_initialization"](cpu, 0, pooled)
    main = machine["main"]
    # Tensors borrow the memory, so the arrays live as long as the program.
    held = [aligned(array) for array in constants]
    tensors = [ffi.from_dlpack(array) for array in held]
    rooms: dict[int, np.ndarray] = {}

    def run(inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        own = [_settled(x, rooms, index) for index, x in enumerate(inputs)]
        try:
            found = [np.from_dlpack(y) for y in main(*map(ffi.from_dlpack, own), *tensors)]
        except (RuntimeError, ValueError, TypeError) as e:
            raise UnsuitableError(f"the library does not run: {_first_line(e)}") from None
        # Never the caller's own array, or one that the next run writes to: a network that changes nothing hands it
        # back.
        return [y.copy() if any(np.may_share_memory(y, x) for x in own) else y for y in found]

    return lambda inputs: _turns()(run, inputs)


def _settled(array: np.ndarray, rooms: dict[int, np.ndarray], index: int) -> np.ndarray:
    """The array itself if it is aligned, else a copy in the room kept for this input: new memory costs more than
    copying."""
    if array.ctypes.data % ALIGNMENT == 0 and array.flags.writeable:
        return array
    if index not in rooms:
        rooms[index] = _space(array.shape, array.dtype.name)
    rooms[index][...] = array
    return rooms[index]


def cuda_runnable(module: Any, constants: Sequence[np.ndarray]) -> Runnable:
    """The same on the first NVIDIA GPU: constants stay there, inputs and outputs are copied."""
    import tvm

    device = tvm.cuda(0)
    main = tvm.runtime.vm.VirtualMachine(module, device)["main"]
    tensors = [tvm.runtime.tensor(array, device) for array in constants]

    def run(inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [y.numpy() for y in main(*(tvm.runtime.tensor(x, device) for x in inputs), *tensors)]

    return lambda inputs: _turns()(run, inputs)


def c_runnable(
    library: str,
    inputs: Sequence[dict[str, Any]],
    outputs: Sequence[dict[str, Any]],
    batch: int,
    constants: Sequence[np.ndarray],
) -> Runnable:
    """The function `network_run` of a library built from C source, which needs no TVM. Raises ValueError for arrays
    that are not of the sizes that its code takes for granted."""
    native = ctypes.CDLL(str(library))
    native.network_array_bytes.restype = ctypes.c_size_t
    ports = [batch * math.prod(p["shape"]) * np.dtype(p["dtype"]).itemsize for p in (*inputs, *outputs)]
    for index, size in enumerate([*(array.nbytes for array in constants), *ports, 0]):
        if native.network_array_bytes(ctypes.c_size_t(index)) != size:
            raise ValueError(f"its array {index} has not {size} bytes")
    native.network_workspace_bytes.restype = ctypes.c_size_t
    space = _space((max(1, native.network_workspace_bytes()),))
    # Addresses keep nothing alive: `run` refers to what they are of.
    held = (space, [aligned(array) for array in constants])
    table = (ctypes.c_void_p * max(1, len(held[1])))(*(array.ctypes.data for array in held[1]))

    def run(inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        own = [aligned(x) for x in inputs]
        made = [_space((batch, *o["shape"]), o["dtype"]) for o in outputs]
        sources = (ctypes.c_void_p * len(own))(*(x.ctypes.data for x in own))
        results = (ctypes.c_void_p * len(made))(*(y.ctypes.data for y in made))
        native.network_run(table, sources, results, ctypes.c_void_p(held[0].ctypes.data))
        return made

    return lambda inputs: _turns()(run, inputs)


class _Array(ctypes.Structure):
    """`network_array` of `network.h`."""

    _fields_ = (
        ("name", ctypes.c_char_p), ("type", ctypes.c_char_p), ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("axes", ctypes.c_int32), ("bytes", ctypes.c_size_t),
    )  # fmt: skip


class _Face(ctypes.Structure):
    """`network` of `network.h`."""

    _fields_ = (("inputs", ctypes.c_size_t), ("outputs", ctypes.c_size_t), ("arrays", ctypes.POINTER(_Array)))


class _Alone:
    """An open network of a library that needs nothing, closed with the last reference to it. Any thread may call it, and
    the copy that a fork makes: the library sees to turns."""

    def __init__(
        self,
        library: str,
        weights: str,
        inputs: Sequence[dict[str, Any]],
        outputs: Sequence[dict[str, Any]],
        batch: int,
        threads: int | None,
    ) -> None:
        """Raises ValueError where the library has other inputs or outputs than these, and DamagedError where it cannot be
        opened with the file of weights."""
        native = ctypes.CDLL(library)
        native.network_error.restype = ctypes.c_char_p
        native.network_open.restype = ctypes.POINTER(_Face)
        native.network_open.argtypes = (ctypes.c_char_p, ctypes.c_int)
        native.network_run.argtypes = (ctypes.c_void_p,) * 3
        native.network_close.argtypes = (ctypes.c_void_p,)
        self._close, self._run, self._error = native.network_close, native.network_run, native.network_error
        self._opened: int | None = None
        face = native.network_open(os.fsencode(weights), threads or 0)
        if not face:
            raise DamagedError(f"{weights}: {self._why()}")
        self._opened = ctypes.cast(face, ctypes.c_void_p).value
        self._shapes = [(batch, *o["shape"]) for o in outputs]
        self._types = [np.dtype(o["dtype"]) for o in outputs]
        self._given, self._made = ctypes.c_void_p * len(inputs), ctypes.c_void_p * len(outputs)
        ports = [("input", p) for p in inputs] + [("output", p) for p in outputs]
        its = face.contents
        if (its.inputs, its.outputs) != (len(inputs), len(outputs)):
            raise ValueError("it has not as many inputs and outputs as the manifest lists")
        for (kind, port), array in zip(ports, its.arrays[: len(ports)], strict=True):
            found = (array.type.decode(), array.shape[: array.axes])
            if found != (port["dtype"], [batch, *port["shape"]]):
                raise ValueError(f"its {kind} {port['name']!r} is not what the manifest says")

    def __call__(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        made = [_space(shape, dtype) for shape, dtype in zip(self._shapes, self._types, strict=True)]
        given = self._given(*(x.__array_interface__["data"][0] for x in inputs))
        results = self._made(*(y.__array_interface__["data"][0] for y in made))
        if self._run(self._opened, given, results):
            raise UnsuitableError(f"the network does not run: {self._why()}")
        return made

    def _why(self) -> str:
        return bytes(self._error()).decode("utf-8", "replace")

    def __del__(self) -> None:
        if getattr(self, "_opened", None) is not None:
            self._close(self._opened)


def _space(shape: tuple[int, ...], dtype: np.dtype | str = "uint8") -> np.ndarray:
    """A new array, not filled, that starts at a multiple of `ALIGNMENT`."""
    count = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(count + ALIGNMENT, np.uint8)
    start = -room.__array_interface__["data"][0] % ALIGNMENT
    return room[start : start + count].view(dtype).reshape(shape)


def aligned(array: np.ndarray) -> np.ndarray:
    """The array itself where code may read and write whole vectors of it, else a copy."""
    if array.ctypes.data % ALIGNMENT == 0 and array.flags.c_contiguous and array.flags.writeable:
        return array
    copy = _space(array.shape, array.dtype.name)
    copy[...] = array
    return copy


# ---- reading


def read_manifest(folder: Path) -> dict[str, Any]:
    """The package's description: what it must have, of the right types and within bounds. Raises DamagedError."""
    path = _regular(folder, "manifest.json", f"{folder} is no package: it has no manifest.json")
    try:
        if path.stat().st_size > MOST_MANIFEST_BYTES:
            raise ValueError
        manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError, RecursionError):
        raise DamagedError(f"{path} is damaged") from None
    if not _fits(manifest, _FORM) or not _sensible(manifest):
        raise DamagedError(f"{path} is damaged")
    programs = [p for v in manifest["variants"] for p in v["programs"]]
    named = {p["library"] for p in programs} - {None} | {v["weights"] for v in manifest["variants"]}
    if not {*PARTS[1:], *named} <= manifest["files"].keys():
        raise DamagedError(f"{path} does not list all parts of a package")
    return manifest


MOST_MANIFEST_BYTES = 1 << 26
MOST_THREADS = 1024
_PORT = {"name": str, "shape": [int], "dtype": str}
_FORM = {
    "inputs": [_PORT],
    "outputs": [_PORT],
    "tolerance": float,
    "threads": int | None,
    "files": {str: str},
    "variants": [
        {
            "target": {"kind": str},
            "machine": str,
            "system": str,
            "features": [str],
            "weights": str,
            "programs": [{"batch": int, "library": str | None, "constants": [str]}],
        }
    ],
}
"""What a manifest must have: a list of a thing, a dict with these keys (or any, under `str`), a value of a type."""


def _fits(value: Any, form: Any) -> bool:
    if isinstance(form, list):
        return isinstance(value, list) and all(_fits(part, form[0]) for part in value)
    if not isinstance(form, dict):
        return isinstance(value, form) and not isinstance(value, bool)
    if not isinstance(value, dict):
        return False
    if str in form:
        return all(_fits(part, form[str]) for part in value.values())
    return all(key in value and _fits(value[key], part) for key, part in form.items())


def _sensible(manifest: dict[str, Any]) -> bool:
    """Whether the numbers of a manifest that has the right form can be meant."""
    ports = [*manifest["inputs"], *manifest["outputs"]]
    sizes = [n for port in ports for n in port["shape"]]
    batches = [p["batch"] for v in manifest["variants"] for p in v["programs"]]
    return (
        all(manifest[kind] and _distinct(manifest[kind]) for kind in ("inputs", "outputs"))
        and bool(batches)
        and all(v["programs"] for v in manifest["variants"])
        and all(0 < n < 1 << 31 for n in (*sizes, *batches))
        # TVM starts as many as it is told to, and dies where it cannot.
        and (manifest["threads"] is None or 0 < manifest["threads"] <= MOST_THREADS)
        and {port["dtype"] for port in ports} <= set(TYPES.values())
        and 0 <= manifest["tolerance"] <= 1
    )


def _distinct(ports: list[dict[str, Any]]) -> bool:
    return len({port["name"] for port in ports}) == len(ports)


def check(folder: Path, manifest: dict[str, Any], others: Sequence[str] = ()) -> None:
    """Compares the checksum of every file but `others`. Raises DamagedError."""
    for name, checksum in manifest["files"].items():
        if name not in others:
            path = _regular(folder, name)
            try:
                with path.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as e:
                raise DamagedError(f"{path} cannot be read: {e.strerror}") from None
            if found != checksum:
                raise DamagedError(f"{path} has changed since the package was written")


def _regular(folder: Path, name: str, missing: str = "") -> Path:
    """The path of a plain file of the folder itself: no link, no device, nothing elsewhere. Raises DamagedError."""
    path = folder / name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise DamagedError(f"{name!r} is no name for a file of a package")
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError):
        raise DamagedError(missing or f"{path} is missing") from None
    if not stat.S_ISREG(mode):
        raise DamagedError(f"{path} is no plain file")
    return path


def cpu_features() -> frozenset[str] | None:
    """What this processor has, by Linux's names; None where the system does not say."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return None
    line = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return frozenset(line[1].split()) if line else None


def suitable(manifest: dict[str, Any]) -> dict[str, Any]:
    """The best variant of the package that this machine can run; the last is the best. Raises UnsuitableError."""
    machine = _machine()
    has, reasons = cpu_features(), []
    for variant in reversed(manifest["variants"]):
        if not (why := _unfit(variant, machine, has)):
            return dict(variant)
        reasons.append(why)
    raise UnsuitableError(f"this package does not run here: {'; '.join(dict.fromkeys(reasons))}")


def _machine() -> str:
    """The family of this machine's processor."""
    if hasattr(os, "uname"):
        found = os.uname().machine.lower()
    else:
        import platform

        found = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(found, found)


def _unfit(variant: dict[str, Any], machine: str, has: frozenset[str] | None) -> str:
    """Why the variant does not run here, or nothing."""
    target = variant["target"]
    if any(part["library"] is None for part in variant["programs"]):
        return "it is C source without a library, because no C compiler was at hand; build.sh says how it is built"
    if target["kind"] == "cuda":
        exists, cuda = 0, 2
        asked = runtime().get_global_func("runtime.GetDeviceAttr", allow_missing=True)
        if asked is None or not asked(cuda, 0, exists):
            return f"it is for an NVIDIA GPU ({target.get('arch')}), and none is found"
    family, system = variant["machine"], variant["system"]
    if family != machine:
        return f"it is for {family}, and this machine is {machine}"
    if system != sys.platform:
        return f"it is for {system}, and this is {sys.platform}"
    missing = sorted(set(variant["features"]) - has) if has is not None else []
    return f"{target.get('mcpu', 'its code')} takes {', '.join(missing)}, which this processor lacks" if missing else ""


def load(folder: str | os.PathLike[str], threads: int | None = None) -> Network:
    """The network of a package directory, on `threads` threads; by default as many as it was compiled for, or all
    cores.

    Raises DamagedError, UnsuitableError.
    """
    folder = Path(folder).absolute()
    for _ in range(100):
        found = _identity(folder)
        try:
            network = _loaded(folder, threads)
        except Exception:
            if _identity(folder) == found:
                raise
        else:
            if _identity(folder) == found:
                return network
        # Another package took its place: what was read may be of both.
    raise DamagedError(f"{folder} is being replaced all the time")


def _identity(folder: Path) -> tuple[int, ...]:
    """Other numbers for another folder of the same name."""
    try:
        status = folder.stat()
    except (OSError, ValueError):
        return ()
    return (status.st_dev, status.st_ino, status.st_mtime_ns)


def _loaded(folder: Path, threads: int | None) -> Network:
    manifest = read_manifest(folder)
    threads = threads or manifest.get("threads")
    variant = suitable(manifest)
    mine = {p["library"] for p in variant["programs"]} | {variant["weights"]}
    of_any = {p["library"] for v in manifest["variants"] for p in v["programs"]}
    of_any |= {v["weights"] for v in manifest["variants"]}
    with _meanwhile(lambda: check(folder, manifest, sorted(of_any - mine - {None}))):
        # Importing NumPy takes as long as reading the weights does.
        _ = np.ndarray
    sample, weights = _sample(folder, manifest), read_weights(_regular(folder, variant["weights"]))
    runnables = {}
    for part in variant["programs"]:
        if absent := set(part["constants"]) - weights.keys():
            raise DamagedError(f"{folder / variant['weights']} has no {min(absent)!r}")
        if manifest.get("runtime") == "alone" and variant["target"]["kind"] == "llvm":
            runnables[part["batch"]] = _alone(folder, manifest, variant, part, threads)
        else:
            constants = [weights[key] for key in part["constants"]]
            runnables[part["batch"]] = _opened(folder, manifest, variant["target"]["kind"], part, constants, threads)
    return Network(manifest, runnables, sample)


@contextmanager
def _meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Does the work in a thread of its own while the body runs, waits for it, and raises what it raised."""
    raised: list[Exception] = []

    def begin() -> None:
        try:
            work()
        except Exception as e:  # noqa: BLE001  (it is raised below)
            raised.append(e)

    thread = threading.Thread(target=begin, name="checksums")
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if raised:
        raise raised[0]


def _alone(
    folder: Path, manifest: dict[str, Any], variant: dict[str, Any], part: dict[str, Any], threads: int | None
) -> Runnable:
    library, weights = _regular(folder, part["library"]), _regular(folder, variant["weights"])
    spelt = _spelt(library, manifest["files"][library.name])
    try:
        return _Alone(spelt, str(weights), manifest["inputs"], manifest["outputs"], part["batch"], threads)
    except (OSError, AttributeError, ValueError) as e:
        raise DamagedError(f"{library} cannot be loaded: {_first_line(e)}") from None


def _opened(
    folder: Path,
    manifest: dict[str, Any],
    kind: str,
    part: dict[str, Any],
    constants: Sequence[np.ndarray],
    threads: int | None,
) -> Runnable:
    batch, library = part["batch"], _regular(folder, part["library"])
    spelt = _spelt(library, manifest["files"][library.name])
    ffi = None if kind == "c" else runtime(threads)
    try:
        if ffi is None:
            os.environ.update({"OMP_NUM_THREADS": str(threads)} if threads else {})
            return c_runnable(spelt, manifest["inputs"], manifest["outputs"], batch, constants)
        module = ffi.load_module(spelt)
        return (cuda_runnable if kind == "cuda" else vm_runnable)(module, constants)
    except (OSError, RuntimeError, AttributeError, ValueError, TypeError) as e:
        raise DamagedError(f"{library} cannot be loaded: {_first_line(e)}") from None


def _spelt(library: Path, checksum: str) -> str:
    """The path of a library, spelt in a way of its own for each content.

    The system's loader knows libraries by how their path is spelt, and for one that is in use it hands out what it
    loaded, though another file has taken its place since.
    """
    if os.name != "posix":
        return str(library)
    steps = "".join("/." if bit == "1" else "/" for bit in f"{int(checksum[:8], 16):032b}")
    return f"{library.parent}{steps}/{library.name}"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _sample(folder: Path, manifest: dict[str, Any]) -> dict[str, np.ndarray]:
    """One example of every input and output. Raises DamagedError."""
    path = _regular(folder, "sample.safetensors")
    arrays = read_weights(path)
    for kind in ("input", "output"):
        for port in manifest[f"{kind}s"]:
            array = arrays.get(f"{kind}.{port['name']}")
            if array is None or array.shape != (1, *port["shape"]) or array.dtype.name != port["dtype"]:
                raise DamagedError(f"{path} has no example of the {kind} {port['name']!r}")
    return arrays


TYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U16": "uint16", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
"""NumPy's names for the types of safetensors."""


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file, mapped into memory and not copied; what is written to them stays here.

    Raises DamagedError.
    """
    try:
        data = np.memmap(path, np.uint8, "c")
        start = 8 + int.from_bytes(data[:8].tobytes(), "little")
        header = json.loads(data[8:start].tobytes())
        return {name: _array(data[start:], entry) for name, entry in header.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise DamagedError(f"{path} holds no arrays that can be read") from None


def _array(data: np.ndarray, entry: dict[str, Any]) -> np.ndarray:
    """Raises ValueError, KeyError or TypeError for an entry of a header that says what cannot be."""
    (low, high), shape = entry["data_offsets"], entry["shape"]
    if not _fits([low, high, *shape], [int]) or not 0 <= low <= high <= len(data) or min(shape, default=0) < 0:
        raise ValueError
    return data[low:high].view(TYPES[entry["dtype"]]).reshape(shape)


def main(arguments: Sequence[str]) -> int:
    """Runs the package this file lies in on arrays from `.npy` or `.npz` files, or on a picture."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python predict.py x.npy|x.npz|photo.jpg [y.npy|y.npz|found.png]", file=sys.stderr)
        return 2
    try:
        network = load(Path(__file__).parent)
        if network.manifest.get("trained") is False:
            print("note: nobody gave weights: these are first ones, untrained", file=sys.stderr)
        if not arguments[0].endswith((".npy", ".npz")):
            _look(network, *arguments)
            return 0
        given = _given(arguments[0])
        result = network(given) if isinstance(given, np.ndarray) else network(**given)
        if len(arguments) == 2:
            _write(Path(arguments[1]), result)
        else:
            print(result)
    except (DamagedError, UnsuitableError, WrongInputError, OSError) as e:
        print(f"error: {e}", file=sys.stderr)
        return 3 if isinstance(e, DamagedError | UnsuitableError) else 1
    return 0


def _look(network: Network, name: str, out: str = "") -> None:
    """Says what is in a picture, and draws it. Raises WrongInputError, UnsuitableError, DamagedError."""
    # They lie beside this file, which is where Python looks first.
    import answers  # type: ignore[import-not-found]
    import pictures  # type: ignore[import-not-found]

    (port, *others) = network.manifest["inputs"]
    if others or len(port["shape"]) != 3 or port["shape"][0] not in (1, 3):
        raise WrongInputError("this network does not look at pictures: give a .npy or .npz file")
    try:
        with open(name, "rb") as stream:  # noqa: PTH123  (pathlib's raises for names that cannot be)
            picture = pictures.opened(stream)
    except ImportError:
        raise UnsuitableError("reading pictures takes Pillow: run `pip install pillow`") from None
    except Exception as e:  # noqa: BLE001  (Pillow's decoders end in errors of many kinds)
        raise WrongInputError(f"{name} cannot be read as a picture: {_first_line(e)}") from None
    told = network.manifest.get("answer") or {"kind": "classes" if len(network.manifest["outputs"]) == 1 else "numbers"}
    try:
        x, frame = pictures.prepared(picture, port["shape"], network.manifest.get("pictures") or {})
        y = network(x)
        outputs = y if isinstance(y, dict) else {network.manifest["outputs"][0]["name"]: y}
        found = answers.answer(told, {key: value[0] for key, value in outputs.items()}, port["shape"][1:], frame)
        drawn = pictures.drawn(picture, found) if out else None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as e:
        raise DamagedError(f"the manifest says of pictures or answers what cannot be: {_first_line(e)}") from None
    print("\n".join(answers.lines(found, 5)))
    if drawn is not None:
        drawn.save(out)


def _given(name: str) -> Any:
    """The array of a file, or its arrays by name. Raises WrongInputError."""
    if not os.path.isfile(name):  # noqa: PTH113  (pathlib's raises for names that cannot be)
        raise WrongInputError(f"there is no file {name}")
    try:
        found = np.load(name, allow_pickle=False)
        return found if isinstance(found, np.ndarray) else dict(found)
    except Exception as e:  # noqa: BLE001  (zip, zlib and Python's tokenizer have a part in it, each with its errors)
        raise WrongInputError(f"{name} cannot be read: {_first_line(e)}") from None


def _write(path: Path, result: Any) -> None:
    """Writes aside and renames: what lies at `path` is whole at every moment. Raises OSError."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            np.savez(file, **result) if isinstance(result, dict) else np.save(file, result)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
