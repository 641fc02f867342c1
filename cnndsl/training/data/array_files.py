"""Examples from an `.npz` file, under the names of arrays that published data sets use."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cnndsl.arrays.inputs import read_arrays
from cnndsl.ir.written import sizes
from cnndsl.training.data.collection import Collection, fitted, unreadable

if TYPE_CHECKING:
    import numpy as np

WHOLE = (("images", "labels"), ("x", "y"), ("X", "y"))
TRAINING = (("x_train", "y_train"), ("train_images", "train_labels"))
HELD_OUT = (("x_val", "y_val"), ("val_images", "val_labels"), ("x_test", "y_test"), ("test_images", "test_labels"))

MOST_CLASSES = 1_000_000


def arrays(path: Path) -> Collection:
    """`images` and `labels` (or `x`, `y`), or `x_train`, `y_train` beside `x_val` or `x_test`; `classes` may name them.

    uint8 arrays are pictures, N×H×W, N×H×W×C or N×C×H×W, fitted to the network; others are numbers, taken as they are:
    N×C×H×W, as the network's input is. Nothing pickled is read. Raises `CnnError` (unreadable-data, unreadable-array).
    """
    import numpy as np

    content = read_arrays(path)
    pairs = [
        next((pair for pair in names if set(pair) <= content.keys()), None) for names in (WHOLE, TRAINING, HELD_OUT)
    ]
    used = [pair for pair in (pairs[:1] if pairs[0] else pairs[1:]) if pair]
    if not used or (pairs[0] is None and pairs[1] is None):
        raise unreadable(
            f"{path} has no examples", "write it with `numpy.savez(path, images=…, labels=…)`",
            f"expected `images` and `labels`, or `x_train`, `y_train`, `x_val`, `y_val`; found {', '.join(content) or 'nothing'}",
        )  # fmt: skip
    examples = [stored_examples(path, name, content[name]) for name, _ in used]
    if len({(part.dtype, part.shape[1:]) for part in examples}) > 1:
        raise unreadable(
            f"{path} holds out examples of another kind", "write both parts alike",
            "; ".join(f"`{name}` is {part.dtype} {sizes(part.shape) or 'one number'}" for (name, _), part in zip(used, examples, strict=True)),
        )  # fmt: skip
    labels = [_labels(path, name, content[name], len(part)) for (_, name), part in zip(used, examples, strict=True)]
    together, whole = np.concatenate(labels), np.concatenate(examples) if len(examples) > 1 else examples[0]
    held_out = None if len(used) == 1 else np.arange(len(labels[0]), len(together))
    classes = _classes(path, content, int(together.max()) + 1)
    if len(classes) < 2:
        raise unreadable(
            f"{path} has one class, and nothing to tell it from", "give examples of at least 2 classes",
            f"every label of `{used[0][1]}` is 0",
        )  # fmt: skip
    if whole.dtype != np.uint8:
        return Collection(str(path), classes, together, lambda _: whole, held_out, shape=whole.shape[1:])
    height, width, channels = whole.shape[1:]
    return Collection(
        str(path),
        classes,
        together,
        partial(fitted, whole),
        held_out,
        size=sizes((channels, height, width)) or "one number",
    )


def stored_examples(path: Path, name: str, array: np.ndarray) -> np.ndarray:
    """uint8 pictures as N×H×W×C, numbers as float32."""
    import numpy as np

    if array.ndim < 2 or not array.size or array.dtype.kind not in "fiu":
        raise unreadable(
            f"`{name}` of {path} is no array of examples", "give one example a row",
            f"expected numbers N×…, found {array.dtype} {sizes(array.shape) or 'one number'}",
        )  # fmt: skip
    if array.dtype != np.uint8:
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = np.ascontiguousarray(array, np.float32)
        if not np.isfinite(numbers).all():
            raise unreadable(
                f"`{name}` of {path} has numbers that are none",
                "take infinite ones and NaN out",
                "expected finite float32 numbers",
            )
        return numbers
    if array.ndim == 3:
        return array[..., None]
    if array.ndim == 4 and array.shape[3] in (1, 3):
        return array
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return array.transpose(0, 2, 3, 1)
    raise unreadable(
        f"`{name}` of {path} holds no pictures", "give uint8 pictures, or float32 numbers of the network's input",
        f"expected uint8 N×H×W, N×H×W×C or N×C×H×W with C 1 or 3, found {sizes(array.shape) or 'one number'}",
    )  # fmt: skip


def _labels(path: Path, name: str, array: np.ndarray, count: int) -> np.ndarray:
    import numpy as np

    flat = array.reshape(-1)
    if flat.dtype.kind not in "iu" or len(flat) != count or flat.min() < 0 or flat.max() >= MOST_CLASSES:
        raise unreadable(
            f"`{name}` of {path} is no label for each example", "number the classes from 0",
            f"expected {count} whole numbers from 0 to {MOST_CLASSES - 1:,}, found {array.dtype} {sizes(array.shape) or 'one number'}",
        )  # fmt: skip
    return flat.astype(np.int64)


def _classes(path: Path, content: dict[str, np.ndarray], count: int) -> tuple[str, ...]:
    names = content.get("classes")
    if names is None:
        return tuple(map(str, range(count)))
    if names.ndim != 1 or names.dtype.kind not in "Uiu" or len(names) < count:
        raise unreadable(
            f"`classes` of {path} does not name the classes", "give their names in the order of their numbers",
            f"expected {count} texts, found {names.dtype} {sizes(names.shape) or 'one number'}",
        )  # fmt: skip
    return tuple(map(str, names))
