"""The optimizer's groups of weights, and the rate from step to step."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from typing import Any

import torch
from torch import nn

from cnndsl.training.options import Options


def optimizer(
    named: Iterable[tuple[str, nn.Parameter]], options: Options, old: Collection[str]
) -> torch.optim.Optimizer:
    """The optimizer of all weights, by state-dict key, that are not frozen. Those of `old` (keys) learn at `backbone_lr`.

    Vectors have no weight decay: they are biases and the scales of norms, which gain nothing from being pulled to zero.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in named:
        if weight.requires_grad:
            rate = options.backbone_lr if name in old and options.backbone_lr else options.rate
            decay = options.weight_decay if weight.ndim > 1 else 0.0
            groups.setdefault((rate, decay), []).append(weight)
    parts = [{"params": weights, "lr": rate, "weight_decay": decay} for (rate, decay), weights in groups.items()]
    if options.optimizer == "sgd":
        return torch.optim.SGD(parts, lr=options.rate, momentum=0.9, nesterov=True)
    kind: Any = torch.optim.AdamW if options.optimizer == "adamw" else torch.optim.Adam
    return kind(parts, lr=options.rate)


def rate(options: Options, steps: int) -> Callable[[int], float]:
    """The share of the highest rate in each step, `steps` to an epoch."""
    warmup = round(min(options.warmup, options.epochs / 2) * steps)
    total = options.epochs * steps

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        done = (step - warmup) / max(1, total - warmup)
        if options.schedule == "cosine":
            return (1 + math.cos(math.pi * min(1.0, done))) / 2
        return 0.1 ** int(3 * min(done, 0.999)) if options.schedule == "step" else 1.0

    return share
