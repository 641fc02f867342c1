"""What a network is fed from files: photographs, `.npy` and `.npz` arrays."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from cnndsl.diagnostics.errors import CnnError, Diagnostic, MissingPart
from cnndsl.diagnostics.extras import how_to_install
from cnndsl.disk.files import open_file

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.arrays.pictures import Frame

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of each channel over ImageNet, colours from 0 to 1: what published weights expect to be subtracted."""
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Standard deviation of each channel over ImageNet, colours from 0 to 1: what published weights expect to be divided by."""

MOST_ARRAY_BYTES = 4 * 10**9
"""What an archive of arrays may unpack to."""


def read_image(
    path: Path | str,
    shape: tuple[int, ...],
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    fit: Literal["centre", "whole"] = "centre",
) -> np.ndarray:
    """A picture as a float32 array of `shape` (channels, height, width), with values from 0 to 1, from which `mean` is then
    subtracted and which are then divided by `std`: a number for each channel.

    The picture is prepared as published networks are evaluated: the shorter side is brought to 256/224 of the size wanted, with
    antialiased bilinear weights, then the centre is cut out; with `fit="whole"` all of it is brought to that size.
    One channel is the luminance, three are red, green, blue.
    Raises `CnnError` (file-not-found, unreadable-image, wrong-rank) and, without Pillow, `MissingPart`.
    """
    _check_shape(shape)
    if any(numbers is not None and len(numbers) != shape[0] for numbers in (mean, std)):
        raise _fault(
            "wrong-rank", f"the mean and deviation are not of {shape[0]} channels", f"give {shape[0]} numbers for each"
        )
    reading = {"fit": fit, "mean": list(mean or ()), "std": list(std or ())}
    return prepared_picture(read_picture(path), shape, reading)[0]


def prepared_picture(picture: Any, shape: tuple[int, ...], reading: Mapping[str, Any]) -> tuple[np.ndarray, Frame]:
    """A picture as a network is fed it, and where it lies in that: `pictures.prepared`. Raises `CnnError` (wrong-rank)."""
    from cnndsl.arrays.pictures import prepared

    _check_shape(shape)
    return prepared(picture, shape, reading)


def read_picture(path: Path | str) -> Any:
    """A picture file in red, green and blue, upright; what is transparent is white.

    Raises `CnnError` (file-not-found, unreadable-image) and, without Pillow, `MissingPart`.
    """
    if find_spec("PIL") is None:
        raise MissingPart("reading pictures takes Pillow", how_to_install("images"))
    from cnndsl.arrays.pictures import opened

    stream = open_file(path)
    try:
        with stream:
            return opened(stream)
    except Exception as e:  # noqa: BLE001  (Pillow's decoders end in errors of many kinds, and none is ours)
        raise _fault(
            "unreadable-image",
            f"{path} cannot be read as a picture: {_why(e)}",
            "give a PNG, JPEG or other common picture",
        ) from None


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise _fault(
            "wrong-rank",
            f"a picture cannot be an input of {'×'.join(map(str, shape))}",
            "give an `.npy` array: pictures have 1 or 3 channels",
        )


def read_arrays(path: Path | str) -> dict[str, np.ndarray]:
    """The arrays of a `.npz` by name, or that of a `.npy` under the name `""`. Pickled objects are never loaded.

    Raises `CnnError` (file-not-found, unreadable-array).
    """
    import numpy as np

    stream = open_file(path)
    try:
        # NumPy closes no file that it was given by name and could not read.
        with stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _refuse_bomb(stream)
            found = np.load(stream, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return {"": found}
            with found:
                arrays = {name: found[name] for name in found.files}
            if odd := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
                raise ValueError(f"`{odd[0]}` in it is no array")
            return arrays
    except Exception as e:  # noqa: BLE001  (zip, zlib and Python's own tokenizer have a part in it, each with its errors)
        raise _fault(
            "unreadable-array",
            f"{path} cannot be read as an array: {_why(e)}",
            "write it with `numpy.save` or `numpy.savez`",
        ) from None


def read_inputs(
    path: Path | str,
    names: Sequence[str],
    shapes: Sequence[tuple[int, ...]],
    reading: Mapping[str, Any] | None = None,
) -> dict[str, np.ndarray]:
    """The inputs of a network from one file: a `.npz` by name, an `.npy` or a picture, read as `reading` says, for the only
    one.

    Raises `CnnError` (missing-input besides those of `read_image` and `read_arrays`).
    """
    path = Path(path)
    if path.suffix == ".npz":
        return read_arrays(path)
    if len(names) != 1:
        raise _fault(
            "missing-input", f"{path.name} is one array, and the network takes {len(names)} ({', '.join(names)})",
            "put them by name into an `.npz` file",
        )  # fmt: skip
    if path.suffix == ".npy":
        return {names[0]: read_arrays(path)[""]}
    _check_shape(shapes[0])
    return {names[0]: prepared_picture(read_picture(path), shapes[0], reading or {})[0]}


def _refuse_bomb(stream: BinaryIO) -> None:
    """Raises ValueError for an archive that says it unpacks to more than `MOST_ARRAY_BYTES`."""
    from zipfile import ZipFile, is_zipfile

    if is_zipfile(stream):
        with ZipFile(stream) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MOST_ARRAY_BYTES:
            raise ValueError(f"it unpacks to {size:,} bytes, and at most {MOST_ARRAY_BYTES:,} are read")
    stream.seek(0)


def _why(error: Exception) -> str:
    """What a library says, but for sentences that name our streams or advise to unpickle."""
    text = str(error)
    if "cannot identify image file" in text:
        return "it is in no format that pictures have"
    if text.startswith("Object arrays"):
        return "it holds Python objects"
    return "it is no `.npy` or `.npz` file" if "allow_pickle" in text else text


def _fault(id: str, message: str, help: str) -> CnnError:
    return CnnError([Diagnostic(id=id, message=message, help=help)])
