"""A step of a program as a function of PyTorch's tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnndsl.backends.pytorch.library import nn, torch
from cnndsl.backends.tvm.program.steps import Step

Layer = Callable[..., Any]


def layer(step: Step) -> Layer:
    """What the step computes in use, from batched tensors in the order of its inputs."""
    module = _module(step)
    return lambda *values: step.op.call_torch(torch, module, step.xs, *values)


def _module(step: Step) -> Any:
    """What holds the weights of the step; None for a plain function."""
    own = {slot: torch.from_numpy(array.numpy().copy()) for slot, array in step.weights.items()}
    if step.op.one_tensor and own:
        return own[""]
    with torch.device("meta"):
        module = step.op.to_torch(nn, step.xs)
    if module is None:
        if not own:
            return None
        module = nn.Module()
        for slot, tensor in own.items():
            module.register_buffer(slot, tensor)
        return module.eval()
    module.load_state_dict(own, strict=True, assign=True)
    return module.requires_grad_(False).eval()
