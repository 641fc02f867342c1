"""The Relax function `main` of a network while emitters write it: its tensors, constants and calls of kernels."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, TypeVar

from cnndsl.backends.tvm.emitters.forms import TensorForms
from cnndsl.backends.tvm.emitters.recording.instructions import Allocated, Value, View
from cnndsl.backends.tvm.emitters.recording.recording import Recording
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.quantize import DequantizeMap, DequantizeVector, QuantizeMap, QuantizeVector
from cnndsl.backends.tvm.kernels.repack import Repack
from cnndsl.backends.tvm.kernels.words.packing import fill_up, pack_flattened
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.plan.joins import Joins, Slot
from cnndsl.ir.tensor import TensorType

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.plan.quantized import QuantizedGroup
    from cnndsl.backends.tvm.plan.quantized_network import QuantizedNetwork
    from cnndsl.quantization.arithmetic import Scale

K = TypeVar("K")


class MainFunction(Recording):
    """`main` under construction, as instructions. Emitters ask it for a tensor in the layout that they need (`plain`, `packed`), for
    constants (`constant`), and to call a kernel (`call`, `give`)."""

    def __init__(
        self,
        job: Job,
        joins: Joins,
        kept_as_pairs: frozenset[str] = frozenset(),
        quantized: QuantizedNetwork | None = None,
    ) -> None:
        super().__init__(job)
        self.quantized = quantized
        """The network in whole numbers, where it is one."""
        self.cpu, self.lanes = job.cpu, job.cpu.lanes
        self.joins = joins
        self.kept_as_pairs = kept_as_pairs
        """Names of the maps that only kernels in bfloat16 read, and which are therefore kept as pairs."""
        self.values: dict[str, TensorForms] = {}
        self._buffers: dict[str, Value] = {}
        self._scales: dict[str, list[Value]] = {}
        self.readers = quantized.program.readers() if quantized else {}
        """How often each tensor is read."""
        self.tables = _tables(quantized, self.readers) if quantized else {}
        """By tensor the pointwise layer that looks its numbers up in a table, where nothing else reads it."""

    def chunks(self, channels: int) -> int:
        """How many chunks of `lanes` channels hold so many."""
        return -(-channels // self.lanes)

    def packed_shape(self, type: TensorType) -> tuple[int, ...]:
        return (self.batch, self.chunks(type.channels), *type.size, self.lanes)

    def give(self, group: Group, kernel: Any, arguments: list[Value]) -> None:
        """Calls a kernel over packed maps that gives the group's result; the residuals that its tail adds follow
        `arguments`. The result lies in a concatenation where the plan of joins says so."""
        residuals = [self.packed(name) for name in group.residuals]
        name, type = group.last.name, group.last.type
        slot = self.slot(name)
        into = self.memory(slot, type) if slot else None
        packed = self.call(kernel, arguments + residuals, self.packed_shape(type), into)
        self.values[name] = TensorForms(type, packed=packed, slot=slot)

    def slot(self, name: str) -> Slot | None:
        """Where in the memory of a concatenation a result is to be computed; None for memory of its own."""
        return self.joins.place(name) if self.slices else None

    @property
    def slices(self) -> bool:
        """Whether neighbouring chunks of a packed map lie in memory as a packed map of their own would."""
        return self.batch == 1 and self.cpu.kind == "llvm"

    def memory(self, slot: Slot, type: TensorType) -> Value:
        """The chunks of a concatenation, from the slot on, for a map of this type. The memory of the whole
        concatenation is allocated when any of it is first asked for."""
        if slot.join not in self._buffers:
            whole = Value(*self._in_memory(self.joins.types[slot.join]))
            self.instructions.append(Allocated(whole))
            self._buffers[slot.join] = whole
        return self.view(self._buffers[slot.join], slot.chunk, type)

    def view(self, map: Value, chunk: int, type: TensorType) -> Value:
        """The chunks from `chunk` on of a map as it lies in memory, as a map of this type; nothing is moved."""
        made = Value(*self._in_memory(type))
        self.instructions.append(View(map, 4 * chunk * prod(made.shape[2:]), made))
        return made

    def _in_memory(self, type: TensorType) -> tuple[tuple[int, ...], str]:
        """The shape and the element type of maps that concatenations are made of: packed, or of a network in whole numbers
        as quads."""
        return (self.packed_shape(type), "float32") if self.quantized is None else (self.quads_shape(type), "int32")

    def give_quads(self, name: str, type: TensorType, kernel: Any, arguments: list[Any]) -> None:
        """Calls a kernel that gives a tensor in quads, where the plan of joins says that it lies."""
        slot = self.slot(name)
        into = self.memory(slot, type) if slot else None
        made = self.call(kernel, arguments, self.quads_shape(type), into, dtype="int32")
        self.values[name] = TensorForms(type, quads=made, slot=slot)

    def plain(self, name: str) -> Value:
        """The tensor as `(batch, *shape)`, unpacked when first asked for."""
        value = self.values[name]
        if value.plain is None and value.quads is not None:
            value.plain = self._real(name, packed=False)
        elif value.plain is None and value.flattened is not None:
            value.plain = self.reshaped(self.plain(value.flattened), (self.batch, *value.type.shape))
        elif value.plain is None:
            assert value.packed is not None
            value.plain = self._repacked(value.packed, value.type, pack=False)
        return value.plain

    def packed(self, name: str) -> Value:
        """The map as `(batch, chunks, *size, lanes)`, packed when first asked for."""
        value = self.values[name]
        if value.packed is None and value.quads is not None:
            value.packed = self._real(name, packed=True)
        elif value.packed is None:
            assert value.plain is not None
            value.packed = self._repacked(value.plain, value.type, pack=True)
        return value.packed

    def quads_shape(self, type: TensorType) -> tuple[int, ...]:
        """Of a map or vector of whole numbers."""
        if type.rank == 0:
            return (self.batch, -(-type.channels // 4))
        return (*self.packed_shape(type)[:-1], self.lanes // 4)

    def scale(self, name: str) -> Scale:
        """The scale of a tensor that is rounded."""
        assert self.quantized is not None
        return self.quantized.scale(name)

    def quads(self, name: str) -> Value:
        """The map or vector of whole numbers; rounded when first asked for. Whoever reads it after that reads the rounded
        numbers."""
        value = self.values[name]
        if value.quads is None:
            if value.flattened is not None and (quads := self._flattened_quads(value)) is not None:
                value.quads = quads
            else:
                value.quads = self._rounded(name, value)
            # What is computed from real numbers sees them as the table of the network has them.
            value.plain = value.packed = None
        return value.quads

    def _flattened_quads(self, value: TensorForms) -> Value | None:
        """The quads of a vector whose map has one position; None where there are several, whose numbers lie in another
        order."""
        source = self.values[str(value.flattened)]
        if source.quads is None or source.type.elements != source.type.channels:
            return None
        chunks, count = self.chunks(source.type.channels), self.quads_shape(value.type)[1]
        flat = self.reshaped(source.quads, (self.batch, chunks * self.lanes // 4))
        return flat if count == chunks * self.lanes // 4 else self.cut(flat, count)

    def flat_quads(self, name: str, weight: np.ndarray) -> tuple[Value, np.ndarray]:
        """A vector for a fully connected layer as quads `(batch, quads)`, and the layer's weight `(out, 4 · quads)` in the same
        order: that of the map which was flattened, where the numbers of that are at hand."""
        source = self.values[name].flattened
        if source is None or self.values[source].quads is None or self.values[name].quads is not None:
            return self.quads(name), fill_up(weight, 1, 4)
        image = self.values[source].type
        weight = pack_flattened(weight, image.channels, image.elements // image.channels, self.lanes)
        return self.reshaped(self.quads(source), (self.batch, weight.shape[1] // 4)), weight

    def inverse(self, name: str) -> Value:
        """One by the scale of a tensor that is rounded, float32 `(1,)`."""
        import numpy as np

        inverse = np.array([1 / np.float64(self.scale(name).scale)], np.float32)
        return self.constant(f"{name}:inverse", inverse)

    def _rounded(self, name: str, value: TensorForms) -> Value:
        import numpy as np

        scale, type, vectors = self.scale(name), value.type, self.cpu.kind == "llvm"
        pair = np.array([1 / np.float64(scale.scale), scale.zero_point], np.float32)
        numbers = self.constant(f"{name}:rounded", pair)
        if type.rank == 0:
            kernel: Any = QuantizeVector(self.batch, type.channels, vectors)
            return self.call(kernel, [self.plain(name), numbers], self.quads_shape(type), dtype="int32")
        packed = value.packed is not None
        kernel = QuantizeMap(self.batch, type.channels, type.size, self.lanes, packed, vectors)
        data = value.packed or self.plain(name)
        return self.call(kernel, [data, numbers], self.quads_shape(type), dtype="int32")

    def _real(self, name: str, *, packed: bool) -> Value:
        """A tensor of whole numbers as the real numbers that they stand for."""
        import numpy as np

        value, scale = self.values[name], self.scale(name)
        if name not in self._scales:
            self._scales[name] = [
                self.constant(f"{name}:zero", np.array([scale.zero_point], np.int32)),
                self.constant(f"{name}:scale", np.array([scale.scale], np.float32)),
            ]
        assert value.quads is not None
        arguments, type = [value.quads, *self._scales[name]], value.type
        if type.rank == 0:
            return self.call(DequantizeVector(self.batch, type.channels), arguments, (self.batch, *type.shape))
        vectors = self.cpu.kind == "llvm"
        kernel = DequantizeMap(self.batch, type.channels, type.size, self.lanes, packed, vectors)
        return self.call(kernel, arguments, self.packed_shape(type) if packed else (self.batch, *type.shape))

    def _repacked(self, source: Value, type: TensorType, *, pack: bool) -> Value:
        shape = self.packed_shape(type) if pack else (self.batch, *type.shape)
        shuffles = self.cpu.kind == "llvm"
        kernel = Repack(pack, self.batch, type.channels, type.size, self.lanes, shuffles, type.channel_axis)
        return self.call(kernel, [source], shape)


def _tables(network: QuantizedNetwork, readers: Mapping[str, int]) -> dict[str, QuantizedGroup]:
    lone = [g for g in network.groups if g.kind == "table" and readers[g.group.inputs[0]] == 1]
    return {g.group.inputs[0]: g for g in lone}
