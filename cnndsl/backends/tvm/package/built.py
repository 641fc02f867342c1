"""A package just built: to call, and to write as a directory or as the stages of its compilation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.package.export import export
from cnndsl.backends.tvm.package.loaded import Package, unsuitable
from cnndsl.backends.tvm.package.manifest import Manifest, describe
from cnndsl.diagnostics.errors import MissingPart

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.code.compiled import Compiled

    Variants = Sequence[Sequence[Compiled]]


class BuiltPackage(Package):
    """A `Package` just built, which can also be written. `Network.to_tvm` makes it.

    It keeps what it was made from: for each processor the network compiled for each batch size.
    """

    def __init__(self, variants: Variants, target: str, threads: int | None = None, *, trained: bool = True) -> None:
        manifest = describe(variants, target, threads, trained=trained)
        super().__init__(manifest, lambda: _network(variants, manifest))
        self._variants = variants

    def export(self, path: Path | str) -> Path:
        """Writes the package as a folder, in one step; an older package there is replaced. Raises `MissingPart` without a
        compiler that can link it or where it cannot be written, and `CnnError` (not-a-package) where something else lies.
        """
        return export(self._variants, self.manifest, self._sample(), path)

    def compiled(self, batch: int) -> Compiled:
        """The network compiled for this machine's processor and `batch` examples in one run. Raises `KeyError` for a
        batch size that was not asked for, and `MissingPart` where the package is not for this machine."""
        try:
            variant = _here(self._variants, self.manifest)
        except predict.UnsuitableError as e:
            raise unsuitable(e) from None
        return {compiled.job.batch: compiled for compiled in variant}[batch]

    def dump(self, folder: Path | str) -> None:
        """Writes every stage of the compilation as text files into `folder`. Raises `MissingPart`."""
        from cnndsl.backends.tvm.package.dump import dump

        dump(self._variants, Path(folder))

    def _sample(self) -> Mapping[str, np.ndarray]:
        """Inputs and the outputs they give; where the package is for another machine, by code compiled for this one."""
        try:
            return self.network.sample
        except MissingPart:
            from cnndsl.backends.tvm.lower import relowered

            here = relowered(self._variants[0][0])
            return _network(((here,),), describe(((here,),), "llvm")).sample


def _network(variants: Variants, manifest: Manifest) -> predict.Network:
    """The network of the variant for this machine. Raises `predict.UnsuitableError`."""
    if manifest.threads is not None:
        predict.runtime(manifest.threads)
    spoken = manifest.model_dump(by_alias=True)
    runnables = {
        compiled.job.batch: compiled.code.runnable(list(compiled.constants.values()))
        for compiled in _here(variants, manifest)
    }
    network = predict.Network(spoken, runnables, {})
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
    result = network(**inputs)
    outputs = result if isinstance(result, dict) else {manifest.outputs[0].name: result}
    return {f"input.{n}": x for n, x in inputs.items()} | {f"output.{n}": y for n, y in outputs.items()}
