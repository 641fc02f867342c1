"""What a recogniser learns from: examples with labels, read from a name or a path, parted into two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Literal

from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.disk.files import is_file, is_folder

if TYPE_CHECKING:
    import numpy as np

Fit = Literal["whole", "centre"]
"""How a picture comes to the network's size: all of it, or its centre as in `cnndsl.arrays.inputs.read_image`."""
Shape = tuple[int, ...]
IN_MEMORY = 1 << 31
"""Bytes of examples that are kept in memory; more lie in a nameless temporary file."""


@dataclass(frozen=True)
class Collection:
    """Labelled examples that are known, but not read yet.

    `labels` (N, int64) count into `classes`. `held_out` are the places of the examples that the data itself holds out;
    None where that is ours to do. `shape` is that of every example where pictures are not fitted to the network: numbers.
    """

    name: str
    classes: tuple[str, ...]
    labels: np.ndarray
    read: Callable[[Shape], np.ndarray]
    """All examples for an input of that shape, N×shape: uint8 pictures (0 to 255), or float32 numbers."""
    held_out: np.ndarray | None = None
    fit: Fit = "whole"
    shape: Shape | None = None
    size: str = ""
    """The pictures' own size, where all have one, for people: `1×8×8`."""

    def parts(self, validation: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Places of the examples to learn from, and of those held out; the share `validation` of each class by `seed`.

        Raises `CnnError` (unreadable-data) where one of the two would be empty.
        """
        import numpy as np

        everything = np.arange(len(self.labels))
        held_out = self.held_out if self.held_out is not None else _drawn(self.labels, validation, seed)
        training = np.setdiff1d(everything, held_out)
        if not len(training) or not len(held_out):
            raise unreadable(
                f"{self.name} has {len(self.labels)} examples, too few to hold some out",
                "give at least 2 examples of a class",
                "one of each class is held out, and what is the only one is learnt from",
            )
        return training, held_out


def _drawn(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    import numpy as np

    generator = np.random.default_rng(seed)
    chosen = [np.empty(0, np.int64)]
    for label in np.unique(labels):
        places = generator.permutation(np.flatnonzero(labels == label))
        # At least one of each class, but what is the only one is learnt.
        chosen.append(places[: min(max(1, round(len(places) * share)), len(places) - 1)])
    return np.sort(np.concatenate(chosen))


def find_data(data: str, reading: Mapping[str, Any] | None = None) -> Collection:
    """Labelled examples, known but not read yet: `"digits"`, a folder with a folder of pictures for each class, or an `.npz` file.

    The result has `classes`, `labels` (N, int64), `read(shape)`, which gives all examples as N×shape, and `parts`, which
    says which of them are learnt from and which are held out. `reading` says how the pictures of a folder come to a network's
    size (`arrays/pictures.py`). Raises `CnnError` (unreadable-data, file-not-found)."""
    path = Path(data)
    if data == "digits":
        from cnndsl.training.data.digits import digits

        return digits()
    if is_folder(path):
        from cnndsl.training.data.class_folders import folder

        return folder(path, reading)
    if path.suffix == ".npz":
        from cnndsl.training.data.array_files import arrays

        return arrays(path)
    if is_file(path):
        raise unreadable(
            f"{data} is no data to learn from", "give `digits`, a folder of class folders, or an `.npz` file"
        )
    raise fault("file-not-found", f"there is no folder or file `{data}`", help="check the path, or say `digits`")


def room(count: int, shape: Shape, dtype: str) -> np.ndarray:
    """A place for `count` examples: memory, or a file without a name in the temporary folder where they are many."""
    import numpy as np

    whole = (count, *shape)
    if np.dtype(dtype).itemsize * np.prod(whole, dtype=np.int64) <= IN_MEMORY:
        return np.empty(whole, dtype)
    with TemporaryFile() as file:
        return np.memmap(file, dtype=dtype, mode="w+", shape=whole)


def fitted(pictures: np.ndarray, shape: Shape) -> np.ndarray:
    """uint8 pictures N×H×W×C (C is 1 or 3), the whole of each brought to the network's `shape`: N×`shape`."""
    import numpy as np
    from PIL import Image

    channels, height, width = shape
    done = room(len(pictures), shape, "uint8")
    if pictures.shape[1:] == (height, width, channels):
        done[:] = pictures.transpose(0, 3, 1, 2)
        return done
    for place, picture in enumerate(pictures):
        image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
        image = image.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
        done[place] = np.asarray(image).reshape(height, width, channels).transpose(2, 0, 1)
    return done


def unreadable(message: str, help: str, *notes: str) -> CnnError:
    return fault("unreadable-data", message, notes=notes, help=help)
