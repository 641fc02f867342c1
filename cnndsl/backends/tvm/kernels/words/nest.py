"""Loops written one by one: a few words over TVM's IR builder, for kernels that are no single tensor expression."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cnndsl.backends.tvm.kernels.words.finished import finished
from cnndsl.backends.tvm.library import load_tvm


class Nest:
    """A function under construction; what is stored goes to the innermost open loop. Vectors have `lanes` numbers."""

    def __init__(self, lanes: int) -> None:
        self.tir = load_tvm().tirx
        from tvm.script.ir_builder import IRBuilder
        from tvm.tirx.script.builder import ir

        self._t, self._builder, self._lanes = ir, IRBuilder(), lanes

    @contextmanager
    def function(self) -> Iterator[None]:
        with self._builder, self._t.prim_func():
            self._t.func_name("main")
            yield

    def finished(self) -> Any:
        """The function, marked as finished: it is neither fused with others nor scheduled."""
        return finished(self._builder.get())

    def block(self) -> Any:
        """What stands around all loops of a function with one argument: TVM asks whether it only moves numbers."""
        return self._t.sblock("root")

    def argument(self, name: str, shape: tuple[int, ...]) -> Any:
        return self._t.arg(name, self._t.buffer(shape, "float32"))

    def flattened(self, buffer: Any, shape: tuple[int, ...]) -> Any:
        """The same memory under another shape."""
        return self._t.decl_buffer(shape, "float32", data=buffer.data)

    def local(self, shape: tuple[int, ...]) -> Any:
        """Room for intermediate numbers: in registers where it is under 1024 bytes and indexed by constants, on the
        stack where it is only small, else from the runtime's pool of this thread."""
        return self._t.alloc_buffer(shape, "float32")

    def parallel(self, count: int) -> Any:
        return self._t.parallel(count)

    def serial(self, count: int) -> Any:
        return self._t.serial(count)

    def vector(self, lanes: int | None = None) -> Any:
        """A loop over lanes, by default all, that becomes vector instructions."""
        return self._t.vectorized(lanes or self._lanes)

    @contextmanager
    def when(self, condition: Any, needed: bool = True) -> Iterator[None]:
        """What follows only under a condition, where one is `needed`."""
        if not needed:
            yield
            return
        with self._t.If(condition), self._t.Then():
            yield

    def either(self, condition: Any, then: Callable[[], None], otherwise: Callable[[], None]) -> None:
        with self._t.If(condition):
            with self._t.Then():
                then()
            with self._t.Else():
                otherwise()

    def all(self, *conditions: Any) -> Any:
        return self.tir.all(*conditions)

    def select(self, condition: Any, value: Any) -> Any:
        """The value, read only under the condition, else zero."""
        return self.tir.if_then_else(condition, value, self.number(0))

    def number(self, value: float) -> Any:
        return self.tir.const(value, "float32")

    def bind(self, value: Any) -> Any:
        """A name for a value, so that it is computed once."""
        return self._t.Bind(value)

    def store(self, buffer: Any, value: Any, at: tuple[Any, ...]) -> None:
        self._t.buffer_store(buffer, value, list(at))

    def ramp(self, start: Any, count: int | None = None) -> Any:
        """The index of `count` neighbours from `start` on, by default of all lanes."""
        first = self.tir.const(start, "int32") if isinstance(start, int) else start
        return self.tir.Ramp(first, self.tir.const(1, "int32"), count or self._lanes)

    def shuffled(self, vectors: list[Any], lanes: list[int]) -> Any:
        """The vector that has in each place the number that stands at `lanes` of it in others, one behind the other."""
        return self.tir.Shuffle(vectors, [self.tir.const(lane, "int32") for lane in lanes])

    def clear(self, buffers: list[Any], lanes: int | None = None) -> None:
        """Zeros in buffers of vectors."""
        with self.vector(lanes) as lane:
            for buffer in buffers:
                for i in range(int(buffer.shape[0])):
                    self.store(buffer, self.number(0), (i, lane))

    def minimum(self, a: Any, b: Any) -> Any:
        return self.tir.min(a, b)

    def maximum(self, a: Any, b: Any) -> Any:
        return self.tir.max(a, b)

    def prefetch(self, buffer: Any, at: tuple[Any, ...]) -> None:
        """Asks for the line of an element, to be there when it is read."""
        reading, every_level, data = 0, 3, 1
        address = self.tir.address_of(buffer[at])
        self._t.evaluate(self.tir.call_llvm_intrin("void", "llvm.prefetch", address, reading, every_level, data))


def parts(number: int, most: int) -> list[tuple[int, int, int]]:
    """`number` things in the fewest blocks of up to `most`, as even as can be: (first, blocks, size of each)."""
    blocks = -(-number // most)
    small, larger = divmod(number, blocks)
    cut = [(0, larger, small + 1), (larger * (small + 1), blocks - larger, small)]
    return [part for part in cut if part[1]]


def places(task: Any, shape: tuple[int, ...]) -> list[Any]:
    """The place on every axis of the number of a task, the last axis fastest."""
    found = []
    for n in reversed(shape[1:]):
        found.append(task % n)
        task = task // n
    return [task, *reversed(found)]
