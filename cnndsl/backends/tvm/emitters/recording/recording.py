"""Instructions of `main` as they are asked for, one behind the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from cnndsl.backends.tvm.emitters.recording.instructions import (
    Call,
    Constant,
    Cut,
    Instruction,
    Main,
    Noted,
    Padded,
    PlainForm,
    Reshaped,
    Untaken,
    Value,
)
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.kernel import Tunable, key
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.program.later import Later
from cnndsl.backends.tvm.program.steps import Step

if TYPE_CHECKING:
    import numpy as np

K = TypeVar("K")


class Recording:
    """What does not depend on how tensors are laid out."""

    def __init__(self, job: Job) -> None:
        self.job, self.batch = job, job.batch
        self.constants: dict[str, Constant] = {}
        self.instructions: list[Instruction | Untaken] = []
        self.group: Group | None = None
        """The group that is being emitted."""
        self._tuned: dict[Any, str] = {}

    def constant(self, name: str, array: np.ndarray | Later) -> Value:
        """A new parameter of `main`, for which every run passes this array. Each name may be used once."""
        later = array if isinstance(array, Later) else Later.of(array)
        self.constants[name] = Constant(name, Value(later.shape, later.dtype), later)
        return self.constants[name].value

    def call(
        self,
        kernel: Any,
        arguments: list[Value],
        shape: tuple[int, ...],
        into: Value | None = None,
        dtype: str = "float32",
    ) -> Value:
        """Calls a kernel: its result of this shape, in new memory or in that of `into`. Equal kernels become one
        function."""
        kernel, tuned = self._settled(kernel)
        made = Value(shape, dtype)
        self.instructions.append(Call(kernel, tuple(arguments), made, into, self.group, tuned))
        return made

    def note(self, kernel: Any, memory: Value, arguments: list[Value]) -> Value:
        """Calls a kernel that takes `memory` as its first argument and hands it on, so that what reads the result
        waits for what is written into `arguments`."""
        kernel, tuned = self._settled(kernel)
        made = Value(memory.shape, memory.dtype)
        self.instructions.append(Noted(kernel, memory, tuple(arguments), made, self.group, tuned))
        return made

    def plain_form(self, step: Step, arguments: list[Value], weights: Mapping[str, Value]) -> Value:
        """What TVM computes of a step by the op's own form."""
        made = Value((self.batch, *step.type.shape), step.type.dtype)
        self.instructions.append(PlainForm(step, tuple(arguments), weights, made))
        return made

    def reshaped(self, value: Value, shape: tuple[int, ...]) -> Value:
        """The memory of a tensor under another shape."""
        made = Value(shape, value.dtype)
        self.instructions.append(Reshaped(value, made))
        return made

    def cut(self, value: Value, count: int) -> Value:
        """The first `count` columns of `(batch, columns)`."""
        made = Value((value.shape[0], count), value.dtype)
        self.instructions.append(Cut(value, made))
        return made

    def padded(self, value: Value, count: int) -> Value:
        """`(batch, columns)` with zeros behind it up to `count` columns."""
        made = Value((value.shape[0], count), value.dtype)
        self.instructions.append(Padded(value, made))
        return made

    def choose(self, kernel: K) -> K:
        """The candidate that tuning chose in place of this kernel, else the kernel. Call this before packing weights
        whose layout depends on the setting; `call` does it for all others."""
        chosen = self.job.choices.apply(kernel)
        if chosen != kernel and isinstance(kernel, Tunable):
            self._tuned[chosen] = key(kernel)
        return chosen

    def _settled(self, kernel: K) -> tuple[K, str | None]:
        """The candidate that is called, and the key of its problem where tuning chose it."""
        if kernel not in self._tuned:
            kernel = self.choose(kernel)
        return kernel, self._tuned.get(kernel)

    def emit_group(self, group: Group, emit: Callable[[], object]) -> None:
        """Does `emit` for a group, and notes where it called no kernel."""
        self.group, before = group, len(self.instructions)
        emit()
        if not any(isinstance(made, Call | Noted | Untaken) for made in self.instructions[before:]):
            self.note_untaken(group)

    def note_untaken(self, group: Group) -> None:
        """Notes that no kernel computes the group."""
        self.instructions.append(Untaken(group))

    def finished(self, inputs: Mapping[str, Value], outputs: tuple[Value, ...]) -> Main:
        """The function, once all groups are emitted."""
        return Main(self.batch, inputs, tuple(self.constants.values()), tuple(self.instructions), outputs)
