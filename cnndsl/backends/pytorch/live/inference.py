"""Inference by PyTorch, as something to be measured and as something to compare with."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cnndsl.backends.pytorch.library import nn, torch
from cnndsl.backends.pytorch.live.module import loaded
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]


def outputs(graph: Graph, weights: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray], dtype: str) -> Arrays:
    """What the network gives, by name, with weights and inputs in `dtype` (`float32`, `float64`)."""
    module = loaded(graph, weights).to(getattr(torch, dtype))
    given = [_tensor(x, dtype) for x in inputs.values()]
    with torch.inference_mode():
        return _arrays(graph, module(*given))


def runner(
    graph: Graph,
    weights: Mapping[str, np.ndarray],
    inputs: Mapping[str, np.ndarray],
    dtype: str,
    threads: int,
    *,
    compiled: bool,
) -> tuple[Callable[[], Any], Callable[[], Arrays]]:
    """One inference of these inputs, eager or through `torch.compile`, and the same with its outputs as float32 arrays."""
    torch.set_num_threads(threads)
    module = loaded(graph, weights).to(getattr(torch, dtype))
    given = [_tensor(x, dtype) for x in inputs.values()]
    with warnings.catch_warnings():
        # Inductor warns that it uses parts of PyTorch that are deprecated.
        warnings.simplefilter("ignore")
        called: Any = torch.compile(module) if compiled else module

        def run() -> Any:
            with torch.inference_mode():
                return called(*given)

        run()
    return run, lambda: _arrays(graph, run())


def settled(graph: Graph, weights: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]) -> Arrays:
    """The weights, with the mean and variance of every batch norm measured on these examples, as training would leave
    them. Without that, the maps of a network with first weights shrink from layer to layer until only biases are left."""
    module = loaded(graph, weights)
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.track_running_stats:
            part.reset_running_stats()
            part.momentum = None
            part.train()
    given = [_tensor(x, "float32") for x in inputs.values()]
    with torch.no_grad():
        module(*given)
    return {key: value.detach().numpy().copy() for key, value in module.state_dict().items()}


def _tensor(x: np.ndarray, dtype: str) -> torch.Tensor:
    tensor = torch.from_numpy(x)
    return tensor.to(getattr(torch, dtype)) if tensor.is_floating_point() else tensor


def _arrays(graph: Graph, result: Any) -> Arrays:
    names = [o.name for o in graph.outputs if not o.training]
    named = result if isinstance(result, dict) else {names[0]: result}
    return {
        name: (value if value.dtype == torch.float64 else value.float()).detach().numpy()
        for name, value in named.items()
    }
