"""What PyTorch itself says of a network: shapes, MACs and state on the `meta` device, values of every node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnndsl.backends.pytorch.library import torch
from cnndsl.backends.pytorch.live.module import LiveModule, forward_pass, loaded, on_meta
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Observed:
    """Facts by node or by state-dict key, in order; shapes are without batch, dtypes as the IR writes them."""

    shapes: dict[str, tuple[int, ...]]
    macs: dict[str, int]
    state: dict[str, tuple[tuple[int, ...], str]]
    params: int
    buffers: int


def observe(graph: Graph) -> Observed:
    """Runs the network in inference mode on `meta`: nothing is computed, torch only tells shapes and operations.

    MACs are half the operations that torch's own counter finds. Raises what `to_torch` raises.
    """
    from torch.utils.flop_counter import FlopCounterMode

    module = on_meta(graph)
    values = {
        i.name: torch.empty((1, *i.type.shape), dtype=getattr(torch, i.type.dtype), device="meta") for i in graph.inputs
    }
    macs: dict[str, int] = {}
    running = steps(module, values)
    while True:
        with FlopCounterMode(display=False) as counter:
            name = next(running, None)
        if name is None:
            break
        macs[name] = counter.get_total_flops() // 2
    return Observed(
        shapes={name: tuple(values[name].shape[1:]) for name in macs},
        macs=macs,
        state={key: (tuple(value.shape), _dtype(value)) for key, value in module.state_dict().items()},
        params=sum(parameter.numel() for parameter in module.parameters()),
        buffers=sum(buffer.numel() for buffer in module.buffers()),
    )


def activations(
    graph: Graph, weights: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The value of every node that inference needs, batch included, computed eagerly from a state dict."""
    module = loaded(graph, weights)
    values = {name: torch.from_numpy(array.copy()) for name, array in inputs.items()}
    with torch.inference_mode():
        return {name: values[name].numpy() for name in steps(module, values)}


def steps(module: LiveModule, values: dict[str, Any]) -> Iterator[str]:
    """Runs inference node by node: each value is added to `values`, which begins with the inputs, and its name given."""
    for step in forward_pass(module, training=False).steps:
        values[step.name] = step.result(module, values)
        yield step.name


def _dtype(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.")
