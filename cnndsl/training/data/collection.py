"""Examples with labels, what a recogniser learns from, and their parting into two: some to learn from, some held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Literal

from cnndsl.diagnostics.errors import CnnError, fault

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

    `labels` (N, int64) are indices into `classes`. `held_out` are the indices of the examples that the data itself holds out;
    None where `parts` chooses them. `shape` is the shape of an example of numbers; None for pictures, which are brought to the
    size of the network's input.
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
    """The size of the pictures as people write it, `1×8×8`; empty where they have several."""

    def parts(self, validation: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Indices of the examples to learn from, and of those held out: the share `validation` of each class, drawn by `seed`.

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
    """Indices of that share of each class, in order."""
    import numpy as np

    generator = np.random.default_rng(seed)
    chosen = [np.empty(0, np.int64)]
    for label in np.unique(labels):
        indices = generator.permutation(np.flatnonzero(labels == label))
        # At least one example of each class is held out; of a class with a single example none is.
        chosen.append(indices[: min(max(1, round(len(indices) * share)), len(indices) - 1)])
    return np.sort(np.concatenate(chosen))


def room(count: int, shape: Shape, dtype: str) -> np.ndarray:
    """An empty array for `count` examples: in memory, or, if it is large, in a nameless file in the temporary folder."""
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
    resized = room(len(pictures), shape, "uint8")
    if pictures.shape[1:] == (height, width, channels):
        resized[:] = pictures.transpose(0, 3, 1, 2)
        return resized
    for place, picture in enumerate(pictures):
        image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
        image = image.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
        resized[place] = np.asarray(image).reshape(height, width, channels).transpose(2, 0, 1)
    return resized


def unreadable(message: str, help: str, *notes: str) -> CnnError:
    """The fault of data that cannot be learnt from."""
    return fault("unreadable-data", message, notes=notes, help=help)
