"""A folder of class folders: `cats/1.jpg`, `dogs/1.jpg`; or two of them, `train/` and `val/`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.arrays.inputs import prepared_picture, read_picture
from cnndsl.diagnostics.errors import CnnError, Diagnostic
from cnndsl.disk.files import is_folder, reason
from cnndsl.training.data.collection import Collection, Shape, room, unreadable

if TYPE_CHECKING:
    import numpy as np

ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
MOST_REPORTED = 10
"""The most broken pictures that are reported, each with its path."""


def folder(path: Path, reading: Mapping[str, Any] | None = None) -> Collection:
    """The pictures below `path`, classes and files in the order of their names, brought to a network's size as `reading` says. Raises `CnnError` (unreadable-data)."""
    import numpy as np

    parts = [path]
    if (path / "train").is_dir():
        others = [path / name for name in ("val", "validation", "valid", "test") if (path / name).is_dir()]
        if others:
            parts = [path / "train", others[0]]
    classes = _classes(parts[0])
    for other in parts[1:]:
        if (names := _classes(other)) != classes:
            odd = sorted(set(names) ^ set(classes))
            raise unreadable(
                f"{parts[0]} and {other} have not the same classes", "give both the same folders",
                f"only one of them has {', '.join(odd)}",
            )  # fmt: skip
    files = [
        [(file, label) for label, name in enumerate(classes) for file in pictures_in(part / name)] for part in parts
    ]
    labels = np.array([label for part in files for _, label in part], np.int64)
    held_out = None if len(parts) == 1 else np.arange(len(files[0]), len(labels))
    paths = [file for part in files for file, _ in part]
    return Collection(str(path), classes, labels, partial(read_pictures, paths, reading or {}), held_out, fit="centre")


def _classes(path: Path) -> tuple[str, ...]:
    try:
        names = tuple(sorted(p.name for p in path.iterdir() if is_folder(p) and not p.name.startswith(".")))
    except OSError as error:
        raise unreadable(f"{path} cannot be read: {reason(error)}", "give a folder that you may read") from None
    for name in names:
        if not name.isprintable():
            raise unreadable(f"a folder in {path} has a name that is no text", "rename it", f"found {name!r}")
    if len(names) < 2:
        raise unreadable(
            f"{path} is no folder of class folders", "give a folder with one folder of pictures for each class",
            f"expected at least 2 folders, found {f'one: {names[0]}' if names else _instead(path)}",
        )  # fmt: skip
    return names


def _instead(path: Path) -> str:
    pictures = sum(p.suffix.lower() in ENDINGS for p in path.iterdir())
    if pictures:
        return f"{pictures} picture{'s'[: pictures > 1]} and no folder"
    return "none" if any(path.iterdir()) else "nothing"


def pictures_in(path: Path) -> list[Path]:
    pictures = sorted(p for p in path.rglob("*") if p.suffix.lower() in ENDINGS and not p.name.startswith("."))
    if not pictures:
        raise unreadable(f"{path} has no pictures", f"expected files in {', '.join(sorted(ENDINGS))}")
    return pictures


def read_pictures(paths: Sequence[Path], reading: Mapping[str, Any], shape: Shape) -> np.ndarray:
    """Every picture once, before anything starts; raises `CnnError` with those that cannot be read."""
    pictures = room(len(paths), shape, "uint8")
    faults: list[Diagnostic] = []
    plain = {key: value for key, value in reading.items() if key not in ("mean", "std", "scale", "order")}

    def read(index: int) -> None:
        try:
            # Pixels were whole numbers before they were divided by 255: rounding gives them back exactly.
            pictures[index] = (prepared_picture(read_picture(paths[index]), shape, plain)[0] * 255).round()
        except CnnError as error:
            faults.extend(error.diagnostics)

    # Pillow decodes outside Python's lock. Threads share one list of filters for warnings, and `read_image` reports faults.
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(read, range(len(paths))):
            continue
    if faults:
        shown = sorted(faults, key=lambda fault: fault.message)[:MOST_REPORTED]
        if len(faults) > MOST_REPORTED:
            shown[-1] = replace(
                shown[-1], notes=(*shown[-1].notes, f"and {len(faults) - MOST_REPORTED} more cannot be read")
            )
        raise CnnError(shown)
    return pictures
