"""Batches in an order that depends on the seed and the epoch alone, the same however many processes share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler


class Examples(Dataset):  # type: ignore[misc]
    """Some of a collection's examples; a batch is taken from the arrays at once."""

    def __init__(self, examples: np.ndarray, labels: np.ndarray, places: np.ndarray) -> None:
        self.examples = examples
        self.labels = labels
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.__getitems__([place])

    def __getitems__(self, places: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """The examples N×shape as they are stored, and their labels."""
        chosen = self.places[np.asarray(places, np.int64)]
        return torch.from_numpy(self.examples[chosen]), torch.from_numpy(self.labels[chosen])


class Order(Sampler):  # type: ignore[misc]
    """Places in batches of `batch` for all processes together, of which process `rank` of `ranks` gets its share.

    With a `seed` the order is another one in each epoch (what `epoch()` gives), and an incomplete last batch is left out;
    without one everything comes once, in its own order.
    """

    def __init__(
        self, count: int, batch: int, seed: int | None, rank: int, ranks: int, epoch: Callable[[], int]
    ) -> None:
        self.count = count
        self.batch = min(batch, count)
        self.seed = seed
        self.rank = rank
        self.ranks = ranks
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count // self.batch if self.seed is not None else -(-self.count // self.batch)

    def __iter__(self) -> Iterator[list[int]]:
        order = np.arange(self.count)
        if self.seed is not None:
            order = np.random.default_rng([self.seed, self.epoch()]).permutation(self.count)
        for start in range(0, len(self) * self.batch, self.batch):
            yield order[start : start + self.batch][self.rank :: self.ranks].tolist()


def batches(examples: Examples, batch: int, seed: int | None, trainer: Any) -> DataLoader:
    """The batches of this process. Beside an accelerator, workers get them ready; the CPU has better things to do."""
    order = Order(
        len(examples), batch, seed, trainer.global_rank, trainer.world_size, lambda: int(trainer.current_epoch)
    )
    beside = trainer.strategy.root_device.type == "cuda"
    workers = min(4, torch.get_num_threads()) if beside else 0
    return DataLoader(
        examples,
        batch_sampler=order,
        num_workers=workers,
        collate_fn=_as_it_is,
        pin_memory=beside,
        persistent_workers=workers > 0,
        # Each round through a loader draws a number, and must not take it from what training draws from.
        generator=torch.Generator(),
    )


def _as_it_is(batch: Any) -> Any:
    return batch
