"""Files of weights: safetensors read and written with NumPy alone, PyTorch's own with PyTorch, others by `foreign/`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from cnndsl.diagnostics.errors import CnnError, Diagnostic, MissingPart
from cnndsl.diagnostics.extras import how_to_install
from cnndsl.disk.files import is_file, open_file, written_aside
from cnndsl.disk.kinds import FileKind, kind_of

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

_DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "I64": "int64", "I32": "int32", "I16": "int16",
    "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
_MOST_HEADER = 100_000_000
QUANTIZED = "cnndsl-quantized"
"""What a file of a quantised network says its format is; see `quantization/file.py`."""
_MOST_REPEATED = 1_000_000_000


def read_weights(path: Path | str, ending: str = "") -> Arrays:
    """The arrays of a file by key: `.safetensors`, PyTorch's `.pth` and `.pt`, Keras' `.h5` and `.hdf5`, a `.pkl` of arrays,
    TensorFlow's `.pb` and `.index`, TensorFlow.js' `model.json`. `ending` counts in place of the file's own.

    bfloat16 is widened to float32. Nothing in a file is ever called. Raises `CnnError` (file-not-found, unreadable-weights)
    and `MissingPart` where a reader takes a library that is not installed.
    """
    path = Path(path)
    ending = ending or path.suffix
    if ending == ".weights":
        raise _fault(
            "unreadable-weights",
            f"{path.name} is Darknet's: it names no array",
            "published ones are read by `--weights published`",
        )
    if ending not in _READERS:
        raise _fault("unreadable-weights", f"{path.name} is not a file of weights", _instead(path))
    return _read(path, lambda file: _READERS[ending](file, path))


def read_safetensors(path: Path) -> tuple[Arrays, dict[str, str]]:
    """The arrays of a `.safetensors` file by key, and the texts in its header by name. Raises what `read_weights` raises."""
    return _read(path, _safetensors)


def read_texts(path: Path) -> dict[str, str]:
    """The texts in the header of a `.safetensors` file alone, read without NumPy. Raises what `read_weights` raises."""

    def texts(file: BinaryIO) -> dict[str, str]:
        length = int.from_bytes(file.read(8), "little")
        if length > _MOST_HEADER:
            raise ValueError(f"its header has more than {_MOST_HEADER:,} bytes")
        text = file.read(length)
        if len(text) < length:
            raise ValueError("its header is longer than the file")
        return _texts(_header(text))

    return _read(path, texts)


_T = TypeVar("_T")


def _read(path: Path, reader: Callable[[BinaryIO], _T]) -> _T:
    try:
        with open_file(path) as file:
            return reader(file)
    except (ValueError, OSError) as e:
        raise _fault("unreadable-weights", f"{path.name} cannot be read: {e}", _again(path)) from e


def _instead(path: Path) -> str:
    """What to do with a file whose name is not one of weights."""
    kind = _kind(path)
    return f"it is {kind.what}: {kind.as_weights}" if kind else "give a `.safetensors`, `.pth` or `.pt` file"


def _again(path: Path) -> str:
    """What to do about a file of weights that cannot be read."""
    kind = _kind(path)
    if path.suffix == ".safetensors" or kind is None:
        return "save the weights again"
    return f"it is {kind.what}: {kind.as_weights}"


def _kind(path: Path) -> FileKind | None:
    if not is_file(path):
        return None
    with open_file(path) as file:
        return kind_of(path.name, file.read(1_000_000))


def write_weights(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """Writes arrays by key as a `.safetensors` file, with `metadata` (texts by name) in its header. The file appears whole or
    not at all. Raises `MissingPart` for a full disk."""
    import numpy as np

    names = {dtype: code for code, dtype in _DTYPES.items()}
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    offset = 0
    for key, array in arrays.items():
        header[key] = {
            "dtype": names[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with written_aside(path) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).data)


def _read_safetensors(file: BinaryIO, path: Path) -> Arrays:
    arrays, texts = _safetensors(file)
    if texts.get("format") == QUANTIZED:
        raise _fault(
            "quantized-weights",
            f"{path.name} holds a quantised network, whose layers have whole numbers for weights",
            "say `--precision int8` where there is such an option, else give the weights that it was made of",
        )
    return arrays


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except RecursionError:
        header = None
    if not isinstance(header, dict):
        raise ValueError("its header is not one of safetensors")
    return header


def _texts(header: dict[str, Any]) -> dict[str, str]:
    texts = header.get("__metadata__", {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("its header is not one of safetensors")
    return texts


def _safetensors(file: BinaryIO) -> tuple[Arrays, dict[str, str]]:
    import numpy as np

    data = np.memmap(file, mode="r", dtype=np.uint8)
    length = int.from_bytes(data[:8].tobytes(), "little")
    if len(data) < 8 or 8 + length > len(data):
        raise ValueError("its header is longer than the file")
    if length > _MOST_HEADER:
        raise ValueError(f"its header has more than {_MOST_HEADER:,} bytes")
    header = _header(data[8 : 8 + length].tobytes())
    body, texts = data[8 + length :], _texts(header)
    return {key: _tensor(body, key, entry) for key, entry in header.items() if key != "__metadata__"}, texts


def _tensor(body: np.ndarray, key: str, entry: Any) -> np.ndarray:
    import numpy as np

    match entry:
        case {"data_offsets": [int(start), int(end)], "dtype": str(code), "shape": [*shape]} if all(
            type(size) is int and size >= 0 for size in shape
        ):
            pass
        case _:
            raise ValueError(f"the header of {key} is not one of safetensors")
    if not 0 <= start <= end <= len(body):
        raise ValueError(f"{key} lies outside the file")
    if code != "BF16" and code not in _DTYPES:
        raise ValueError(f"{key} is of an unknown type {code}")
    dtype = np.dtype(np.uint16 if code == "BF16" else _DTYPES[code])
    if prod(shape) * dtype.itemsize != end - start:
        raise ValueError(f"{key} has {end - start} bytes for the shape {shape} of {code}")
    flat = np.frombuffer(body[start:end].tobytes(), dtype)
    if code == "BF16":
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    return flat.reshape(shape)


def _read_pth(file: BinaryIO) -> Arrays:
    try:
        import torch
    except ImportError:
        raise MissingPart("reading PyTorch's own files takes PyTorch", how_to_install("torch")) from None
    import warnings

    try:
        with warnings.catch_warnings():
            # Of a TorchScript archive torch warns with a path of its own source; it is told as what it is.
            warnings.simplefilter("ignore")
            state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as e:
        # A damaged pickle ends in an error of almost any kind.
        raise ValueError("it is not a state dict that can be loaded safely") from e
    # Training loops often save the state dict beside other things.
    for wrapper in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()
    ):
        raise ValueError("it holds no state dict")
    # Strides of zero make terabytes of a few bytes.
    sizes = [(t.numel() * t.element_size(), t) for t in state.values() if t.layout == torch.strided]
    if sum(size for size, t in sizes if size > t.untyped_storage().nbytes()) > _MOST_REPEATED:
        raise ValueError(f"it repeats its numbers to more than {_MOST_REPEATED:,} bytes")
    return {key: _array(key, tensor) for key, tensor in state.items()}


def _array(key: str, tensor: Any) -> np.ndarray:
    import torch

    names = [*_DTYPES.values(), "bfloat16"]
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        raise ValueError(f"{key} is no plain tensor")
    if str(tensor.dtype).removeprefix("torch.") not in names:
        raise ValueError(f"{key} is of an unknown type {tensor.dtype}")
    found: np.ndarray = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().contiguous().numpy()
    return found


def _read_hdf5(file: BinaryIO, _: Path) -> Arrays:
    from cnndsl.arrays.foreign.hdf5 import read_hdf5

    return read_hdf5(file)


def _read_pickled(file: BinaryIO, _: Path) -> Arrays:
    from cnndsl.arrays.foreign.pickled import read_pickled

    return read_pickled(file)


def _read_tf_graph(file: BinaryIO, _: Path) -> Arrays:
    from cnndsl.arrays.foreign.tf_graph import read_tf_graph

    return read_tf_graph(file)


def _read_tf_checkpoint(file: BinaryIO, path: Path) -> Arrays:
    from cnndsl.arrays.foreign.tf_checkpoint import read_tf_checkpoint

    with open_file(path.with_name(f"{path.name.removesuffix('index')}data-00000-of-00001")) as data:
        return read_tf_checkpoint(file, data)


def _read_tfjs(file: BinaryIO, path: Path) -> Arrays:
    from cnndsl.arrays.foreign.tfjs import read_tfjs

    def beside(name: str) -> bytes:
        with open_file(path.with_name(name)) as found:
            return found.read()

    return read_tfjs(file, beside)


_READERS: dict[str, Callable[[BinaryIO, Path], Arrays]] = {
    ".safetensors": _read_safetensors,
    ".pth": lambda file, _: _read_pth(file),
    ".pt": lambda file, _: _read_pth(file),
    ".h5": _read_hdf5,
    ".hdf5": _read_hdf5,
    ".pkl": _read_pickled,
    ".pickle": _read_pickled,
    ".pb": _read_tf_graph,
    ".index": _read_tf_checkpoint,
    ".json": _read_tfjs,
}


def _fault(id: str, message: str, help: str) -> CnnError:
    return CnnError([Diagnostic(id=id, message=message, help=help)])
