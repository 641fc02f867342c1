"""A state of training as one safetensors file: its tensors as tensors, all else as JSON in the header. Nothing is unpickled.

The header also has a checksum of everything, so that a run goes on from the state that was written, or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from cnndsl.disk.files import is_file, write_atomically
from cnndsl.training.run import damaged

FORMAT = "cnndsl-checkpoint-2"


class Checkpoints(CheckpointIO):  # type: ignore[misc]
    """How Lightning writes and reads its states here."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Writes aside and renames: at `path` lies a whole state at every moment."""
        write_atomically(Path(path), packed(checkpoint))

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Raises `CnnError` (damaged-run)."""
        return unpacked(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)


def packed(state: dict[str, Any]) -> bytes:
    """Dicts, lists, tuples, texts, numbers, truth values, None and tensors as a file. Raises TypeError for others."""
    tensors: dict[str, torch.Tensor] = {}
    text = json.dumps(_plain(state, tensors))
    return bytes(save(tensors, {"format": FORMAT, "state": text, "check": check(text, tensors)}))


def check(text: str, tensors: Mapping[str, torch.Tensor]) -> str:
    """A SHA-256 sum of a state's text and tensors."""
    total = sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name} {tensor.dtype} {list(tensor.shape)} ".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def _plain(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        # Copied, since safetensors refuses tensors that share memory.
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[_plain(key, tensors), _plain(part, tensors)] for key, part in value.items()]}
    if isinstance(value, list | tuple):
        parts = [_plain(part, tensors) for part in value]
        return parts if isinstance(value, list) else {"tuple": parts}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"a state of training holds a {type(value).__name__}")


def unpacked(path: Path) -> dict[str, Any]:
    """What `packed` wrote. Raises `CnnError` (damaged-run)."""
    if not is_file(path):
        raise damaged(f"there is no file {path}")
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            if about.get("format") != FORMAT:
                raise ValueError("it is no state of training of ours")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
        if about["check"] != check(about["state"], tensors):
            raise ValueError("it has changed since it was written")
        state = _restored(json.loads(about["state"]), tensors)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, RecursionError) as error:
        raise damaged(f"{path} cannot be read: {error}") from None
    if not isinstance(state, dict):
        raise damaged(f"{path} holds no state of training")
    return state


def _restored(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, list):
        return [_restored(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "tuple":
        return tuple(_restored(part, tensors) for part in content)
    if kind != "dict":
        raise ValueError(f"it holds a {kind}")
    return {_restored(key, tensors): _restored(part, tensors) for key, part in content}
