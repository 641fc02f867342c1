"""Batches in an order that depends on the seed and the epoch alone, the same however many processes share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler


class Examples(Dataset):  # type: ignore[misc]
    """Some examples of a collection, by their `indices`. A batch is read from the arrays in one go."""

    def __init__(self, examples: np.ndarray, labels: np.ndarray, indices: np.ndarray) -> None:
        self.examples = examples
        self.labels = labels
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.__getitems__([place])

    def __getitems__(self, places: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """The examples N×shape as they are stored, and their labels."""
        chosen = self.indices[np.asarray(places, np.int64)]
        return torch.from_numpy(self.examples[chosen]), torch.from_numpy(self.labels[chosen])


class Order(Sampler):  # type: ignore[misc]
    """Places in batches of `batch`, of which process `rank` of `ranks` gets its share.

    With a `seed`, each epoch (the number that `epoch()` gives) has an order of its own, and an incomplete last batch is left
    out. Without a seed every example comes once, in the order of the data.
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
    """The batches of this process. Workers make them ready while a GPU learns; where the CPU learns there are no workers."""
    order = Order(
        len(examples), batch, seed, trainer.global_rank, trainer.world_size, lambda: int(trainer.current_epoch)
    )
    on_gpu = trainer.strategy.root_device.type == "cuda"
    workers = min(4, torch.get_num_threads()) if on_gpu else 0
    return DataLoader(
        examples,
        batch_sampler=order,
        num_workers=workers,
        collate_fn=_unchanged,
        pin_memory=on_gpu,
        persistent_workers=workers > 0,
        # Each pass over a loader draws a random number. It must not come from the generator that training draws from.
        generator=torch.Generator(),
    )


def _unchanged(batch: Any) -> Any:
    return batch
