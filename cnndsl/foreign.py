"""The Python front door for networks from elsewhere: PyTorch modules, ONNX files, exported programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.network import Network
from cnndsl.pipeline import Loaded

if TYPE_CHECKING:
    from cnndsl.importing.imported import Imported, Report

Shape = tuple[int, ...]


class ImportedNetwork(Network):
    """A network that was imported: all of `Network`, and its program, weights and proof."""

    def __init__(self, imported: Imported) -> None:
        super().__init__(Loaded(imported.graph, ()))
        self.text: str = imported.text
        """The program."""
        self.arrays: Mapping[str, Any] | None = imported.weights
        """The weights as arrays by this network's keys; None where the source has no numbers."""
        self.report: Report = imported.report
        """What was compared with the source, and how far it agrees."""

    def save(self, path: str | Path) -> None:
        """Writes the program to a `.cnn` file, and its weights beside it as `.safetensors`. Raises `MissingPart`."""
        from cnndsl.arrays.weights import write_weights
        from cnndsl.disk.files import write_atomically

        path = Path(path)
        write_atomically(path, self.text)
        if self.arrays is not None:
            write_weights(path.with_suffix(".safetensors"), dict(self.arrays))


def from_torch(module: Any, example: Any, /, *, name: str | None = None, flat: bool = False) -> ImportedNetwork:
    """The network of a PyTorch module in evaluation, as a readable program that is proved to be the same.

    `example` is a tensor with a batch, the shape of one input without batch, or a list of either for several inputs. The
    module stays as it is. `name` is the network's, else the class's. With `flat` the program is chains alone. Raises
    `CnnError` (cannot-import) and `MissingPart`.
    """
    from cnndsl.importing.from_torch import import_module

    kind = type(module).__name__
    imported = import_module(
        module, _inputs(example), name or kind.lower(), f"PyTorch's {kind}", forms=("flat",) if flat else ()
    )
    return ImportedNetwork(imported)


def from_onnx(
    path: str | Path,
    /,
    *,
    input: Shape | Mapping[str, Shape] | None = None,
    flat: bool = False,
    starts: str | Sequence[str] = (),
    ends: str | Sequence[str] = (),
) -> ImportedNetwork:
    """The network of an ONNX file, or the part of it from the tensors `starts` to the tensors `ends`; `input` says sizes that
    the file leaves open, without the batch. Raises `CnnError` (cannot-import, file-not-found) and `MissingPart`."""
    from cnndsl.importing.from_onnx import import_onnx

    sizes = {} if input is None else dict(input) if isinstance(input, Mapping) else {"": input}
    imported = import_onnx(Path(path), sizes, forms=("flat",) if flat else (), starts=_names(starts), ends=_names(ends))
    return ImportedNetwork(imported)


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def from_pt2(path: str | Path, /, *, flat: bool = False) -> ImportedNetwork:
    """The network of a program that `torch.export.save` wrote. Nothing in the file is run. Raises `CnnError` and
    `MissingPart`."""
    from cnndsl.importing.from_pt2 import import_pt2

    return ImportedNetwork(import_pt2(Path(path), forms=("flat",) if flat else ()))


def _inputs(example: Any) -> list[tuple[Shape, str]]:
    """Shapes without batch, and dtypes."""
    if hasattr(example, "shape"):
        return [(tuple(example.shape[1:]), str(example.dtype).removeprefix("torch."))]
    if isinstance(example, tuple) and all(isinstance(n, int) for n in example):
        return [(example, "float32")]
    if isinstance(example, Sequence) and example and not isinstance(example, str):
        return [item for one in example for item in _inputs(one)]
    raise TypeError(f"expected a tensor, a shape without batch, or a list of them, found {example!r}")
