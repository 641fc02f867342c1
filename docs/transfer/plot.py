"""Draws `docs/images/transfer.svg` from `results.csv`, and prints its table: `python docs/transfer/plot.py`."""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

HERE = Path(__file__).parent
WAYS = {
    "nothing": ("from nothing", "#d95f02"),
    "frozen": ("features of 0 to 4, frozen", "#1f77b4"),
    "fine": ("features of 0 to 4, at a quarter of the rate", "#2ca02c"),
}


def main() -> None:
    """Each seed as a point, their mean as a line."""
    with (HERE / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    counts = sorted({int(row["examples"]) for row in rows})
    figure = Figure(figsize=(6.5, 3.6), layout="constrained")
    axes = figure.subplots()
    for way, (label, color) in WAYS.items():
        found = [
            [100 * float(row["accuracy"]) for row in rows if (row["way"], int(row["examples"])) == (way, count)]
            for count in counts
        ]
        axes.plot(range(len(counts)), [np.mean(part) for part in found], color=color, label=label)
        for place, part in enumerate(found):
            axes.plot([place] * len(part), part, "o", color=color, alpha=0.5, markersize=4)
        print("| " + " | ".join([label, *(", ".join(f"{value:.1f}" for value in part) for part in found)]) + " |")
    axes.set(
        xlabel="examples of each digit", ylabel="% of held-out digits", title="5 to 9 from few examples, three seeds"
    )
    axes.set_xticks(range(len(counts)), [str(count) for count in counts])
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="lower right")
    with mpl.rc_context({"svg.hashsalt": "cnndsl", "svg.fonttype": "none"}):
        figure.savefig(HERE.parent / "images" / "transfer.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
