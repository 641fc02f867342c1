"""Writes the digits 0 to 4, and few examples of 5 to 9, as `.npz` files: `python docs/transfer/data.py FOLDER`.

`old.npz` holds all pictures of 0 to 4. `new-COUNT-SEED.npz` holds COUNT pictures of each of 5 to 9 to learn from, drawn by the
seed, and the same 40 % of the others to be measured with.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

COUNTS, SEEDS = (5, 10, 20), (0, 1, 2)
HELD_OUT = 0.4


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    pictures = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    labels = digits.target.astype(np.int64)
    np.savez(folder / "old.npz", images=pictures[labels < 5], labels=labels[labels < 5])
    order = np.random.default_rng(0).permutation(len(labels))
    classes = [order[labels[order] == digit] for digit in range(5, 10)]
    measured = np.concatenate([places[: round(HELD_OUT * len(places))] for places in classes])
    for count in COUNTS:
        for seed in SEEDS:
            draw = np.random.default_rng(seed)
            learnt = np.concatenate(
                [draw.permutation(places[round(HELD_OUT * len(places)) :])[:count] for places in classes]
            )
            np.savez(
                folder / f"new-{count}-{seed}.npz",
                x_train=pictures[learnt],
                y_train=labels[learnt] - 5,
                x_test=pictures[measured],
                y_test=labels[measured] - 5,
                classes=np.arange(5, 10),
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
