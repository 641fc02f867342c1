"""Maps and their gradients: what a layer answered, and how much a score hangs on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cnndsl.backends.pytorch.library import torch
from cnndsl.backends.pytorch.live.module import loaded
from cnndsl.backends.pytorch.live.observe import steps
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np


def grad_cam(
    graph: Graph, weights: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray], tensor: str, index: int
) -> np.ndarray:
    """Where the map `tensor` speaks for entry `index` of the network's first output: sizes as the map's, from 0 to 1.

    The map's channels are summed, each weighed by the mean of its gradient, and what speaks against is left out:
    Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017. Batch 1,
    batch axis included in `inputs`. All zeros where nothing speaks for it.
    """
    module = loaded(graph, weights)
    module.requires_grad_(False)
    values = {name: torch.from_numpy(array.copy()) for name, array in inputs.items()}
    kept = None
    with torch.enable_grad():
        for name in steps(module, values):
            if name == tensor:
                kept = values[name].detach().clone().requires_grad_(True)
                # Later layers read a copy: PyTorch lets nothing work in place on the tensor that a gradient is asked for.
                values[name] = kept * 1
        assert kept is not None
        values[next(output.node for output in graph.outputs if not output.training)][0, index].backward()
    positions = tuple(range(2, kept.ndim))
    if kept.grad is None:
        cam = torch.zeros(kept.shape[2:])
    else:
        cam = (kept.grad.mean(positions, keepdim=True) * kept.detach()).sum(1)[0].clamp(min=0)
    most = float(cam.max()) if cam.numel() else 0.0
    result: np.ndarray = (cam / most if most > 0 else cam).numpy()
    return result
