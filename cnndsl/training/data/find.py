"""Where examples come from: a name or a path becomes a `Collection`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnndsl.diagnostics.errors import fault
from cnndsl.disk.files import is_file, is_folder
from cnndsl.training.data.array_files import arrays
from cnndsl.training.data.class_folders import folder
from cnndsl.training.data.collection import Collection, unreadable
from cnndsl.training.data.digits import digits


def find_data(data: str, reading: Mapping[str, Any] | None = None) -> Collection:
    """Labelled examples, known but not read yet: `"digits"`, a folder with a folder of pictures for each class, or an `.npz` file.

    The result has `classes`, `labels` (N, int64), `read(shape)`, which gives all examples as N×shape, and `parts`, which
    says which of them are learnt from and which are held out. `reading` says how the pictures of a folder come to a network's
    size (`arrays/pictures.py`). Raises `CnnError` (unreadable-data, file-not-found)."""
    path = Path(data)
    if data == "digits":
        return digits()
    if is_folder(path):
        return folder(path, reading)
    if path.suffix == ".npz":
        return arrays(path)
    if is_file(path):
        raise unreadable(
            f"{data} is no data to learn from", "give `digits`, a folder of class folders, or an `.npz` file"
        )
    raise fault("file-not-found", f"there is no folder or file `{data}`", help="check the path, or say `digits`")
