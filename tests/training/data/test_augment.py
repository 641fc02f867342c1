"""Guards `training/data/augment.py` and `batches.py`: each picture varies in its own way, as in NumPy; the order of batches."""

from __future__ import annotations

from functools import partial
from itertools import chain

import numpy as np
import torch

from cnndsl.training.data.augment import mix, vary
from cnndsl.training.data.batches import Examples, Order

PICTURES = torch.rand(40, 3, 16, 24, generator=torch.Generator().manual_seed(0))


def test_flips_are_of_some_pictures_and_exact() -> None:
    torch.manual_seed(0)
    flipped = vary(PICTURES, ["flip"]).numpy()
    as_is = [np.array_equal(a, b) for a, b in zip(flipped, PICTURES.numpy(), strict=True)]
    mirrored = [np.array_equal(a, b[..., ::-1]) for a, b in zip(flipped, PICTURES.numpy(), strict=True)]
    assert all(a != b for a, b in zip(as_is, mirrored, strict=True))
    assert 10 < sum(mirrored) < 30


def test_crops_are_windows_of_the_picture_with_black_around() -> None:
    torch.manual_seed(0)
    cropped = vary(PICTURES, ["crop"]).numpy()
    wide = np.pad(PICTURES.numpy(), ((0, 0), (0, 0), (2, 2), (3, 3)))
    found = [
        [(i, j) for i in range(5) for j in range(7) if np.array_equal(crop, whole[:, i : i + 16, j : j + 24])]
        for crop, whole in zip(cropped, wide, strict=True)
    ]
    assert [len(places) for places in found] == [1] * 40
    assert len({places[0] for places in found}) > 15


def test_colours_stay_between_0_and_1_and_vary_picture_by_picture() -> None:
    torch.manual_seed(0)
    coloured = vary(PICTURES, ["jitter"])
    assert coloured.shape == PICTURES.shape
    assert float(coloured.min()) >= 0
    assert float(coloured.max()) <= 1
    ratio = coloured.mean((1, 2, 3)) / PICTURES.mean((1, 2, 3))
    assert 0.78 < float(ratio.min()) < 0.95
    assert 1.05 < float(ratio.max()) < 1.22
    assert vary(PICTURES[:, :1], ["jitter"]).shape == (40, 1, 16, 24)


def test_mixing_gives_targets_the_same_shares() -> None:
    torch.manual_seed(1)
    labels = torch.arange(40) % 5
    pictures = torch.nn.functional.one_hot(labels, 5).float()[:, :, None, None].expand(40, 5, 2, 2)
    mixed, targets = mix(pictures, labels, 5)
    torch.testing.assert_close(mixed[:, :, 0, 0], targets)
    torch.testing.assert_close(targets.sum(1), torch.ones(40))
    assert len(torch.unique(targets)) == 4


def test_batches_are_the_same_however_many_processes_share_them() -> None:
    orders = []
    for epoch in range(3):
        alone = Order(103, 20, 7, 0, 1, partial(int, epoch))
        shares = [Order(103, 20, 7, rank, 4, partial(int, epoch)) for rank in range(4)]
        whole = list(alone)
        assert [len(batch) for batch in whole] == [20] * 5 == [20] * len(alone)
        for batch, *parts in zip(whole, *shares, strict=True):
            assert sorted(batch) == sorted(chain(*parts))
            assert [len(part) for part in parts] == [5] * 4
        orders.append(list(chain(*whole)))
        assert len(set(orders[-1])) == 100
    assert orders[0] != orders[1] != orders[2]


def test_what_is_held_out_comes_once_and_whole() -> None:
    parts = [list(Order(41, 20, None, rank, 2, lambda: 0)) for rank in range(2)]
    assert sorted(chain(*parts[0], *parts[1])) == list(range(41))
    assert [len(part) for part in parts] == [3, 3]
    assert list(Order(3, 20, 0, 0, 1, lambda: 0)) != []


def test_a_batch_is_taken_at_once() -> None:
    stored, labels = np.arange(24, dtype=np.uint8).reshape(6, 1, 2, 2), np.arange(6)
    chosen = Examples(stored, labels, np.array([5, 3, 1]))
    taken, their = chosen.__getitems__([2, 0])
    np.testing.assert_array_equal(taken.numpy(), stored[[1, 5]])
    assert their.tolist() == [1, 5]
    assert chosen[1][1].tolist() == [3]
    assert len(chosen) == 3
