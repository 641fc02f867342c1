"""Varies pictures, a batch at a time, on the device that learns: flips, crops, colours, mixtures.

kornia has the same. On two cores it took 1 to 3 times as long for flips, 2 to 6 for crops, 3 to 6 for mixtures and 3 for
colours (`tests/benchmarks/training.py`), which makes a step of a small network a third longer. Its colours need three channels,
and each of our functions is a few lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

BRIGHTNESS = 0.2
"""Brightness, contrast and saturation vary by up to this share."""
BORDER = 8
"""A crop moves by up to one part in so many of the picture's side."""


def vary(pictures: torch.Tensor, words: Sequence[str]) -> torch.Tensor:
    """Pictures N×C×H×W from 0 to 1, each varied by itself, in the ways that `words` name; drawn from torch's generator."""
    if "flip" in words:
        pictures = torch.where(_drawn(pictures) < 0.5, pictures.flip(-1), pictures)
    if "crop" in words:
        pictures = _moved(pictures)
    if "jitter" in words:
        pictures = _coloured(pictures)
    return pictures


def mix(pictures: torch.Tensor, labels: torch.Tensor, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Each picture with a share of another one, and targets N×classes with the same shares.

    The share is uniform: Beta(1, 1) of Zhang et al.: mixup, 2018, drawn once for the batch.
    """
    share = torch.rand((), device=pictures.device)
    other = torch.randperm(len(pictures), device=pictures.device)
    targets = functional.one_hot(labels, classes).to(pictures.dtype)
    return pictures.lerp(pictures[other], share), targets.lerp(targets[other], share)


def _moved(pictures: torch.Tensor) -> torch.Tensor:
    """From each picture with a black border, a window of the picture's size."""
    count, _, height, width = pictures.shape
    reach = max(1, height // BORDER), max(1, width // BORDER)
    wide = functional.pad(pictures, (reach[1], reach[1], reach[0], reach[0]))
    top, left = (torch.randint(0, 2 * most + 1, (count,)).tolist() for most in reach)
    return torch.stack([wide[n, :, top[n] : top[n] + height, left[n] : left[n] + width] for n in range(count)])


def _coloured(pictures: torch.Tensor) -> torch.Tensor:
    pictures = pictures * _factor(pictures)
    pictures = torch.lerp(pictures.mean((1, 2, 3), keepdim=True), pictures, _factor(pictures))
    if pictures.shape[1] == 3:
        pictures = torch.lerp(pictures.mean(1, keepdim=True), pictures, _factor(pictures))
    return pictures.clamp(0, 1)


def _factor(pictures: torch.Tensor) -> Any:
    return 1 + BRIGHTNESS * (2 * _drawn(pictures) - 1)


def _drawn(pictures: torch.Tensor) -> torch.Tensor:
    return torch.rand((len(pictures), 1, 1, 1), device=pictures.device, dtype=pictures.dtype)
