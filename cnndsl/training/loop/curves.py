"""Pictures of learning: curves over the epochs, and which classes are recognised as which."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

DISTINCT = ("#1f77b4", "#d95f02")
"""The colours of training and of held-out examples, which colour-blind people can tell apart too."""


def curves(history: Sequence[dict[str, float]], title: str, format: str = "svg") -> bytes:
    """Loss and accuracy over the epochs, of both parts of the data."""
    figure = figure_of((9, 3.6))
    epochs = [row["epoch"] for row in history]
    for axes, kind in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for part, name, color in zip(("train", "val"), ("training", "held out"), DISTINCT, strict=True):
            axes.plot(epochs, [row[f"{part}_{kind}"] for row in history], marker=".", color=color, label=name)
        axes.set_xlabel("epoch")
        axes.set_title(kind)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.suptitle(title)
    return saved(figure, format)


def confusion(counts: np.ndarray, classes: Sequence[str], title: str, format: str = "svg") -> bytes:
    """A picture of a confusion matrix: rows are the true classes, columns the predicted ones. Up to 30 classes it has numbers."""
    side = max(4.0, min(14.0, 0.45 * len(classes)))
    figure = figure_of((side + 1, side))
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues")
    axes.set(xlabel="predicted", ylabel="true class", title=title)
    if len(classes) <= 60:
        axes.set_xticks(range(len(classes)), classes, rotation=90 if max(map(len, classes)) > 2 else 0)
        axes.set_yticks(range(len(classes)), classes)
    if len(classes) <= 30:
        for (row, column), count in _cells(counts):
            axes.text(
                column, row, str(count), ha="center", va="center", fontsize=8,
                color="white" if count > counts.max() / 2 else "#333333",
            )  # fmt: skip
    return saved(figure, format)


def _cells(counts: np.ndarray) -> list[tuple[tuple[int, int], int]]:
    size = range(len(counts))
    return [((row, column), int(counts[row, column])) for row in size for column in size if counts[row, column]]


def figure_of(size: tuple[float, float]) -> Any:
    """An empty figure of width and height in inches."""
    # Without pyplot: nothing is shown, and no state is kept.
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def saved(figure: Any, format: str) -> bytes:
    """The figure as svg, png or pdf; the same one gives the same bytes."""
    import matplotlib as mpl

    data = BytesIO()
    with mpl.rc_context({"svg.hashsalt": "cnndsl", "svg.fonttype": "none"}):
        figure.savefig(data, format=format, metadata={"Date": None} if format == "svg" else None)
    return data.getvalue()
