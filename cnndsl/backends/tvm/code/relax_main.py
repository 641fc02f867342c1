"""The instructions of `main` as an IRModule: Relax, and a scheduled function for each kernel."""

from __future__ import annotations

from typing import Any

from cnndsl.backends.tvm.emitters.forms import KernelCall
from cnndsl.backends.tvm.emitters.recording.instructions import (
    Allocated,
    Call,
    Cut,
    Instruction,
    Main,
    Noted,
    Padded,
    PlainForm,
    Reshaped,
    Untaken,
    Value,
    View,
)
from cnndsl.backends.tvm.kernels.choices import TUNED
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import Group


def relax_main(main: Main) -> tuple[Any, tuple[KernelCall, ...]]:
    """The module, and its calls by the names of the functions in it."""
    written = _Writer()
    relax, values = load_tvm().relax, written.values
    for name, value in main.inputs.items():
        values[value] = written.variable(name, value)
    for constant in main.constants:
        values[constant.value] = written.variable(constant.name, constant.value)
    parameters = [*(values[v] for v in main.inputs.values()), *(values[c.value] for c in main.constants)]
    with written.builder.function("main"):
        with written.builder.dataflow():
            for instruction in main.instructions:
                written.write(instruction)
            leaving = written.builder.emit_output(relax.Tuple([values[value] for value in main.outputs]))
        written.builder.emit_func_output(leaving, params=parameters)
    return written.builder.get(), tuple(written.calls)


class _Writer:
    def __init__(self) -> None:
        self._relax = load_tvm().relax
        self.builder = self._relax.BlockBuilder()
        self.values: dict[Value, Any] = {}
        """By tensor its Relax variable."""
        self.calls: list[KernelCall] = []
        self._kernels: dict[Any, Any] = {}

    def variable(self, name: str, value: Value) -> Any:
        return self._relax.Var(name, self._type(value))

    def write(self, instruction: Instruction | Untaken) -> None:
        if isinstance(instruction, Untaken):
            self.calls.append(KernelCall(None, None, instruction.group))
        else:
            self.values[instruction.made] = self.builder.emit(self._expression(instruction))

    def _expression(self, i: Instruction) -> Any:
        relax, values = self._relax, self.values
        op = relax.op
        if isinstance(i, Call):
            function, arguments = self._function(i.kernel, i.group, i.tuned), [values[v] for v in i.arguments]
            if i.into is None:
                return relax.call_tir(function, arguments, self._type(i.made))
            into = [*arguments, values[i.into]]
            return relax.call_tir_inplace(function, into, [len(arguments)], self._type(i.made))
        if isinstance(i, Noted):
            function = self._function(i.kernel, i.group, i.tuned)
            arguments = [values[i.memory], *(values[v] for v in i.written)]
            return relax.call_tir_inplace(function, arguments, [0], self._type(i.made))
        if isinstance(i, Allocated):
            return op.builtin.alloc_tensor(relax.ShapeExpr(i.made.shape), i.made.dtype, 0)
        if isinstance(i, View):
            view = op.memory.view(values[i.source], relax.ShapeExpr(i.made.shape), i.made.dtype, i.start)
            return op.memory.ensure_zero_offset(self.builder.emit(view))
        if isinstance(i, Reshaped):
            return op.reshape(values[i.source], i.made.shape)
        if isinstance(i, Cut):
            return op.strided_slice(values[i.source], [1], [0], [i.made.shape[1]])
        if isinstance(i, Padded):
            return op.nn.pad(values[i.source], [0, 0, 0, i.made.shape[1] - i.source.shape[1]])
        assert isinstance(i, PlainForm)
        given = tuple(values[v] for v in i.arguments)
        return i.step.op.to_relax(relax, i.step.xs, given, {slot: values[v] for slot, v in i.weights.items()})

    def _function(self, kernel: Any, group: Group | None, tuned: str | None) -> Any:
        """The function of the kernel in the module, made when it is first asked for."""
        if kernel not in self._kernels:
            function = kernel.prim_func()
            if tuned is not None:
                function = function.with_attr(TUNED, tuned)
            self._kernels[kernel] = self.builder.add_func(function, type(kernel).__name__.lower())
        function = self._kernels[kernel]
        self.calls.append(KernelCall(str(function.name_hint), kernel, group))
        return function

    def _type(self, value: Value) -> Any:
        return self._relax.TensorType(value.shape, value.dtype)
