"""From stored examples to what a network is fed: the same in training, evaluation and prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass(frozen=True)
class Preparation:
    """Pictures become float32 from 0 to 1, then what `reading` says of `mean`, `std`, `scale` and `order` (`arrays/pictures.py`)."""

    reading: Mapping[str, Any] = field(default_factory=dict)

    def scaled(self, stored: torch.Tensor) -> torch.Tensor:
        """uint8 pictures from 0 to 1; numbers as they are."""
        return stored.float() / 255 if stored.dtype == torch.uint8 else stored

    def normalized(self, x: torch.Tensor) -> torch.Tensor:
        """N×C×H×W around 0, where that is asked for."""
        if self.reading.get("order") == "BGR" and x.shape[1] == 3:
            x = x.flip(1)
        if (scale := self.reading.get("scale", 1)) != 1:
            x = x * scale
        if mean := self.reading.get("mean"):
            x = x - torch.tensor(mean, device=x.device, dtype=x.dtype)[:, None, None]
        if std := self.reading.get("std"):
            x = x / torch.tensor(std, device=x.device, dtype=x.dtype)[:, None, None]
        return x
