"""Draws `docs/images/residuals.svg` from the metrics of six runs: `python docs/residuals/plot.py [RUNS]`.

RUNS, beside this file by default, holds `true-SEED.csv` and `false-SEED.csv`, the `metrics.csv` of runs with shortcuts and
without.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

HERE = Path(__file__).parent
KINDS = {"true": ("with shortcuts", "#1f77b4"), "false": ("the same layers without", "#d95f02")}


def columns(path: Path) -> dict[str, np.ndarray]:
    """A metrics file by column."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def main(runs: Path) -> None:
    """Mean over the seeds as a line, least to most as a band."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    titles = {"train_loss": "training loss", "val_accuracy": "accuracy on held-out digits"}
    for axes, (measure, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        for kind, (label, color) in KINDS.items():
            found = [columns(path) for path in sorted(runs.glob(f"{kind}-*.csv"))]
            values = np.stack([run[measure] for run in found])
            axes.plot(found[0]["epoch"], values.mean(0), color=color, label=label)
            axes.fill_between(found[0]["epoch"], values.min(0), values.max(0), color=color, alpha=0.2, linewidth=0)
        axes.set(xlabel="epoch", title=title)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="lower right")
    figure.suptitle("34 layers on 1 438 handwritten digits, three seeds")
    with mpl.rc_context({"svg.hashsalt": "cnndsl", "svg.fonttype": "none"}):
        figure.savefig(HERE.parent / "images" / "residuals.svg", metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
