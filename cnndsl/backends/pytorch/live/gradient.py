"""Gradients with respect to the input: what a position of a feature map really depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cnndsl.backends.pytorch.library import torch
from cnndsl.backends.pytorch.live.module import loaded
from cnndsl.backends.pytorch.live.observe import steps
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np


def influence(
    graph: Graph, weights: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray], tensor: str, of: str
) -> np.ndarray:
    """How strongly each position of the input `of` changes the centre position of `tensor`, in inference.

    The gradient of the sum over the channels at the centre, its size summed over the input's channels: the effective
    receptive field of Luo, Li, Urtasun, Zemel, "Understanding the Effective Receptive Field in Deep Convolutional
    Neural Networks", 2016, on these inputs (batch 1, batch axis included). The result has the input's axes behind the channels.
    """
    module = loaded(graph, weights)
    module.requires_grad_(False)
    given = {name: torch.from_numpy(array.copy()) for name, array in inputs.items()}
    given[of].requires_grad_(True)
    # The first layer reads a copy: PyTorch lets nothing work in place on the tensor that a gradient is asked for.
    values = {name: value * 1 if name == of else value for name, value in given.items()}
    for name in steps(module, values):
        if name == tensor:
            break
    centre = tuple((n - 1) // 2 for n in graph.types[tensor].size)
    values[tensor][(0, slice(None), *centre)].sum().backward()
    result: np.ndarray = given[of].grad[0].abs().sum(0).numpy()
    return result
