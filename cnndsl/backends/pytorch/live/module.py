"""Graph → a live `nn.Module` that computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnndsl.backends.pytorch.expression import Member, Recorder, Value, recorded, recorder
from cnndsl.backends.pytorch.library import nn, torch
from cnndsl.backends.pytorch.live.evaluate import Run, function
from cnndsl.backends.pytorch.names import refuse_unspeakable
from cnndsl.backends.pytorch.order import mode, registration_order
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.op import Op
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight

if TYPE_CHECKING:
    import numpy as np


def to_torch(graph: Graph) -> LiveModule:
    """The network as a module whose `state_dict()` is `graph.weights`: same keys, same order, same shapes.

    It takes batched inputs in order or by name, and gives one tensor for one output, else a dict in the order of
    the outputs. What only training returns is computed in training mode alone. Raises `Unlowered`.
    """
    return LiveModule(graph)


def on_meta(graph: Graph) -> LiveModule:
    """The network's module in evaluation mode, whose weights have shapes but no numbers. Raises what `to_torch` raises."""
    with torch.device("meta"):
        module = to_torch(graph)
    module.eval()
    return module


def loaded(graph: Graph, weights: Mapping[str, np.ndarray]) -> LiveModule:
    """The network's module in evaluation mode, with copies of these weights by state-dict key."""
    module = on_meta(graph)
    state = {key: torch.from_numpy(array.copy()) for key, array in weights.items()}
    module.load_state_dict(state, strict=True, assign=True)
    return module


class Step:
    """One node as the forward pass takes it.

    `path` leads from the network to the node's module or parameter, and is empty for a plain function. `last_read` are
    the values that no later step and no output needs.
    """

    def __init__(
        self,
        name: str,
        op: Op,
        types: tuple[TensorType, ...],
        inputs: tuple[str, ...],
        path: tuple[str, ...],
        last_read: tuple[str, ...],
    ) -> None:
        self.name = name
        self.op = op
        self.types = types
        self.inputs = inputs
        self.path = path
        self.last_read = last_read
        self.run = self._function()

    def result(self, network: nn.Module, values: Mapping[str, Any]) -> Any:
        """The node's value, from the values by name that it reads.

        Its layer is looked up each time, so that a layer that was replaced after compilation is used.
        """
        layer: Any = network
        for name in self.path:
            layer = getattr(layer, name)
        return self.run(layer if self.path else None, [values[name] for name in self.inputs])

    def _function(self) -> Run:
        module = Recorder(Member(())) if self.path else None
        values = [Recorder(Value(index)) for index in range(len(self.inputs))]
        return function(recorded(self.op.call_torch(recorder("torch"), module, self.types, *values)))

    def __reduce__(self) -> tuple[Any, ...]:
        # `run` is made of closures, which cannot be pickled: a step that is unpickled makes its own again.
        return Step, (self.name, self.op, self.types, self.inputs, self.path, self.last_read)


@dataclass(frozen=True)
class ForwardPass:
    """The steps of one mode, and its outputs as pairs of name and value."""

    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, str], ...]


