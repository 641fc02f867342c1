"""A PyTorch module as a program: traced, matched, written, and proved in that order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cnndsl.analyses.summary import summarize
from cnndsl.backends.pytorch.library import torch
from cnndsl.importing.imported import Imported, Report, first_proved, lines_of, net_of
from cnndsl.importing.plain.constants import with_computed_constants
from cnndsl.importing.plain.dead_ends import with_dead_ends
from cnndsl.importing.proving.proof import Agreement, macs_of, same_outputs, same_state
from cnndsl.importing.readers.torch_export import fresh, outline, trace_module
from cnndsl.importing.refuse import Unproved, Unread, unreadable
from cnndsl.importing.trace import UNREAD, Trace
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import parse_text

Shapes = Sequence[tuple[tuple[int, ...], str]]


def import_module(
    module: Any, inputs: Shapes, name: str, source: str, *, forms: Sequence[str] = (), compare: bool = True
) -> Imported:
    """The program of a module in evaluation, for inputs of these shapes (without batch) and dtypes.

    `forms` says which of the forms may be taken, all when empty. Without `compare` no outputs are computed, and no weights
    are given. The module stays as it is; one on the meta device has no numbers, and its outputs are not compared. Raises `CnnError` (cannot-import).
    """
    try:
        trace = trace_module(module, inputs, name)
        if trace.unreached():
            trace = _with_heads(trace, module, inputs)
        if idle := trace.unreached():
            shown = ", ".join(f"`{key}`" for key in idle[:4]) + (f", … {len(idle) - 4} more" if len(idle) > 4 else "")
            raise Unread(
                "it holds weights that its forward never takes",
                f"take the module of `{idle[0]}` out of it: a program has the weights of its layers, and no others",
                f"found: {shown}",
            )
    except Unread as why:
        raise unreadable(source, why) from why
    trace = with_dead_ends(trace)
    net = net_of(with_computed_constants(trace), source)
    shell = outline(module).requires_grad_(False)
    macs = macs_of(shell, _examples(inputs, 2))
    found: dict[str, Agreement] = {}

    def prove(text: str) -> Graph:
        graph = parse_text(text, f"{name}.cnn").graph
        same_state(graph, {key: (t.shape, t.dtype) for key, t in trace.state.items()})
        ours = _computed(graph) if any(label == UNREAD for label, _ in trace.outputs) else summarize(graph).totals.macs
        # What depends on no input is computed once for all examples, so that two have less than twice the work of one.
        if ours != macs and ours != macs_of(shell, _examples(inputs, 1)):
            raise Unproved(f"{ours:,} MACs, and {macs:,} there")
        found["agreement"] = _outputs(module, graph) if compare else Agreement(None, None)
        return graph

    form, text, graph = first_proved(net, f"{name}, imported from {source}.", source, forms, prove)
    report = Report(
        source=source,
        form=form,
        lines=lines_of(text),
        params=summarize(graph).totals.params,
        macs=summarize(graph).totals.macs,
        weights=len(graph.weights),
        keys="equal",
        max_rel_error=found["agreement"].drawn,
        max_rel_error_given=found["agreement"].given,
    )
    state = (
        None if _empty(module) or not compare else {k: v.detach().cpu().numpy() for k, v in module.state_dict().items()}
    )
    return Imported(text, graph, state, report)


def _computed(graph: Graph) -> int:
    """Multiply-adds of all layers, those that nobody reads too, as a module computes them."""
    return sum(node.op.macs(graph.input_types(node), node.type) for node in graph.nodes)


def _examples(inputs: Shapes, batch: int) -> tuple[Any, ...]:
    return tuple(torch.empty((batch, *shape), dtype=getattr(torch, dtype), device="meta") for shape, dtype in inputs)


def _with_heads(trace: Trace, module: Any, inputs: Shapes) -> Trace:
    """The trace with the outputs that only training has, where they reach the weights that are not reached in use."""
    try:
        training = trace_module(module, inputs, trace.name, heads=True)
    except Unread:
        return trace
    if len(training.outputs) <= len(trace.outputs) or len(training.unreached()) >= len(trace.unreached()):
        return trace
    return replace(training, inference=len(trace.outputs))


def _empty(module: Any) -> bool:
    return any(tensor.device.type == "meta" for tensor in module.state_dict().values())


def _outputs(module: Any, graph: Graph) -> Agreement:
    if _empty(module):
        return Agreement(None, None)

    def run(state: Mapping[str, Any], inputs: tuple[Any, ...]) -> dict[str, Any]:
        made = torch.func.functional_call(fresh(module), dict(state), inputs)
        if isinstance(made, Mapping):
            return dict(made)
        return dict(enumerate(made)) if isinstance(made, list | tuple) else {"": made}  # type: ignore[arg-type]

    keys = {entry.key: entry.key for entry in graph.weights}
    return same_outputs(graph, run, module.state_dict(), keys)
