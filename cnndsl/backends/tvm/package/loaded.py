"""A compiled network to call, and how it is loaded from its directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.package.manifest import Manifest
from cnndsl.diagnostics.errors import Diagnostic, MissingPart, Refused, fault


class Package:
    """A compiled network with its weights.

    Called with arrays in the order of the inputs, or by name, each with or without a batch axis of any length,
    it returns one array, or a dict by output name where there are several, always with the batch axis. Inputs are
    NumPy arrays or anything that speaks DLPack on the CPU; those that are contiguous and aligned to 64 bytes are not
    copied.
    """

    def __init__(self, manifest: Manifest, open: Callable[[], predict.Network]) -> None:
        self.manifest = manifest
        self._open = open
        self._network: predict.Network | None = None

    @property
    def network(self) -> predict.Network:
        """The network, loaded on first use. Raises `MissingPart` where it is not for this machine."""
        if self._network is None:
            try:
                self._network = self._open()
            except predict.UnsuitableError as e:
                raise unsuitable(e) from None
        return self._network

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """Raises `CnnError` (wrong-input) for another shape, type or name, `MissingPart` on an unsuitable machine."""
        try:
            return self.network(*arrays, **named)
        except predict.UnsuitableError as e:
            raise unsuitable(e) from None
        except predict.WrongInputError as e:
            help = "give arrays of the shapes and types that the manifest lists"
            raise fault("wrong-input", str(e), help=help) from None

    def self_test(self) -> float:
        """The largest error on the package's own sample, relative to the largest value. Raises `CnnError`
        (failed-self-test) when it is too large, and `MissingPart` on an unsuitable machine."""
        network = self.network
        try:
            return network.self_test()
        except predict.UnsuitableError as e:
            raise Refused(
                [Diagnostic(id="failed-self-test", message=str(e), help="compile the package for this machine")]
            ) from None


def load(path: Path | str, threads: int | None = None) -> Package:
    """The network of a package's folder, loaded once all its checksums agree; it runs on `threads` threads, by default as
    many as it was compiled for. Raises `MissingPart` where it was not made for this machine, and `CnnError`
    (damaged-package)."""
    try:
        # What is wrong with it is said before anything is loaded.
        Manifest.model_validate(predict.read_manifest(Path(path).absolute()))
        network = predict.load(path, threads)
        manifest = Manifest.model_validate(network.manifest)
    except (predict.DamagedError, ValidationError) as e:
        raise Refused(
            [Diagnostic(id="damaged-package", message=_first_line(e), help="export the package again")]
        ) from None
    except predict.UnsuitableError as e:
        raise unsuitable(e) from None
    return Package(manifest, lambda: network)


def _first_line(error: Exception) -> str:
    return str(error).replace("\n", "; ")


def unsuitable(error: predict.UnsuitableError) -> MissingPart:
    """What is raised where a package is not for this machine."""
    return MissingPart(str(error), "compile for this machine with `--target llvm`, or run it where it belongs")
