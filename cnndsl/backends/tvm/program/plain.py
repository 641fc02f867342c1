"""The plain lowering: every node through its own `to_relax`, one Relax variable per node.

It is slow and easily seen to be right: the fast path is measured against it, and what the fast path does not
know goes through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.library import load_tvm
from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label
from cnndsl.ir.graph import Graph, Node, weight_key
from cnndsl.ir.op import Unlowered
from cnndsl.ir.tensor import TensorType

if TYPE_CHECKING:
    import numpy as np


def variable(name: str, type: TensorType, batch: int) -> Any:
    """A Relax variable for a batch of such tensors."""
    relax = load_tvm().relax
    return relax.Var(name, relax.TensorType((batch, *type.shape), type.dtype))


def weight_variables(graph: Graph) -> dict[str, Any]:
    """A Relax variable for each entry of the state dict, by key."""
    relax = load_tvm().relax
    return {
        entry.key: relax.Var(entry.key, relax.TensorType(entry.weight.shape, entry.weight.dtype))
        for entry in graph.weights
    }


def lower_node(graph: Graph, node: Node, values: tuple[Any, ...], weights: Mapping[str, Any]) -> Any:
    """The Relax expression of a node. `weights` holds Relax expressions by state-dict key. Raises `Unlowered`."""
    own = {slot: weights[weight_key(node.weights_of, slot)] for slot in graph.node_weights(node)}
    return node.op.to_relax(load_tvm().relax, graph.input_types(node), values, own)


def refuse_unlowered(graph: Graph) -> None:
    """Raises `CnnError` naming every node of which TVM has no form, before anything is emitted."""
    weights = weight_variables(graph)
    refusals = []
    for node in graph.nodes:
        values = tuple(variable(name, graph.types[name], 1) for name in node.inputs)
        try:
            lower_node(graph, node, values, weights)
        except Unlowered as e:
            refusals.append(_unsupported(graph, node, e))
    if refusals:
        raise CnnError(refusals)


def _unsupported(graph: Graph, node: Node, refusal: Unlowered) -> Diagnostic:
    span = graph.span(node)
    why = f": {refusal.why}" if refusal.why else ""
    return Diagnostic(
        id="unsupported-by-backend",
        message=f"the tvm back end has no form of `{refusal.word}` (at `{node.name}`){why}",
        labels=(Label(span, node.name),) if span else (),
        help="compile with `--to torch`, which knows every layer, or write it with other layers",
    )


def plain_module(graph: Graph, batch: int, outputs: Iterable[str]) -> Any:
    """An IRModule whose `main(*inputs, *weights)` returns the named tensors as a tuple. Raises `CnnError`."""
    refuse_unlowered(graph)
    relax = load_tvm().relax
    values = {i.name: variable(i.name, i.type, batch) for i in graph.inputs}
    weights = weight_variables(graph)
    builder = relax.BlockBuilder()
    with builder.function("main", [*values.values(), *weights.values()]):
        with builder.dataflow():
            for node in graph.nodes:
                inputs = tuple(values[name] for name in node.inputs)
                values[node.name] = builder.emit(lower_node(graph, node, inputs, weights))
            leaving = builder.emit_output(relax.Tuple([values[name] for name in outputs]))
        builder.emit_func_output(leaving)
    return builder.get()


def relax_shapes(graph: Graph) -> dict[str, tuple[int, ...]]:
    """The shape, without batch, that TVM itself infers for every node. Raises `CnnError` (unsupported-by-backend)."""
    names = [node.name for node in graph.nodes]
    function = plain_module(graph, 1, names)["main"]
    return {
        name: tuple(int(n) for n in field.shape.values[1:])
        for name, field in zip(names, function.ret_ty.fields, strict=True)
    }


def activations(
    graph: Graph, weights: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The value of every node, batch included, for batched inputs by name and a state dict. Raises `CnnError`."""
    tvm = load_tvm()
    names = [node.name for node in graph.nodes]
    batch = next(iter(inputs.values())).shape[0]
    executable = tvm.compile(plain_module(graph, batch, names), tvm.target.Target("llvm"))
    machine = tvm.relax.VirtualMachine(executable, tvm.cpu())
    arguments = [inputs[i.name] for i in graph.inputs] + [weights[entry.key] for entry in graph.weights]
    values = machine["main"](*(tvm.runtime.tensor(array) for array in arguments))
    return {name: value.numpy() for name, value in zip(names, values, strict=True)}
