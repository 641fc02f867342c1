"""What tuning tells while it works; `kind` says which event it is, without an import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cnndsl.backends.tvm.kernels.choices import Choices
    from cnndsl.backends.tvm.target import Cpu
    from cnndsl.backends.tvm.tuning.problems import Problem
    from cnndsl.backends.tvm.tuning.timer import Timing


@dataclass(frozen=True)
class Begun:
    """Tuning for a processor and batch size begins."""

    cpu: Cpu
    batch: int
    kernels: int
    """How many problems there are."""
    kind: Literal["begun"] = field(default="begun", init=False)


@dataclass(frozen=True)
class Trial:
    """A candidate has been measured."""

    problem: Problem
    setting: str
    timing: Timing
    tried: int
    """How many candidates of the problem have been measured by now."""
    rule_s: float | None
    """Seconds of the rule's own candidate."""
    best_s: float | None
    """Seconds of the fastest candidate."""
    kind: Literal["trial"] = field(default="trial", init=False)


@dataclass(frozen=True)
class Raced:
    """A network has run without and with settings of these problems, and has accepted or rejected them."""

    problems: tuple[Problem, ...]
    before_s: float
    """Seconds of a run without them."""
    after_s: float
    accepted: bool
    kind: Literal["raced"] = field(default="raced", init=False)


@dataclass(frozen=True)
class Tuned:
    """Tuning for a processor and batch size is done. The seconds are those of a run of the network by the rules
    alone, and with all settings that were accepted, raced against each other."""

    cpu: Cpu
    batch: int
    choices: Choices
    before_s: float
    after_s: float
    kind: Literal["tuned"] = field(default="tuned", init=False)


Event = Begun | Trial | Raced | Tuned

Tell = Callable[[Event], None]
