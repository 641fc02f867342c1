"""Machine code of one network for one batch size, of each kind: what can be run here, and what is written into a package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.code.linking import compiler, tvm_linker

if TYPE_CHECKING:
    import numpy as np


class Code(Protocol):
    """What every kind can do."""

    def check_linker(self) -> None:
        """Raises `MissingPart` when the package could not be linked."""

    def runnable(self, constants: Sequence[np.ndarray]) -> predict.Runnable:
        """The network to call in this process, which must be suitable for it."""

    def write(self, folder: Path, name: str) -> str | None:
        """Writes the library `name` and what belongs to it; the name is None where none could be made."""


@dataclass(frozen=True)
class Native:
    """For a processor of LLVM's."""

    executable: Any
    """TVM's, with `main(*inputs, *constants)`, which returns the outputs as a tuple."""
    architecture: str

    def check_linker(self) -> None:
        compiler(self.architecture)

    def runnable(self, constants: Sequence[np.ndarray]) -> predict.Runnable:
        return predict.vm_runnable(self.executable.mod, constants)

    def write(self, folder: Path, name: str) -> str:
        self.executable.export_library(str(folder / name), fcompile=tvm_linker(self.architecture))
        return name
