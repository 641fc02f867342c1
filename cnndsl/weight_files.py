"""Files of weights: safetensors read and written with NumPy alone, PyTorch's own with PyTorch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.errors import CnnError, Diagnostic, MissingPart

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

_DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "I64": "int64", "I32": "int32", "I16": "int16",
    "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip


def read_weights(path: Path | str) -> Arrays:
    """The arrays of a `.safetensors`, `.pth` or `.pt` file by key.

    bfloat16 is widened to float32. Raises `CnnError` (file-not-found, unreadable-weights) and, for PyTorch's
    own files without PyTorch, `MissingPart`.
    """
    path = Path(path)
    if not path.is_file():
        raise _fault(
            "file-not-found", f"there is no file {path}", "give the path of a `.safetensors`, `.pth` or `.pt` file"
        )
    readers = {".safetensors": _read_safetensors, ".pth": _read_pth, ".pt": _read_pth}
    if path.suffix not in readers:
        raise _fault(
            "unreadable-weights", f"{path.name} is not a file of weights", "expected `.safetensors`, `.pth` or `.pt`"
        )
    try:
        return readers[path.suffix](path)
    except (ValueError, OSError) as e:
        raise _fault("unreadable-weights", f"{path.name} cannot be read: {e}", "save the weights again") from e


def write_weights(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """Writes a `.safetensors` file: a JSON header, then the arrays without gaps."""
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
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).data)


def _read_safetensors(path: Path) -> Arrays:
    import numpy as np

    data = np.memmap(path, mode="r", dtype=np.uint8)
    length = int.from_bytes(data[:8].tobytes(), "little")
    if len(data) < 8 or 8 + length > len(data):
        raise ValueError("its header is longer than the file")
    header = json.loads(data[8 : 8 + length].tobytes())
    if not isinstance(header, dict):
        raise ValueError("its header is not one of safetensors")
    body = data[8 + length :]
    return {key: _tensor(body, key, entry) for key, entry in header.items() if key != "__metadata__"}


def _tensor(body: np.ndarray, key: str, entry: dict[str, Any]) -> np.ndarray:
    import numpy as np

    try:
        start, end = entry["data_offsets"]
        code, shape = entry["dtype"], tuple(entry["shape"])
    except (KeyError, TypeError) as e:
        raise ValueError(f"the header of {key} is not one of safetensors") from e
    if not 0 <= start <= end <= len(body):
        raise ValueError(f"{key} lies outside the file")
    raw = body[start:end].tobytes()
    if code == "BF16":
        return (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if code not in _DTYPES:
        raise ValueError(f"{key} is of an unknown type {code}")
    return np.frombuffer(raw, _DTYPES[code]).reshape(shape)


def _read_pth(path: Path) -> Arrays:
    from pickle import UnpicklingError

    try:
        import torch
    except ImportError:
        raise MissingPart(f"reading {path.name} takes PyTorch", "run `pip install 'cnndsl[torch]'`") from None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError) as e:
        raise ValueError("it is not a state dict that can be loaded safely") from e
    # Training loops often save the state dict beside other things.
    for wrapper in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ValueError("it holds no state dict")
    return {
        key: (v.float() if v.dtype == torch.bfloat16 else v).detach().contiguous().numpy() for key, v in state.items()
    }


def _fault(id: str, message: str, help: str) -> CnnError:
    return CnnError([Diagnostic(id=id, message=message, help=help)])