class LiveModule(nn.Module):  # type: ignore[misc]
    """A compiled network. Its layers may be replaced by assignment (`network.fc = …`), as in any module."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        refuse_unspeakable(graph)
        made = {node.name: module for node in graph.nodes if (module := _make(graph, node)) is not None}
        self._network = _Plans(
            title=graph.name,
            inputs=tuple(i.name for i in graph.inputs),
            training=_planned(graph, made, training=True),
            inference=_planned(graph, made, training=False),
        )
        for name in registration_order(graph, made):
            *scope, last = name.split(".")
            container: Any = self
            for part in scope:
                if not hasattr(container, part):
                    container.add_module(part, nn.Module())
                container = getattr(container, part)
            if isinstance(made[name], nn.Module | nn.Parameter):
                setattr(container, last, made[name])
            else:
                container.register_buffer(last, made[name])

    def forward(self, *tensors: Any, **named: Any) -> Any:
        """Batched inputs, in order or by name. Raises TypeError where their number or a name is wrong."""
        values = self._network.bind(tensors, named)
        taken = self._network.training if self.training else self._network.inference
        for step in taken.steps:
            values[step.name] = step.result(self, values)
            for name in step.last_read:
                del values[name]
        if len(taken.outputs) == 1:
            return values[taken.outputs[0][1]]
        return {name: values[value] for name, value in taken.outputs}

    def _get_name(self) -> str:
        return self._network.title


# No method of `LiveModule`: there its name could not be a layer's.
def forward_pass(network: LiveModule, *, training: bool) -> ForwardPass:
    """What the forward pass of a network runs in training, or in inference."""
    return network._network.training if training else network._network.inference


@dataclass(frozen=True)
class _Plans:
    """All that a network keeps beside its modules, under one attribute, so that only one name is lost to layers."""

    title: str
    inputs: tuple[str, ...]
    training: ForwardPass
    inference: ForwardPass

    def bind(self, tensors: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        """The inputs by name. Raises TypeError."""
        expected = ", ".join(self.inputs)
        count = len(tensors) + len(named)
        if count != len(self.inputs):
            raise TypeError(f"{self.title} takes {len(self.inputs)} tensors ({expected}), found {count}")
        values = dict(zip(self.inputs, tensors, strict=False))
        for name, tensor in named.items():
            if name not in self.inputs or name in values:
                raise TypeError(f"{self.title} cannot take {name!r}; its inputs are {expected}")
            values[name] = tensor
        return values


def _make(graph: Graph, node: Node) -> nn.Module | torch.Tensor | None:
    """What holds a node's weights and does its work. None for a plain function, and for a node that shares another's.

    A layer that is one tensor becomes a parameter, or a buffer where that is not trained. Weights of a layer that torch has no module for are kept in a bare
    `nn.Module`.
    """
    if not node.owns_weights:
        return None
    types = graph.input_types(node)
    weights = node.op.weights(types)
    if node.op.one_tensor and weights:
        value = _initial(weights[""])
        return nn.Parameter(value) if weights[""].trained else value
    module: nn.Module | None = node.op.to_torch(nn, types)
    if module is None and weights:
        module = nn.Module()
        for slot, weight in weights.items():
            if weight.trained:
                module.register_parameter(slot, nn.Parameter(_initial(weight)))
            else:
                module.register_buffer(slot, _initial(weight))
    return module


def _initial(weight: Weight) -> torch.Tensor:
    if weight.formula is not None:
        computed: torch.Tensor = weight.formula(torch)
        return computed
    tensor = torch.zeros(weight.shape, dtype=getattr(torch, weight.dtype))
    if weight.init == "given":
        return torch.tensor(weight.values, dtype=tensor.dtype).reshape(weight.shape)
    if weight.init == "ones":
        tensor.fill_(1)
    elif weight.init == "constant":
        tensor.fill_(weight.value)
    elif weight.init == "uniform":
        tensor.uniform_(-weight.bound, weight.bound)
    elif weight.init == "normal":
        tensor.normal_(0, weight.std)
    return tensor


def _planned(graph: Graph, made: dict[str, Any], *, training: bool) -> ForwardPass:
    nodes, outputs = mode(graph, training=training)
    last: dict[str, str] = {}
    for node in nodes:
        last.update(dict.fromkeys(node.inputs, node.name))
    kept = {value for _, value in outputs}
    steps = tuple(
        Step(
            name=node.name,
            op=node.op,
            types=graph.input_types(node),
            inputs=node.inputs,
            path=tuple(node.weights_of.split(".")) if node.weights_of in made else (),
            last_read=tuple(
                name for name in dict.fromkeys(node.inputs) if last[name] == node.name and name not in kept
            ),
        )
        for node in nodes
    )
    return ForwardPass(steps, outputs)
