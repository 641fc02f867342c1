"""What an importer asks the layers about: one operation of a foreign network, in PyTorch's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """One operation: its name as in PyTorch's `aten`, its arguments by name, its output's shape without the batch.

    Axes and shapes are counted without the batch. `arguments` are numbers, words, and lists of them; `weights` gives the
    shape of each argument that is a trained tensor or one kept beside them. The tensors that flow are not among them: they
    are handed over apart, as types, in the order of the arguments.
    """

    target: str
    shape: tuple[int, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        """An argument's value. Raises KeyError."""
        return self.arguments[name]

    def window(self, name: str, rank: int) -> int | tuple[int, ...]:
        """An argument of one number per axis, as a person writes it: `3` for `(3, 3)`."""
        return alike(self.arguments[name], rank)


def alike(value: int | list[int] | tuple[int, ...], rank: int) -> int | tuple[int, ...]:
    """`3` for `3`, `[3]` and `[3, 3]` over two axes, else a tuple of `rank` numbers."""
    numbers = (value,) if isinstance(value, int) else tuple(value)
    numbers = numbers * rank if len(numbers) == 1 else numbers
    return numbers[0] if len(set(numbers)) == 1 else numbers


def padding(call: Call, kernel: list[int], rank: int) -> Any:
    """A convolution's padding as a person writes it: `same`, `valid`, a number, one per axis, or pairs from `pads`.

    An even window says `valid` for no padding, for which `same` would mean the same only by chance.
    """
    dilation = call.arguments.get("dilation", 1)
    steps = (dilation,) * rank if isinstance(dilation, int) else tuple(dilation)
    steps = steps * rank if len(steps) == 1 else steps
    same = tuple((k - 1) // 2 * d for k, d in zip(kernel, steps, strict=True))
    if "pads" in call.arguments:
        return call["pads"]
    amount = call["padding"]
    if amount == "same" and all((k - 1) * d % 2 == 0 for k, d in zip(kernel, steps, strict=True)):
        return "same"
    if amount == "same":
        return tuple(((k - 1) * d // 2, (k - 1) * d - (k - 1) * d // 2) for k, d in zip(kernel, steps, strict=True))
    if amount == "valid":
        amount = 0
    amounts = (amount,) * rank if isinstance(amount, int) else tuple(amount)
    amounts = amounts * rank if len(amounts) == 1 else amounts
    even = any(k % 2 == 0 for k in kernel)
    if not any(amounts) and (even or amounts != same):
        return "valid"
    return "same" if amounts == same else alike(amounts, rank)
