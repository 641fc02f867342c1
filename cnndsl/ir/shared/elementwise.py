"""Merges that join branches element by element, from left to right; a branch may be a number."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.broadcast import alike, stretched
from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors
from cnndsl.ir.tensor import TensorType


def _numbers(value: Any) -> Any:
    # From JSON it is a list.
    return tuple(value) if isinstance(value, list) else value


class Elementwise(Op):
    """Base of `add`, `sub` and their kin: what two neighbours become is each one's own."""

    category: ClassVar = "merge"
    merges: ClassVar = True
    takes_position: ClassVar = False
    implied: ClassVar = ("numbers",)
    verb: ClassVar[str]
    """What it does, in a sentence: `cannot add … and …`."""
    stretches: ClassVar[bool] = True
    """Whether axes of size 1 stretch."""

    numbers: Annotated[tuple[float | None, ...], BeforeValidator(_numbers)] = ()
    """For each branch its number, or none for a tensor; empty where all branches are tensors."""

    @property
    def is_plain(self) -> bool:
        return not self.numbers

    def infer(self, xs: Tensors) -> TensorType:
        self._joined(xs)
        return stretched(xs, self.verb) if self.stretches else alike(xs, self.verb)

    @classmethod
    def joining(cls, call: Call, xs: Tensors, target: str) -> Self | None:
        """The merge for an operation of this name, one of whose two arguments may be a number."""
        if call.target != target or call.arguments.get("alpha", 1) != 1:
            return None
        if len(xs) > 1:
            return cls()
        given = [call.arguments.get(name) for name in ("self", "other")]
        if sum(isinstance(n, int | float) for n in given) != 1:
            return None
        return cls(numbers=tuple(None if n is None else float(n) for n in given))

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        return (len(self._joined(xs)) - 1) * y.elements

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        return _folded(self._joined(values), lambda a, b: self.in_torch(torch, a, b))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        joined = [relax.const(v, xs[0].dtype) if isinstance(v, float) else v for v in self._joined(values)]
        return _folded(joined, lambda a, b: self.in_relax(relax.op, a, b))

    @property
    def is_pointwise(self) -> bool:
        return self.numbers.count(None) == 1

    def pointwise(self, tir: Any, value: Any) -> Any:
        if self.numbers.count(None) != 1:
            return None
        joined = [tir.const(v, "float32") if isinstance(v, float) else v for v in self._joined((value,))]
        return _folded(joined, lambda a, b: self.in_tir(tir, a, b))

    def _joined(self, tensors: Iterable[Any]) -> list[Any]:
        """What the branches bring in order, tensors or types of tensors, and numbers."""
        given = list(tensors)
        if not self.numbers:
            return given
        if self.numbers.count(None) != len(given):
            raise Refusal(
                "wrong-number-of-tensors",
                f"`{self.word}` joins {self.numbers.count(None)} tensors, and {len(given)} arrive",
                help="write one branch for each of them",
            )
        return [given.pop(0) if number is None else number for number in self.numbers]

    @abstractmethod
    def in_torch(self, torch: Any, a: Any, b: Any) -> Any:
        """Two neighbours joined, as PyTorch says it; one of them may be a number."""

    @abstractmethod
    def in_relax(self, op: Any, a: Any, b: Any) -> Any:
        """The same in Relax, of two expressions."""

    @abstractmethod
    def in_tir(self, tir: Any, a: Any, b: Any) -> Any:
        """The same of two elements, as a TIR expression."""


def _folded(joined: list[Any], combine: Callable[[Any, Any], Any]) -> Any:
    result = joined[0]
    for value in joined[1:]:
        result = combine(result, value)
    return result
