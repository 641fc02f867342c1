"""Compiled networks to call: one just built, or one loaded from its directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.package.export import export
from cnndsl.backends.tvm.package.manifest import Manifest, describe
from cnndsl.diagnostics.errors import CnnError, Diagnostic, MissingPart, Refused

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.code.compiled import Compiled

    Variants = Sequence[Sequence[Compiled]]


class Package:
    """A compiled network with its weights.

    Called with arrays in the order of the inputs, or by name, each with or without a batch axis of any length,
    it returns one array, or a dict by output name where there are several, always with the batch axis. Inputs are
    NumPy arrays or anything that speaks DLPack on the CPU; those that are contiguous and aligned to 64 bytes are not copied.
    """

    def __init__(self, manifest: Manifest, open: Callable[[], predict.Network], variants: Variants = ()) -> None:
        self.manifest = manifest
        self._open = open
        self._variants = variants
        self._network: predict.Network | None = None

    @property
    def network(self) -> predict.Network:
        """The network, loaded on first use. Raises `MissingPart` where it is not for this machine."""
        if self._network is None:
            try:
                self._network = self._open()
            except predict.UnsuitableError as e:
                raise _unsuitable(e) from None
        return self._network

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """Raises `CnnError` (wrong-input) for another shape, type or name, `MissingPart` on an unsuitable machine."""
        try:
            return self.network(*arrays, **named)
        except predict.UnsuitableError as e:
            raise _unsuitable(e) from None
        except predict.WrongInputError as e:
            raise _error("wrong-input", str(e), "give arrays of the shapes and types that the manifest lists") from None

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

    def export(self, path: Path | str) -> Path:
        """Writes a package just built as a directory. Raises `MissingPart` and `CnnError` as `package.export`."""
        if not self._variants:
            raise _error("not-a-package", "this package was loaded from a directory", "copy that directory")
        return export(self._variants, self.manifest, self._sample(), path)

    def compiled(self, batch: int) -> Compiled:
        """What a package just built was made from, for this machine's processor and that many examples in one run. Raises
        `KeyError` for another number, `predict.UnsuitableError` where the package is not for this machine."""
        return {one.options.batch: one for one in _here(self._variants, self.manifest)}[batch]

    def dump(self, folder: Path | str) -> None:
        """Writes every stage of the compilation of a package just built as text files. Raises `CnnError`."""
        if not self._variants:
            raise _error("not-a-package", "this package was loaded from a directory", "compile it again with --dump")
        from cnndsl.backends.tvm.package.dump import dump

        dump(self._variants, Path(folder))

    def _sample(self) -> Mapping[str, np.ndarray]:
        """Inputs and what they give: on this machine, and where the package is for another, by code for this one."""
        try:
            return self.network.sample
        except MissingPart:
            from cnndsl.backends.tvm.lower import relowered

            here = relowered(self._variants[0][0])
            return _network(((here,),), describe(((here,),), "llvm")).sample


def package_of(variants: Variants, target: str, threads: int | None = None) -> Package:
    """A compiled network, for each processor one for each batch size; ready to call where this is one of them."""
    manifest = describe(variants, target, threads)
    return Package(manifest, lambda: _network(variants, manifest), variants)


def load(path: Path | str, threads: int | None = None) -> Package:
    """The network of a package's folder, loaded once all its checksums agree; it runs on `threads` threads, all cores by
    default. Raises `MissingPart` where it was not made for this machine, and `CnnError` (damaged-package)."""
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
        raise _unsuitable(e) from None
    return Package(manifest, lambda: network)


def _network(variants: Variants, manifest: Manifest) -> predict.Network:
    """The variant for this machine. Raises `predict.UnsuitableError`."""
    if manifest.threads is not None:
        predict.runtime(manifest.threads)
    spoken = manifest.model_dump(by_alias=True)
    programs = {
        compiled.options.batch: compiled.code.program(list(compiled.constants.values()))
        for compiled in _here(variants, manifest)
    }
    network = predict.Network(spoken, programs, {})
    network.sample = _drawn(network, manifest)
    return network


def _here(variants: Variants, manifest: Manifest) -> Sequence[Compiled]:
    """The variant for this machine. Raises `predict.UnsuitableError`."""
    spoken = manifest.model_dump(by_alias=True)
    return variants[spoken["variants"].index(predict.suitable(spoken))]


def _drawn(network: predict.Network, manifest: Manifest) -> dict[str, np.ndarray]:
    """One example of normal deviates (of zeros and ones where numbers are whole) and what the network makes of it."""
    import numpy as np

    generator = np.random.default_rng(0)
    inputs: dict[str, np.ndarray] = {}
    for port in manifest.inputs:
        whole = np.dtype(port.dtype).kind != "f"
        drawn = generator.integers(0, 2, port.shape) if whole else generator.standard_normal(port.shape)
        inputs[port.name] = drawn.astype(port.dtype)[None]
    found = network(**inputs)
    outputs = found if isinstance(found, dict) else {manifest.outputs[0].name: found}
    return {f"input.{n}": x for n, x in inputs.items()} | {f"output.{n}": y for n, y in outputs.items()}


def _first_line(error: Exception) -> str:
    return str(error).replace("\n", "; ")


def _error(id: str, message: str, help: str) -> CnnError:
    return CnnError([Diagnostic(id=id, message=message, help=help)])


def _unsuitable(error: predict.UnsuitableError) -> MissingPart:
    return MissingPart(str(error), "compile for this machine with `--target llvm`, or run it where it belongs")
