"""The calls that containers and bare tensors are made by."""

from __future__ import annotations

from itertools import groupby

from cnndsl.backends.pytorch.expression import (
    Attribute,
    Call,
    Expression,
    Literal,
    Name,
    Recorder,
    Repeated,
    Several,
    complete,
    recorded,
    recorder,
)
from cnndsl.backends.pytorch.writing.layout import is_identifier
from cnndsl.ir.weight import Weight

NN, TORCH = recorder("nn"), recorder("torch")


def ordered(names: list[str], parts: list[Expression]) -> Expression:
    """The call that makes an `OrderedDict`: with keyword arguments where all names can be written so, else of pairs."""
    if all(is_identifier(name) for name in names):
        return Call(Name("OrderedDict"), tuple(zip(names, parts, strict=True)))
    pairs = tuple(Several(tuple, (Literal(name), part)) for name, part in zip(names, parts, strict=True))
    return Call(Name("OrderedDict"), ((None, Several(list, pairs)),))


def runs(parts: list[Expression]) -> list[Expression]:
    """The parts of a container, with three or more equal ones in a row written as one."""
    written: list[Expression] = []
    for part, equal in groupby(parts):
        count = len(list(equal))
        written += [Repeated(part, count)] if count >= 3 and isinstance(part, Call) else [part] * count
    return written


def in_nn(name: str) -> Expression:
    return Attribute(Name("nn"), name)


def tensor(weight: Weight) -> Expression:
    dtype = {} if weight.dtype == "float32" else {"dtype": getattr(TORCH, weight.dtype)}
    shape = weight.shape or ((),)
    if weight.init == "uniform":
        return recorded(TORCH.empty(*shape, **dtype).uniform_(-weight.bound, weight.bound))
    if weight.init == "normal":
        return recorded(TORCH.empty(*shape, **dtype).normal_(0, weight.std))
    if weight.init == "constant":
        return recorded(TORCH.full(weight.shape, weight.value, **dtype))
    return recorded(getattr(TORCH, weight.init)(*shape, **dtype))


def parameter(weight: Weight) -> Expression:
    options = {} if weight.trained else {"requires_grad": False}
    return recorded(
        Recorder(complete(Call(in_nn("Parameter"), ((None, tensor(weight)),))))
        if not options
        else NN.Parameter(Recorder(tensor(weight)), **options)
    )
