"""The kernels of a network that can be tuned, each once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.choices import UNTUNED, Choices
from cnndsl.backends.tvm.kernels.kernel import Setting, Tunable, key, settings
from cnndsl.backends.tvm.lower import lowered_module
from cnndsl.backends.tvm.program.steps import Program
from cnndsl.backends.tvm.tuning.worker import Ports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnndsl.backends.tvm.emitters.forms import KernelCall


class Problem(Protocol):
    """What can be done in several ways: the settings by their text, and the one that is taken without tuning."""

    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def calls(self) -> int: ...
    @property
    def rule(self) -> str: ...
    @property
    def ways(self) -> dict[str, tuple[Setting, Any]]: ...


@dataclass(frozen=True)
class KernelProblem:
    """One kernel with the ways to compute it; the first is the rule's, which is taken without tuning."""

    key: str
    name: str
    """The first layer that it computes, and its kind."""
    calls: int
    """How often the network calls it."""
    kernel: Tunable

    @cached_property
    def ways(self) -> dict[str, tuple[Setting, Tunable]]:
        """Settings and candidates by the setting's text, in the order in which they are to be tried."""
        return {text_of(setting): (setting, candidate) for setting, candidate in settings(self.kernel)}

    @property
    def rule(self) -> str:
        """The text of the setting that is taken without tuning."""
        return next(iter(self.ways))


def text_of(setting: Any) -> str:
    return json.dumps(setting, sort_keys=True)


def find_problems(calls: Sequence[KernelCall]) -> tuple[KernelProblem, ...]:
    """The problems with more than one candidate, in the order of the network."""
    counts = Counter(call.kernel for call in calls if isinstance(call.kernel, Tunable))
    names: dict[Any, str] = {}
    for call in calls:
        layer = call.group.last.name if call.group else "output"
        names.setdefault(call.kernel, f"{layer} ({type(call.kernel).__name__})")
    problems = [KernelProblem(key(kernel), names[kernel], count, kernel) for kernel, count in counts.items()]
    return tuple(problem for problem in problems if len(problem.ways) > 1)


@dataclass(frozen=True)
class Subject:
    """What is tuned: the program of a network, compiled as its job says."""

    name: str
    program: Program
    job: Job

    @cached_property
    def problems(self) -> tuple[KernelProblem, ...]:
        """The kernels that can be tuned."""
        return find_problems(self.lowered()[2])

    def lowered(self, choices: Choices = UNTUNED) -> tuple[Any, Ports, tuple[KernelCall, ...]]:
        """The network with these choices, ready to be compiled; the form of its arguments; its calls."""
        module, lowered, _, calls = lowered_module(self.program, replace(self.job, choices=choices))
        ports = [(tuple(int(n) for n in p.ty.shape), str(p.ty.dtype)) for p in module["main"].params]
        return lowered, ports, calls
