"""Arrays of other libraries become a state dict: keys are renamed, and kernels get our order of axes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cnndsl.arrays.foreign.darknet import SLOTS, read_darknet
from cnndsl.arrays.weights import read_weights
from cnndsl.diagnostics.errors import CnnError, Diagnostic
from cnndsl.disk.files import open_file
from cnndsl.ir.graph import Entry, Graph

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.published.table import Format

    Arrays = dict[str, np.ndarray]

_WORDS = {
    "kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
    "moving_variance": "running_var", "depthwise_kernel": "depthwise.weight", "pointwise_kernel": "pointwise.weight",
}  # fmt: skip
"""What TensorFlow and Keras call the tensors of a layer, and PyTorch."""


def read_published(path: Path, format: Format, rename: Sequence[Sequence[str]], graph: Graph) -> Arrays:
    """The arrays of a file by the network's keys. Raises `CnnError` (unreadable-weights) and `MissingPart`."""
    if format in ("state-dict", "safetensors"):
        return renamed(read_weights(path, ".safetensors" if format == "safetensors" else ".pth"), rename)
    if format == "darknet":
        try:
            with open_file(path) as file:
                return read_darknet(file, darknet_order(graph))
        except ValueError as error:
            raise CnnError(
                [
                    Diagnostic(
                        "unreadable-weights",
                        f"{path.name} cannot be read: {error}",
                        help="give the file of this network",
                    )
                ]
            ) from None
    endings = {"hdf5": ".h5", "pickle": ".pkl", "tf-checkpoint": ".index", "tf-graph": ".pb", "tfjs": ".json"}
    return spatial_last(renamed(read_weights(path, endings[format]), rename), graph)


def renamed(arrays: Mapping[str, np.ndarray], rename: Sequence[Sequence[str]]) -> Arrays:
    """Keys by the first expression that fits the whole of them; where there are any, keys that none fits are left out."""
    if not rename:
        return dict(arrays)
    found: Arrays = {}
    for key, array in arrays.items():
        for pattern, replacement in rename:
            if match := re.fullmatch(pattern, key):
                found[match.expand(replacement)] = array
                break
    return found


def spatial_last(arrays: Mapping[str, np.ndarray], graph: Graph) -> Arrays:
    """TensorFlow's words and axes as PyTorch's: kernels H×W×in×out become out×in×H×W, matrices are transposed.

    A depthwise kernel, H×W×C×multiplier, becomes C·multiplier×1×H×W, by the shape that the network has there.
    """
    import numpy as np

    shapes = {entry.key: entry.weight.shape for entry in graph.weights}
    found: Arrays = {}
    for key, array in arrays.items():
        layer, dot, word = key.rpartition(".")
        ours = f"{layer}{dot}{_WORDS.get(word, word)}"
        wanted = shapes.get(ours)
        if array.ndim >= 2 and wanted is not None:
            *sizes, near, far = range(array.ndim)
            array = array.transpose(far, near, *sizes)
            if array.shape != wanted and array.ndim > 2:
                # Each channel's own kernels follow one another.
                swapped = array.swapaxes(0, 1)
                if (swapped.shape[0] * swapped.shape[1], 1, *swapped.shape[2:]) == wanted:
                    array = swapped.reshape(wanted)
        found[ours] = np.ascontiguousarray(array)
    return found


def darknet_order(graph: Graph) -> list[tuple[str, tuple[int, ...]]]:
    """Keys and shapes as Darknet stores them: layers as they are written, before each kernel its normalisation or bias."""
    order: list[tuple[str, tuple[int, ...]]] = []
    convolution: list[Entry] = []
    by_node: dict[str, list[Entry]] = {}
    for entry in graph.weights:
        by_node.setdefault(entry.node, []).append(entry)
    for entries in by_node.values():
        slots = {entry.slot: entry for entry in entries}
        if "running_mean" in slots:
            order += [(slots[slot].key, slots[slot].weight.shape) for slot in SLOTS]
            order += [(entry.key, entry.weight.shape) for entry in convolution]
            convolution = []
        elif "bias" in slots:
            order += [(slots[slot].key, slots[slot].weight.shape) for slot in ("bias", "weight")]
        else:
            convolution = entries
    return order
