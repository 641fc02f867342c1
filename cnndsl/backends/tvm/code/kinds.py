"""The kinds of code that a network is compiled to for one batch size: how it is run here, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.code.alone import Ports, write_alone
from cnndsl.backends.tvm.code.linking import compiler, tvm_linker
from cnndsl.backends.tvm.code.sequence import Sequence

if TYPE_CHECKING:
    import numpy as np


class Code(Protocol):
    """What code of every kind can do."""

    def check_linker(self) -> None:
        """Raises `MissingPart` when there is no compiler that could link the code."""

    def runnable(self, constants: Several[np.ndarray]) -> predict.Runnable:
        """The network to call in this process; the machine must be suitable for the code."""

    def write(self, folder: Path, name: str, ports: Ports) -> str | None:
        """Writes the library `name` and the files that belong to it; returns the name, or None where no library could
        be made."""


@dataclass(frozen=True)
class Native:
    """Machine code for a processor that LLVM knows."""

    executable: Any
    """TVM's, with `main(*inputs, *constants)`, which returns the outputs as a tuple."""
    architecture: str
    system: str
    alone: Sequence | None
    """What the driver of a package without TVM does; None where the package is for TVM's runtime."""

    def check_linker(self) -> None:
        compiler(self.architecture, self.system)

    def runnable(self, constants: Several[np.ndarray]) -> predict.Runnable:
        return predict.vm_runnable(self.executable.mod, constants)

    def write(self, folder: Path, name: str, ports: Ports) -> str:
        if self.alone is not None:
            write_alone(self.executable, self.alone, ports, self.architecture, self.system, folder / name)
            return name
        self.executable.export_library(str(folder / name), fcompile=tvm_linker(self.architecture))
        return name
