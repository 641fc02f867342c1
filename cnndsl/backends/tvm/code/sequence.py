"""Lowered Relax → what a driver does, in order: calls of kernels, over tensors each at its place in memory."""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np

from cnndsl.backends.tvm.emitters.recording.memory import Room, place
from cnndsl.diagnostics.errors import MissingPart

Memory = Literal["constant", "input", "library", "output", "room"]

_NOTHING = {
    "relax.null_value",
    "relax.vm.kill_object",
    "vm.builtin.check_tensor_info",
    "vm.builtin.match_shape",
    "vm.builtin.check_shape_info",
    "vm.builtin.check_tuple_info",
}
"""What the virtual machine does for itself, and a driver need not."""


@dataclass(frozen=True)
class Array:
    """What a constant, an input or an output is; an input's or output's shape begins with the batch."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """Bytes."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Tensor:
    """An array of some shape: in which memory it lies, in which of several such arrays, and how many bytes from its start."""

    memory: Memory
    number: int
    offset: int
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Call:
    """A kernel by the name of its function in the module, and its arguments by their number among the tensors."""

    function: str
    arguments: tuple[int, ...]


@dataclass(frozen=True)
class Sequence:
    """A network for one batch size, as a driver runs it."""

    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    constants: tuple[Array, ...]
    held: tuple[bytes, ...]
    """The arrays of the memory `library`: they follow from the program, and are no weights."""
    tensors: tuple[Tensor, ...]
    calls: tuple[Call, ...]
    copies: tuple[tuple[int, int], ...]
    """Of outputs that no kernel writes where they belong: the tensor, and the output that it is copied to."""
    room: int
    """Bytes of the memory in which all tensors lie that are neither given nor wanted."""


def sequence(lowered: Any, constants: Several[str]) -> Sequence:
    """The sequence of a module after all of Relax's passes, whose `main` takes inputs and then these constants.

    Raises `MissingPart` for what a driver does not know, by name.
    """
    main = lowered["main"]
    reader = _Reader(main, len(main.params) - len(constants))
    return reader.sequence(constants)


@dataclass(frozen=True)
class _View:
    """A tensor as it is read: a part of a `root`, which is a parameter or memory of its own."""

    root: int
    offset: int
    shape: tuple[int, ...]
    dtype: str


@dataclass
class _Root:
    """Memory of its own: a parameter by its number, or a room."""

    memory: Memory
    number: int
    room: Room


class _Reader:
    """Reads `main`: each variable as a view of a root, and the calls."""

    def __init__(self, main: Any, inputs: int) -> None:
        self._parameters, self._inputs = list(main.params), inputs
        self._roots: list[_Root] = []
        self._views: dict[Any, _View] = {}
        self._calls: list[tuple[str, tuple[_View, ...]]] = []
        self._leaving: tuple[_View, ...] = ()
        self._held: list[bytes] = []
        for number, parameter in enumerate(self._parameters):
            memory: Memory = "input" if number < inputs else "constant"
            self._views[parameter] = self._new(memory, number if number < inputs else number - inputs, parameter.ty)
        for block in main.body.blocks:
            for binding in block.bindings:
                self._bind(binding.var, binding.value)

    def _new(self, memory: Memory, number: int, type: Any) -> _View:
        shape, dtype = _described(type)
        self._roots.append(_Root(memory, number, Room(prod(shape) * np.dtype(dtype).itemsize)))
        return _View(len(self._roots) - 1, 0, shape, dtype)

    def _bind(self, variable: Any, value: Any) -> None:
        kind = type(value).__name__
        if kind in ("Var", "GenericConst"):
            self._views[variable] = self._view(value)
        elif kind == "Tuple":
            self._leaving = tuple(map(self._view, value.fields))
        elif kind != "Call":
            raise _unknown(kind)
        elif type(value.op).__name__ == "GlobalVar":
            self._call(str(value.op.name_hint), list(value.args))
        else:
            self._operation(str(getattr(value.op, "name", getattr(value.op, "global_symbol", ""))), variable, value)

    def _operation(self, name: str, variable: Any, value: Any) -> None:
        match name:
            case "relax.vm.alloc_storage":
                # Memory is planned anew, by tensors: TVM plans it by storages that are as large as their largest.
                pass
            case "relax.vm.alloc_tensor":
                self._views[variable] = self._new("room", 0, variable.ty)
            case "vm.builtin.reshape" | "vm.builtin.ensure_zero_offset":
                self._views[variable] = self._part(value.args[0], 0, variable.ty)
            case "runtime.TVMTensorCreateView":
                self._views[variable] = self._part(value.args[0], int(value.args[3].value), variable.ty)
            case name if name in _NOTHING:
                pass
            case other:
                raise _unknown(other)

    def _part(self, whole: Any, offset: int, type: Any) -> _View:
        view, (shape, dtype) = self._view(whole), _described(type)
        return _View(view.root, view.offset + offset, shape, dtype)

    def _call(self, function: str, arguments: list[Any]) -> None:
        views, number = tuple(map(self._view, arguments)), len(self._calls)
        self._calls.append((function, views))
        for view in views:
            self._roots[view.root].room.use(number)

    def _view(self, value: Any) -> _View:
        """A tensor that was bound before, or an array that TVM's module holds itself, such as positions that are taken."""
        if value not in self._views:
            if type(value).__name__ != "GenericConst":
                raise _unknown(f"a {type(value).__name__} where a tensor is expected")
            self._views[value] = self._new("library", len(self._held), value.ty)
            self._held.append(value.value.numpy().tobytes())
        return self._views[value]

    def sequence(self, constants: Several[str]) -> Sequence:
        copies = self._place_outputs()
        room = place([root.room for root in self._roots if root.memory == "room"])
        tensors: dict[Tensor, int] = {}

        def placed(view: _View) -> int:
            root = self._roots[view.root]
            number, start = (0, root.room.at) if root.memory == "room" else (root.number, 0)
            tensor = Tensor(root.memory, number, start + view.offset, view.shape, view.dtype)
            return tensors.setdefault(tensor, len(tensors))

        calls = tuple(Call(function, tuple(map(placed, views))) for function, views in self._calls)
        moved = tuple((placed(self._leaving[output]), output) for output in copies)
        described = [Array(str(p.name), *_described(p.ty)) for p in self._parameters]
        keyed = [Array(key, a.shape, a.dtype) for key, a in zip(constants, described[self._inputs :], strict=True)]
        outputs = tuple(Array(f"output{i}", v.shape, v.dtype) for i, v in enumerate(self._leaving))
        inputs, held = tuple(described[: self._inputs]), tuple(self._held)
        return Sequence(inputs, outputs, tuple(keyed), held, tuple(tensors), calls, moved, room)

    def _place_outputs(self) -> list[int]:
        """Has each output computed where it belongs, if it is memory of its own that is nothing else; gives the others."""
        copies = []
        for number, view in enumerate(self._leaving):
            root = self._roots[view.root]
            size = prod(view.shape) * np.dtype(view.dtype).itemsize
            if root.memory == "room" and view.offset == 0 and root.room.size == size and root.room.first >= 0:
                root.memory, root.number = "output", number
            else:
                root.room.last = len(self._calls)
                copies.append(number)
        return copies


def _described(type: Any) -> tuple[tuple[int, ...], str]:
    return tuple(int(n) for n in type.shape.values), str(type.dtype)


def _unknown(what: str) -> MissingPart:
    return MissingPart(
        f"the network has `{what}`, which packages without TVM do not know", "compile with `--runtime tvm`, and tell us"
    )
