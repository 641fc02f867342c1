"""Compiled networks to call: one just built, or one loaded from its directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.package import Manifest, describe, export
from cnndsl.errors import CnnError, Diagnostic

if TYPE_CHECKING:
    from cnndsl.backends.tvm.lower import Compiled


class Package:
    """A compiled network with its weights.

    Called with arrays in the order of the inputs, or by name, each with or without a batch axis of any length,
    it returns one array, or a dict by output name where there are several, always with the batch axis.
    """

    def __init__(self, network: predict.Network, manifest: Manifest, compiled: Compiled | None = None) -> None:
        self.manifest = manifest
        self._network = network
        self._compiled = compiled

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """Raises `CnnError` (wrong-input) for another shape, type or name."""
        try:
            return self._network(*arrays, **named)
        except predict.WrongInputError as e:
            raise _error("wrong-input", str(e), "give arrays of the shapes and types that the manifest lists") from None

    def export(self, path: Path | str) -> Path:
        """Writes a package just built as a directory. Raises `MissingPart` and `CnnError` as `package.export`."""
        if self._compiled is None:
            raise _error("not-a-package", "this package was loaded from a directory", "copy that directory")
        return export(self._compiled, path)


def package_of(compiled: Compiled) -> Package:
    """The compiled network, ready to call in this process."""
    load_tvm()
    manifest = describe(compiled)
    network = predict.Network(
        compiled.executable, manifest.model_dump(by_alias=True), list(compiled.constants.values())
    )
    return Package(network, manifest, compiled)


def load(path: Path | str) -> Package:
    """The network of a package directory, once its checksums agree. Raises `MissingPart` and `CnnError` (damaged-package)."""
    load_tvm()
    try:
        manifest = Manifest.model_validate(predict.read_manifest(Path(path).absolute()))
        network = predict.load(path)
    except (predict.DamagedError, ValidationError) as e:
        raise _error("damaged-package", str(e), "export the package again") from None
    return Package(network, manifest)


def _error(id: str, message: str, help: str) -> CnnError:
    return CnnError([Diagnostic(id=id, message=message, help=help)])
