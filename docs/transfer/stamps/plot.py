"""Draws `docs/images/stamps.svg` from the figures beside it, and prints a table: `python docs/transfer/stamps/plot.py`."""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

HERE = Path(__file__).parent
WAYS = {
    "nothing": ("from nothing", "#d95f02"),
    "published": ("ImageNet's weights, a new head", "#1f77b4"),
}


def accuracies(path: Path) -> list[float]:
    """The held-out accuracy of each epoch, in percent."""
    with path.open(encoding="utf-8") as file:
        return [100 * float(row["val_accuracy"]) for row in csv.DictReader(file)]


def main() -> None:
    """Each seed as a thin line, their mean as a thick one."""
    figure = Figure(figsize=(6.5, 3.6), layout="constrained")
    axes = figure.subplots()
    for way, (label, color) in WAYS.items():
        seeds = np.array([accuracies(path) for path in sorted(HERE.glob(f"{way}-*.csv"))])
        epochs = np.arange(1, seeds.shape[1] + 1)
        for row in seeds:
            axes.plot(epochs, row, color=color, alpha=0.35, linewidth=0.9)
        axes.plot(epochs, seeds.mean(0), color=color, linewidth=2, label=label)
        last = seeds[:, -1]
        shown = " | ".join(f"{value:.1f}" for value in last)
        print(f"| {label} | {shown} | {last.mean():.1f} ± {last.std(ddof=1):.1f} |")
    axes.set(
        xlabel="epoch", ylabel="% of held-out photographs", title="Nine kinds of things, three seeds", ylim=(0, 100)
    )
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="center left")
    with mpl.rc_context({"svg.hashsalt": "cnndsl", "svg.fonttype": "none"}):
        figure.savefig(HERE.parents[1] / "images" / "stamps.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
