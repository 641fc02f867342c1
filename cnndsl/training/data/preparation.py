"""From stored examples to what a network is fed: the same in training, evaluation and prediction."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cnndsl.arrays.inputs import IMAGENET_MEAN, IMAGENET_STD


@dataclass(frozen=True)
class Preparation:
    """Pictures become float32 from 0 to 1; `normalize` as in `cnndsl run`."""

    normalize: str = "none"

    def scaled(self, stored: torch.Tensor) -> torch.Tensor:
        """uint8 pictures from 0 to 1; numbers as they are."""
        return stored.float() / 255 if stored.dtype == torch.uint8 else stored

    def normalized(self, x: torch.Tensor) -> torch.Tensor:
        """Pictures N×C×H×W with ImageNet's mean taken off and divided by its deviation, if `normalize` says so.

        A single channel gets the average of the three means and deviations.
        """
        if self.normalize == "none":
            return x
        mean, std = (torch.tensor(numbers, device=x.device, dtype=x.dtype) for numbers in (IMAGENET_MEAN, IMAGENET_STD))
        if x.shape[1] == 1:
            mean, std = mean.mean(0, keepdim=True), std.mean(0, keepdim=True)
        return (x - mean[:, None, None]) / std[:, None, None]
