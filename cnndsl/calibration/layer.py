"""A step of a program as a function of PyTorch's tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnndsl.backends.pytorch.library import nn, torch
from cnndsl.backends.tvm.program.steps import Step

Layer = Callable[..., Any]


def layer(step: Step) -> StepLayer:
    """What the step computes in use, from batched tensors in the order of its inputs."""
    return StepLayer(step)


class StepLayer(nn.Module):  # type: ignore[misc]
    """One step, with its weights where it has any. They do not learn, and nothing but use is computed: `train` changes nothing."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        self._step = step
        own = {slot: torch.from_numpy(array.numpy().copy()) for slot, array in step.weights.items()}
        if step.op.one_tensor and own:
            self.register_buffer("held", own[""])
        else:
            self.held = _module(step, own)

    def forward(self, *values: Any) -> Any:
        return self._step.op.call_torch(torch, self.held, self._step.xs, *values)

    def train(self, mode: bool = True) -> StepLayer:  # noqa: ARG002  (there is one mode)
        super().train(False)
        return self


def _module(step: Step, own: dict[str, Any]) -> Any:
    """What holds the weights of the step; None for a plain function."""
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
