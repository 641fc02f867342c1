"""Examples without labels, for what only looks at a network's numbers: some to calibrate with, and others to measure with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.arrays.inputs import read_arrays
from cnndsl.diagnostics.errors import fault
from cnndsl.disk.files import is_file, is_folder
from cnndsl.ir.graph import Graph
from cnndsl.ir.written import sizes
from cnndsl.training.check import check_fits
from cnndsl.training.data.array_files import HELD_OUT, TRAINING, WHOLE, stored_examples
from cnndsl.training.data.class_folders import pictures_in, read_pictures
from cnndsl.training.data.collection import fitted, unreadable
from cnndsl.training.data.digits import digits
from cnndsl.training.data.find import find_data
from cnndsl.training.run import ABOUT, Run, open_run

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]
    Read = Callable[[np.ndarray], Arrays]

SHARE = 0.75
"""Of few examples so many are calibrated with."""
HELP = "give a folder of pictures, an `.npz` or `.npy` file of inputs, `digits`, or the folder of a run: 8 to 64 examples suffice"


@dataclass(frozen=True)
class Unlabelled:
    """What a network is fed, by the names of its inputs, with the batch axis; float32 as its inputs are."""

    calibration: Arrays
    held_out: Arrays
    """Other examples, of the same length for each input; of none where there are too few."""


def read_unlabelled(
    graph: Graph, data: str | Mapping[str, np.ndarray], reading: Mapping[str, Any], images: int, seed: int = 0
) -> Unlabelled:
    """Up to `images` examples of `data` to calibrate with, drawn by `seed`, and up to as many others.

    `data` is a folder with pictures at any depth (what is in `val` is held out, where there are `train` and `val`), an `.npz`
    file with arrays by the names of the inputs or as for training, an `.npy` file, `digits`, or arrays by name. `reading` says
    how a picture becomes an input (`arrays/pictures.py`). Raises `CnnError` (file-not-found, unreadable-data, unreadable-array,
    unreadable-image, wrong-rank) and `MissingPart`.
    """
    import numpy as np

    if isinstance(data, str) and is_file(Path(data) / ABOUT):
        return _of_run(graph, open_run(Path(data)), images, seed)
    read, count, held_out = _found(graph, data, reading)
    generator = np.random.default_rng(seed)
    order = generator.permutation(count - held_out)
    taken = min(images, len(order)) if held_out else min(images, max(1, int(SHARE * len(order))))
    others = generator.permutation(np.arange(count - held_out, count)) if held_out else order[taken:]
    return Unlabelled(read(np.sort(order[:taken])), read(np.sort(others[:images])))


def _of_run(graph: Graph, run: Run, images: int, seed: int) -> Unlabelled:
    """Examples that the run learnt from, and others that it held out."""
    import numpy as np

    collection = find_data(run.options.data, run.reading)
    check_fits(graph, collection)
    generator = np.random.default_rng(seed)
    parts = collection.parts(run.options.validation, run.options.seed)
    stored = collection.read(graph.inputs[0].type.shape)
    calibration, held_out = (
        _prepared(graph, stored, run.reading, np.sort(generator.permutation(part)[:images])) for part in parts
    )
    return Unlabelled(calibration, held_out)


def _found(graph: Graph, data: str | Mapping[str, np.ndarray], reading: Mapping[str, Any]) -> tuple[Read, int, int]:
    """How to read examples by their numbers, how many there are, and how many of them, the last, are held out."""

    if not isinstance(data, str):
        return _arrays(graph, dict(data), "the given arrays", reading)
    path = Path(data)
    if data == "digits":
        collection = digits()
        shape = _picture(graph)
        return partial(_prepared, graph, collection.read(shape), reading), len(collection.labels), 0
    if is_folder(path):
        return _folder(graph, path, reading)
    if path.suffix in (".npz", ".npy"):
        return _arrays(graph, read_arrays(path), str(path), reading)
    if is_file(path):
        raise unreadable(f"{data} is no data to calibrate with", HELP)
    raise fault("file-not-found", f"there is no folder or file `{data}`", help=HELP)


def _folder(graph: Graph, path: Path, reading: Mapping[str, Any]) -> tuple[Read, int, int]:
    shape = _picture(graph)
    parts = [path]
    if (path / "train").is_dir():
        parts = [path / "train", *[path / n for n in ("val", "validation", "valid", "test") if (path / n).is_dir()][:1]]
    files = [pictures_in(part) for part in parts]
    paths = [file for part in files for file in part]

    def read(places: np.ndarray) -> Arrays:
        return _prepared(graph, read_pictures([paths[i] for i in places], reading, shape), reading)

    return read, len(paths), len(files[1]) if len(files) > 1 else 0


def _arrays(
    graph: Graph, content: Mapping[str, np.ndarray], name: str, reading: Mapping[str, Any]
) -> tuple[Read, int, int]:
    import numpy as np

    names = [given.name for given in graph.inputs]
    if set(names) <= content.keys() or (len(names) == 1 and content.keys() == {""}):
        arrays = {n: np.ascontiguousarray(content.get(n, content.get("")), graph.types[n].dtype) for n in names}
        _check(graph, arrays, name)
        return lambda places: {n: a[places] for n, a in arrays.items()}, len(next(iter(arrays.values()))), 0
    known = [pair[0] for pairs in (WHOLE, TRAINING, HELD_OUT) for pair in pairs]
    found = [key for key in known if key in content]
    if len(names) != 1 or not found:
        raise unreadable(
            f"{name} has no inputs of {graph.name}", "name the arrays as the inputs are",
            f"expected {', '.join(names)}; found {', '.join(content) or 'nothing'}",
        )  # fmt: skip
    examples = stored_examples(Path(name), found[0], content[found[0]])
    if examples.dtype == np.uint8:
        examples = fitted(examples, _picture(graph))
    else:
        _check(graph, {names[0]: examples}, name)
    return partial(_prepared, graph, examples, reading), len(examples), 0


def _check(graph: Graph, arrays: Arrays, name: str) -> None:
    counts = {len(array) for array in arrays.values() if array.ndim}
    for key, array in arrays.items():
        shape = graph.types[key].shape
        if array.shape[1:] != shape or len(counts) != 1 or not array.size:
            raise unreadable(
                f"{name} holds no examples of the input `{key}`", "give one example a row, as many of each input",
                f"expected N×{sizes(shape)}, found {sizes(array.shape) or 'one number'}",
            )  # fmt: skip


def _picture(graph: Graph) -> tuple[int, int, int]:
    shape = graph.inputs[0].type.shape
    if len(graph.inputs) != 1 or len(shape) != 3 or shape[0] not in (1, 3):
        raise unreadable(
            f"{graph.name} does not look at pictures", "give an `.npz` file with an array for each input, by its name",
            f"expected inputs {', '.join(f'`{i.name}` N×{sizes(i.type.shape)}' for i in graph.inputs)}",
        )  # fmt: skip
    return shape


def _prepared(graph: Graph, stored: np.ndarray, reading: Mapping[str, Any], places: np.ndarray | None = None) -> Arrays:
    """Stored examples as the network is fed them, as in training."""
    import torch

    from cnndsl.training.data.preparation import Preparation

    prepare = Preparation(reading)
    chosen = torch.from_numpy(stored if places is None else stored[places])
    return {graph.inputs[0].name: prepare.normalized(prepare.scaled(chosen)).numpy()}
