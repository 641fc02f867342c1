"""Tensors on their way through the assembly, each in the layouts that were asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.groups import Group
from cnndsl.backends.tvm.kernels.packing import Repack
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.options import Options
from cnndsl.backends.tvm.target import Cpu
from cnndsl.ir.tensor import TensorType

if TYPE_CHECKING:
    import numpy as np


@dataclass
class Value:
    """A tensor as Relax variables: plain `(batch, *shape)`, packed, both, or flattened from a packed one."""

    type: TensorType
    plain: Any = None
    packed: Any = None
    flattened: str | None = None
    """The map that this vector is, when only that has been computed."""


class Assembly:
    """A Relax function under construction: its tensors, kernels and constants."""

    def __init__(self, cpu: Cpu, options: Options) -> None:
        self.cpu, self.lanes = cpu, cpu.lanes
        self.options, self.batch = options, options.batch
        self.values: dict[str, Value] = {}
        self.constants: dict[str, np.ndarray] = {}
        self.parameters: list[Any] = []
        self.builder = load_tvm().relax.BlockBuilder()
        self._kernels: dict[Any, Any] = {}

    def chunks(self, channels: int) -> int:
        return -(-channels // self.lanes)

    def constant(self, name: str, array: np.ndarray) -> Any:
        """A parameter of the function that is always this array. Each name is used once."""
        relax = load_tvm().relax
        variable = relax.Var(name, relax.TensorType(array.shape, array.dtype.name))
        self.constants[name] = array
        self.parameters.append(variable)
        return variable

    def call(self, kernel: Any, arguments: list[Any], shape: tuple[int, ...]) -> Any:
        """The result of a kernel; equal kernels are made once."""
        relax = load_tvm().relax
        if kernel not in self._kernels:
            self._kernels[kernel] = self.builder.add_func(kernel.prim_func(), type(kernel).__name__.lower())
        return self.builder.emit(relax.call_tir(self._kernels[kernel], arguments, relax.TensorType(shape, "float32")))

    def give(self, group: Group, kernel: Any, arguments: list[Any]) -> None:
        """Calls a kernel over packed images; what the group adds on its way out comes behind `arguments`."""
        residuals = [self.packed(name) for name in group.residuals]
        type = group.last.type
        shape = (self.batch, self.chunks(type.channels), *type.size, self.lanes)
        self.values[group.last.name] = Value(type, packed=self.call(kernel, arguments + residuals, shape))

    def plain(self, name: str) -> Any:
        value = self.values[name]
        if value.plain is None and value.flattened is not None:
            shape = (self.batch, *value.type.shape)
            value.plain = self.builder.emit(load_tvm().relax.op.reshape(self.plain(value.flattened), shape))
        elif value.plain is None:
            value.plain = self._repacked(value.packed, value.type, pack=False)
        return value.plain

    def packed(self, name: str) -> Any:
        value = self.values[name]
        if value.packed is None:
            value.packed = self._repacked(value.plain, value.type, pack=True)
        return value.packed

    def _repacked(self, source: Any, type: TensorType, *, pack: bool) -> Any:
        packed = (self.batch, self.chunks(type.channels), *type.size, self.lanes)
        shape = packed if pack else (self.batch, *type.shape)
        return self.call(Repack(pack, self.batch, type.channels, type.size, self.lanes), [source], shape)
