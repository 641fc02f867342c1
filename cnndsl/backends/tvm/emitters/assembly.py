"""Tensors on their way through the assembly, each in the layouts that were asked for."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar

from cnndsl.backends.tvm.kernels.choices import TUNED
from cnndsl.backends.tvm.kernels.kernel import Tunable, key
from cnndsl.backends.tvm.kernels.repack import Repack
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.options import Options
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.plan.joins import Joins, Slot
from cnndsl.backends.tvm.target import Cpu
from cnndsl.ir.tensor import TensorType

if TYPE_CHECKING:
    import numpy as np

K = TypeVar("K")


@dataclass
class Value:
    """A tensor as Relax variables: plain `(batch, *shape)`, packed, both, or flattened from a packed one."""

    type: TensorType
    plain: Any = None
    packed: Any = None
    flattened: str | None = None
    """The map that this vector is, when only that has been computed."""
    pairs: Any = None
    """Packed as pairs of bfloat16, int32 `(batch, chunks, *size, 8)`, instead of all others."""
    slot: Slot | None = None
    """The part of a concatenation's memory that `packed` is."""


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a kernel: by its function's name in the module, or of whatever TVM makes of a group's plain forms."""

    function: str | None
    kernel: Any
    group: Group | None
    """None for changes of layout on the way out."""


class Assembly:
    """A Relax function under construction: its tensors, kernels and constants."""

    def __init__(self, cpu: Cpu, options: Options, joins: Joins, kept_as_pairs: frozenset[str] = frozenset()) -> None:
        self.cpu, self.lanes = cpu, cpu.lanes
        self.options, self.batch = options, options.batch
        self.joins = joins
        self.kept_as_pairs = kept_as_pairs
        """Maps that only kernels in bfloat16 read."""
        self.values: dict[str, Value] = {}
        self.constants: dict[str, np.ndarray] = {}
        self.parameters: list[Any] = []
        self.builder = load_tvm().relax.BlockBuilder()
        self._kernels: dict[Any, Any] = {}
        self.group: Group | None = None
        """The group that is being emitted."""
        self.calls: list[Call] = []
        """What `main` calls, in order."""
        self._tuned: dict[Any, str] = {}
        self._buffers: dict[str, Any] = {}

    def chunks(self, channels: int) -> int:
        return -(-channels // self.lanes)

    def constant(self, name: str, array: np.ndarray) -> Any:
        """A parameter of the function that is always this array. Each name is used once."""
        relax = load_tvm().relax
        variable = relax.Var(name, relax.TensorType(array.shape, array.dtype.name))
        self.constants[name] = array
        self.parameters.append(variable)
        return variable

    def packed_shape(self, type: TensorType) -> tuple[int, ...]:
        return (self.batch, self.chunks(type.channels), *type.size, self.lanes)

    def call(
        self, kernel: Any, arguments: list[Any], shape: tuple[int, ...], into: Any = None, dtype: str = "float32"
    ) -> Any:
        """The result of a kernel, in memory of its own or in that of `into`; equal kernels are made once."""
        relax = load_tvm().relax
        function, made = self._function(kernel), relax.TensorType(shape, dtype)
        if into is None:
            return self.builder.emit(relax.call_tir(function, arguments, made))
        return self.builder.emit(relax.call_tir_inplace(function, [*arguments, into], [len(arguments)], made))

    def note(self, kernel: Any, memory: Any, arguments: list[Any]) -> Any:
        """`memory` as it is after a kernel that takes it first, and gives it back."""
        relax = load_tvm().relax
        made = relax.TensorType(memory.ty.shape, "float32")
        return self.builder.emit(relax.call_tir_inplace(self._function(kernel), [memory, *arguments], [0], made))

    def choose(self, kernel: K) -> K:
        """The candidate of the kernel that tuning found, where it did. Emitters ask when weights are laid out by it."""
        chosen = self.options.choices.apply(kernel)
        if chosen != kernel and isinstance(kernel, Tunable):
            self._tuned[chosen] = key(kernel)
        return chosen

    def _function(self, kernel: Any) -> Any:
        """The kernel's function in the module, about to be called for the group at work."""
        if kernel not in self._tuned:
            kernel = self.choose(kernel)
        if kernel not in self._kernels:
            function = kernel.prim_func()
            if kernel in self._tuned:
                function = function.with_attr(TUNED, self._tuned[kernel])
            self._kernels[kernel] = self.builder.add_func(function, type(kernel).__name__.lower())
        function = self._kernels[kernel]
        self.calls.append(Call(str(function.name_hint), kernel, self.group))
        return function

    def give(self, group: Group, kernel: Any, arguments: list[Any]) -> None:
        """Calls a kernel over packed images; what the group adds on its way out comes behind `arguments`."""
        residuals = [self.packed(name) for name in group.residuals]
        name, type = group.last.name, group.last.type
        slot = self.slot(name)
        into = self.memory(slot, type) if slot else None
        packed = self.call(kernel, arguments + residuals, self.packed_shape(type), into)
        self.values[name] = Value(type, packed=packed, slot=slot)

    def slot(self, name: str) -> Slot | None:
        """Where in a concatenation a result is to be computed; None for memory of its own."""
        return self.joins.place(name) if self.slices else None

    @property
    def slices(self) -> bool:
        """Whether neighbouring chunks of a packed map are a packed map themselves."""
        return self.batch == 1 and self.cpu.kind == "llvm"

    def memory(self, slot: Slot, type: TensorType) -> Any:
        """The chunks of a concatenation from the slot on that hold this type; the whole is allocated when first asked for."""
        relax = load_tvm().relax
        if slot.join not in self._buffers:
            whole = relax.ShapeExpr(self.packed_shape(self.joins.types[slot.join]))
            self._buffers[slot.join] = self.builder.emit(relax.op.builtin.alloc_tensor(whole, "float32", 0))
        return self.view(self._buffers[slot.join], slot.chunk, type)

    def view(self, packed: Any, chunk: int, type: TensorType) -> Any:
        """The chunks of a packed map from `chunk` on, as a map of this type; nothing is moved."""
        relax = load_tvm().relax
        shape = self.packed_shape(type)
        start = 4 * chunk * prod(shape[2:])
        view = self.builder.emit(relax.op.memory.view(packed, relax.ShapeExpr(shape), "float32", start))
        return self.builder.emit(relax.op.memory.ensure_zero_offset(view))

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
        shuffles = self.cpu.kind == "llvm"
        kernel = Repack(pack, self.batch, type.channels, type.size, self.lanes, shuffles, type.channel_axis)
        return self.call(kernel, [source], shape)
