"""The calls that make containers and bare tensors, and the formula of a layer."""

from __future__ import annotations

from itertools import groupby

from cnndsl.backends.pytorch.expression import (
    Attribute,
    Call,
    Expression,
    Literal,
    Member,
    Name,
    Recorder,
    Repeated,
    Several,
    Value,
    complete,
    recorded,
    recorder,
)
from cnndsl.backends.pytorch.writing.layout import is_identifier
from cnndsl.ir.graph import Graph, Node
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
    """The call that makes a tensor with the first values of a weight."""
    if weight.init == "uniform":
        return recorded(Recorder(_filled("empty", weight)).uniform_(-weight.bound, weight.bound))
    if weight.init == "normal":
        return recorded(Recorder(_filled("empty", weight)).normal_(0, weight.std))
    if weight.formula is not None:
        return recorded(weight.formula(TORCH))
    if weight.init == "given":
        dtype = {} if weight.dtype == "float32" else {"dtype": getattr(TORCH, weight.dtype)}
        return recorded(TORCH.tensor([*weight.values], **dtype).reshape(*weight.shape))
    return _filled("full" if weight.init == "constant" else weight.init, weight)


def _filled(function: str, weight: Weight) -> Expression:
    """`torch.ones(64)`. The only side that is not 1 is a number of channels; arguments tell so by their name."""
    sides = [side for side in weight.shape if side != 1]
    named = [("num_features" if len(sides) == 1 and side != 1 else "size", Literal(side)) for side in weight.shape]
    arguments: list[tuple[str | None, Expression]] = list(named) or [("size", Literal(()))]
    if function == "full":
        shape = Several(tuple, tuple(value for _, value in named)) if named else Literal(())
        arguments = [("num_features" if len(sides) == 1 else "size", shape), ("fill_value", Literal(weight.value))]
    count = len(arguments)
    if weight.dtype != "float32":
        arguments.append(("dtype", recorded(getattr(TORCH, weight.dtype))))
    return Call(Attribute(Name("torch"), function), tuple(arguments), positional=count)


def parameter(weight: Weight) -> Expression:
    options = {} if weight.trained else {"requires_grad": False}
    return recorded(
        Recorder(complete(Call(in_nn("Parameter"), ((None, tensor(weight)),))))
        if not options
        else NN.Parameter(Recorder(tensor(weight)), **options)
    )


def formula(graph: Graph, node: Node) -> Expression:
    """What a node computes, as a class of its own would write it: its inputs are numbered, its weights are `self`'s."""
    types = graph.input_types(node)
    values = [Recorder(Value(index)) for index in range(len(types))]
    return recorded(node.op.call_torch(TORCH, Recorder(Member(())), types, *values))
