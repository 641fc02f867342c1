"""A quantised network as one safetensors file: its weights and scales by the network's own keys.

    LAYER.weight            int8      the weight in whole numbers, as the network has it
    LAYER.weight_scale      float32   for each output channel
    LAYER.bias              float32   for each output channel, with the batch norm behind the layer in it
    TENSOR.map_scale        float32   one number: the scale of a tensor that is rounded, by the node or input that makes it
    TENSOR.map_zero_point   uint8     one number
    KEY                     float32   every other weight, by its key in the state dict

A layer has whole numbers where it has a `weight_scale`. The file's texts say its format, the layers that stay in float32,
and how it came about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cnndsl.arrays.weight_files import QUANTIZED, read_safetensors, write_weights
from cnndsl.diagnostics.errors import CnnError, Diagnostic
from cnndsl.disk.files import is_file
from cnndsl.ir.written import sizes
from cnndsl.quantization.arithmetic import LARGEST, LARGEST_WEIGHT, Scale
from cnndsl.quantization.quantization import Quantization, QuantizedWeight

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

VERSION = "1"
_WEIGHT, _WEIGHT_SCALE, _BIAS = ".weight", ".weight_scale", ".bias"
_MAP_SCALE, _MAP_ZERO_POINT = ".map_scale", ".map_zero_point"
_SMALLEST, _LARGEST = 2.0**-120, 2.0**120
"""Between which a scale lies: float32 divides by it."""
_AGAIN = "quantise the network again with `cnndsl quantize`"


def write_quantization(path: Path, quantization: Quantization) -> None:
    """Writes the file, whole or not at all. Raises `MissingPart` for a full disk."""
    import numpy as np

    arrays: Arrays = {}
    for name, weight in quantization.weights.items():
        arrays[name + _WEIGHT] = weight.numbers
        arrays[name + _WEIGHT_SCALE] = weight.scales
        arrays[name + _BIAS] = weight.bias
    arrays.update(quantization.floats)
    for name, scale in quantization.maps.items():
        arrays[name + _MAP_SCALE] = np.array(scale.scale, np.float32)
        arrays[name + _MAP_ZERO_POINT] = np.array(scale.zero_point, np.uint8)
    texts = {"format": QUANTIZED, "version": VERSION, "keep": json.dumps(sorted(quantization.keep))}
    write_weights(path, arrays, texts | {f"about.{key}": text for key, text in quantization.about.items()})


def read_quantization(path: Path | str) -> Quantization:
    """The table that lies in a file. Whether it is one of a network is seen when the network is made with it.

    Raises `CnnError`: file-not-found, unreadable-weights, not-quantized for a file of other weights, and wrong-quantization
    for what is no table.
    """
    path = Path(path)
    arrays, texts = read_safetensors(path)
    if texts.get("format") != QUANTIZED:
        raise CnnError([not_quantized(path.name)])
    if texts.get("version") != VERSION:
        found = texts.get("version", "")[:20]
        message = f"{path.name} is of another format than this version of cnndsl reads"
        raise CnnError([_fault(message, f"expected format {VERSION}, found {found!r}")])
    return _Reader(path.name, arrays).table(texts)


def is_quantized(path: Path | str) -> bool:
    """Whether the file is one of a quantised network. Raises `CnnError` (unreadable-weights) for a safetensors file that
    cannot be read."""
    path = Path(path)
    return path.suffix == ".safetensors" and is_file(path) and read_safetensors(path)[1].get("format") == QUANTIZED


def not_quantized(name: str) -> Diagnostic:
    """The fault of weights in float32 where a quantised network is expected."""
    return Diagnostic(
        "not-quantized",
        f"{name} holds no quantised network",
        notes=("expected the file that `cnndsl quantize` writes, found other weights",),
        help=f"make one: `cnndsl quantize NETWORK --weights {name} --data FOLDER -o quantized.safetensors`",
    )


class _Reader:
    """The arrays of one file, taken out one after the other."""

    def __init__(self, file: str, arrays: Arrays) -> None:
        self._file = file
        self._arrays = dict(arrays)

    def table(self, texts: Mapping[str, str]) -> Quantization:
        """Raises `CnnError` for the first array that is none of a table."""
        weights = {name: self._weight(name) for name in self._names(_WEIGHT_SCALE)}
        maps = {name: self._scale(name) for name in self._names(_MAP_SCALE)}
        floats = {key: self._float(key, array) for key, array in self._arrays.items()}
        about = {key.removeprefix("about."): text for key, text in texts.items() if key.startswith("about.")}
        return Quantization(maps, weights, floats, self._keep(texts.get("keep", "[]")), about)

    def _names(self, ending: str) -> list[str]:
        return [key.removesuffix(ending) for key in self._arrays if key.endswith(ending)]

    def _weight(self, name: str) -> QuantizedWeight:
        numbers, scales, bias = (self._arrays.pop(name + end, None) for end in (_WEIGHT, _WEIGHT_SCALE, _BIAS))
        if numbers is None or numbers.dtype.name != "int8" or numbers.ndim < 2 or not numbers.size:
            raise self._wrong(name + _WEIGHT, "int8 numbers", numbers)
        if int(numbers.min()) < -LARGEST_WEIGHT:
            raise self._wrong(name + _WEIGHT, f"numbers from -{LARGEST_WEIGHT}", int(numbers.min()))
        if bias is None or bias.dtype.name != "float32" or bias.shape != (len(numbers),):
            raise self._wrong(name + _BIAS, f"{len(numbers)} float32 numbers", bias)
        self._float(name + _BIAS, bias)
        return QuantizedWeight(numbers, self._scales(name + _WEIGHT_SCALE, scales, (len(numbers),)), bias)

    def _scale(self, name: str) -> Scale:
        scale, zero_point = (self._arrays.pop(name + end, None) for end in (_MAP_SCALE, _MAP_ZERO_POINT))
        scale = self._scales(name + _MAP_SCALE, scale, ())
        if zero_point is None or zero_point.shape != () or zero_point.dtype.kind not in "iu":
            raise self._wrong(name + _MAP_ZERO_POINT, "a whole number", zero_point)
        if not 0 <= int(zero_point) <= LARGEST:
            raise self._wrong(name + _MAP_ZERO_POINT, f"a whole number from 0 to {LARGEST}", int(zero_point))
        return Scale(float(scale), int(zero_point))

    def _scales(self, key: str, scales: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
        import numpy as np

        if scales is None or scales.dtype.name != "float32" or scales.shape != shape:
            raise self._wrong(key, f"{sizes(shape) or 'one'} float32", scales)
        wrong = scales[~((scales >= _SMALLEST) & (scales <= _LARGEST))]
        if len(wrong):
            found = np.format_float_scientific(wrong[0], 3)
            raise self._wrong(key, f"scales from {_SMALLEST:.0e} to {_LARGEST:.0e}", found)
        return scales

    def _float(self, key: str, array: np.ndarray) -> np.ndarray:
        import numpy as np

        if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
            raise self._wrong(key, "finite numbers", "infinite ones, or NaN")
        return array

    def _keep(self, text: str) -> frozenset[str]:
        try:
            names = json.loads(text)
        except (ValueError, RecursionError):
            names = None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self._wrong("keep", "a list of names", "another text")
        return frozenset(names)

    def _wrong(self, key: str, expected: str, found: object) -> CnnError:
        import numpy as np

        if isinstance(found, np.ndarray):
            found = f"{found.dtype} {sizes(found.shape) or 'one number'}"
        note = f"expected {expected}, found {'nothing' if found is None else found}"
        return CnnError([_fault(f"`{key}` of {self._file} is not what a quantised network has", note)])


def _fault(message: str, note: str) -> Diagnostic:
    return Diagnostic("wrong-quantization", message, notes=(note,), help=_AGAIN)
