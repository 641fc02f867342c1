"""A constant tensor."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self, final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from cnndsl.ir.call import Call
from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.made import beside
from cnndsl.ir.tensor import MOST_AXES, TensorType
from cnndsl.ir.weight import Weight
from cnndsl.ir.written import show


def _table(value: Any) -> Any:
    items = value if isinstance(value, tuple | list) else (value,)
    if _shape(items) is None:
        raise PydanticCustomError(
            "wrong-type",
            "expected numbers, or lists of them that are equally long and no deeper than six, found {found}",
            {"found": show(value)},
        )
    return _floats(items)


def _shape(items: Any) -> tuple[int, ...] | None:
    """The lengths of lists within lists; None where they differ, or hold anything but numbers."""
    shape: list[int] = []
    level = [items]
    while len(shape) < MOST_AXES and all(isinstance(item, tuple | list) for item in level):
        lengths = {len(item) for item in level}
        if len(lengths) != 1 or 0 in lengths:
            return None
        shape += lengths
        level = [part for item in level for part in item]
    numbers = all(isinstance(item, int | float) and not isinstance(item, bool) for item in level)
    return tuple(shape) if numbers else None


def _floats(items: Any) -> tuple[Any, ...]:
    return tuple(_floats(item) if isinstance(item, tuple | list) else float(item) for item in items)


@final
@register
class Const(Op):
    """Numbers that the program says, as a tensor: `Const([[1, 2], [3, 4]])`. It begins a chain or a branch.

    Lists of the language make tables of sines or coordinates: `Const([sin(i / 10) for i in range(50)])`. Lists within lists
    are several axes. The channels are the first one, or the last where what arrives has them last, as in tokens.
    """

    word: ClassVar = "Const"
    category: ClassVar = "shape"
    one_tensor: ClassVar = True
    buffer: ClassVar = True
    begins: ClassVar = True
    examples: ClassVar = (
        ("add{ id | Const([[[0.5]], [[-1]]]) }", (2, 5, 6)),
        ("ToTokens → add{ id | Const([[1, 2, 3]]) }", (3, 4, 5)),
        ("mul{ id | c: Const([[[0.25]], [[4]]], saved=true) }", (2, 4, 5)),
        ("Const([1, 2, 3])", (3,)),
    )

    values: Annotated[tuple[float | tuple[Any, ...], ...], BeforeValidator(_table)]
    """The numbers, in lists within lists for several axes."""
    saved: bool = False
    """Whether checkpoints hold it: then its label is its key."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape, without a batch."""
        return _shape(self.values) or ()

    def infer(self, xs: Tensors) -> TensorType:
        return beside(xs[0], self.shape)

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        if not self.saved:
            return {}
        flat = [*self.values]
        while isinstance(flat[0], tuple):
            flat = [part for item in flat if isinstance(item, tuple) for part in item]
        numbers = tuple(number for number in flat if isinstance(number, float))
        return {"": Weight(shape=self.shape, trained=False, init="given", values=numbers)}

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        batch = values[0].shape[0]
        if self.saved:
            return module.expand(batch, *(-1,) * len(self.shape))
        dtype = {} if x.dtype.startswith(("float", "bfloat")) else {"dtype": torch.float32}
        return values[0].new_tensor(_lists(self.values), **dtype).expand(batch, *(-1,) * len(self.shape))

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        numbers = weights[""] if self.saved else relax.const(_lists(self.values), "float32")
        return relax.op.broadcast_to(numbers, (values[0].ty.shape[0], *self.shape))

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        return cls(values=call["values"], saved="weight" in call.weights) if call.target == "const" else None


def _lists(values: Any) -> Any:
    return [_lists(item) for item in values] if isinstance(values, tuple) else values
