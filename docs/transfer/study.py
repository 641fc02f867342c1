"""Digits 5 to 9 from few examples, with and without what was learnt of 0 to 4: `python docs/transfer/study.py [FOLDER]`.

Trains (some minutes) in FOLDER, `runs/transfer` by default, and writes `results.csv` beside this file: for each way, number of
examples a class and seed, the held-out accuracy of the last epoch. `plot.py` draws it.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import data

import cnndsl

HERE = Path(__file__).parent
EPOCHS = 60
STARTED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "frozen": {"freeze": "features"},
    "fine": {"backbone_lr": 0.0005},
}
"""What each way adds to the options; those but the first begin with the weights of 0 to 4."""


def main(folder: Path) -> None:
    data.main(folder)
    network = cnndsl.load("lenet5", classes=5)
    rows = []
    for seed in data.SEEDS:
        old = network.train(str(folder / "old.npz"), folder=folder / f"old-{seed}", seed=seed)
        for count in data.COUNTS:
            for way, options in STARTED.items():
                init = {} if way == "nothing" else {"init": str(folder / f"old-{seed}" / "best.safetensors")}
                made = network.train(
                    str(folder / f"new-{count}-{seed}.npz"),
                    folder=folder / f"{way}-{count}-{seed}",
                    seed=seed,
                    epochs=EPOCHS,
                    batch=8,
                    **options,
                    **init,
                )
                # Of the last epoch: the best one would be chosen by the examples that measure it.
                rows.append([way, count, seed, f"{made.history[-1]['val_accuracy']:.4f}"])
                print(*rows[-1], f"(0 to 4: {old.best['val_accuracy']:.2%})", flush=True)
    with (HERE / "results.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([["way", "examples", "seed", "accuracy"], *rows])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/transfer"))
