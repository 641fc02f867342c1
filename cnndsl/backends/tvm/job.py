"""One compilation of a program: a package has one for each processor and batch size."""

from __future__ import annotations

from dataclasses import dataclass

from cnndsl.backends.tvm.kernels.choices import UNTUNED, Choices
from cnndsl.backends.tvm.options import DEFAULT, CompileOptions
from cnndsl.backends.tvm.target import Cpu, Gpu


@dataclass(frozen=True)
class Job:
    """For which target the code is, with the user's options, and what differs between the compilations of one
    package."""

    target: Cpu | Gpu
    options: CompileOptions = DEFAULT
    batch: int = 1
    """How many examples go through in one run."""
    choices: Choices = UNTUNED
    """What tuning chose for the target."""

    @property
    def cpu(self) -> Cpu:
        """The target of a job that is known to be for a processor."""
        assert isinstance(self.target, Cpu)
        return self.target
