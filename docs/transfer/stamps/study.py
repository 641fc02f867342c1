"""Photographs of nine kinds, learnt from nothing and with ImageNet's features: `python docs/transfer/stamps/study.py KINDS RUNS`.

KINDS has a folder of pictures for each kind, as `docs/recognition/stamps.py … categories` writes them. Trains EfficientNet-Lite0
in RUNS, each way with three seeds, which draw the held-out photographs, the first weights and the order; then copies the
figures of every epoch beside this file, `WAY-SEED.csv`. A third and a fourth word name ways and seeds of which only those are trained:
`published 0,2`. `plot.py` draws them.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import cnndsl

HERE = Path(__file__).parent
EPOCHS, BATCH, SEEDS = 15, 8, ("0", "1", "2")
"""The norms of this network average what they see over a hundred steps: an epoch must have many, for few photographs."""
WAYS: dict[str, dict[str, Any]] = {
    "nothing": {"normalize": "imagenet", "augment": "flip"},
    "published": {"init": "published", "head_only": True, "augment": "none"},
}
"""A start from nothing sees mirrored photographs, too; with a new head alone, features are computed once."""


def main(kinds: str, runs: Path, ways: list[str], seeds: list[str]) -> None:
    network = cnndsl.load("efficientnet_lite0", input="3x96x96", classes=9)
    for way in ways:
        for seed in seeds:
            folder = runs / f"{way}-{seed}"
            made = network.train(kinds, folder=folder, seed=int(seed), epochs=EPOCHS, batch=BATCH, **WAYS[way])
            shutil.copy(folder / "metrics.csv", HERE / f"{way}-{seed}.csv")
            seconds = sum(row["seconds"] for row in made.history)
            print(f"{way} {seed}: {made.history[-1]['val_accuracy']:.1%} in {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    kinds, runs, *chosen = sys.argv[1:]
    ways, seeds = (word.split(",") for word in [*chosen, *(",".join(WAYS), ",".join(SEEDS))[len(chosen) :]])
    main(kinds, Path(runs), ways, seeds)
