"""What the figures of a finished run say that its user should know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from cnndsl.training.run import Run

_LEARNT = 0.9
"""Share of the training examples that a network must recognise to have learnt them."""
_OF_CHANCE = 1.5
"""A share of the held-out examples up to so many times that of guessing is chance."""
_STEPS = 200
"""Steps in which running means with momentum 0.1 and trained weights have come to rest."""


def doubts(run: Run, history: Sequence[dict[str, float]], examples: int) -> Iterator[str]:
    """Notes on a run that learnt its examples by heart and recognises no others."""
    if not history:
        return
    last = history[-1]
    chance = 1 / max(1, len(run.classes))
    if last["train_accuracy"] < _LEARNT or last["val_accuracy"] > min(_OF_CHANCE * chance, _LEARNT):
        return
    steps = len(history) * ceil(examples / run.options.batch)
    text = f"training {last['train_accuracy']:.0%}, held out {last['val_accuracy']:.0%}, which is chance"
    if steps < _STEPS and any(node.op.word == "BN" for node in run.graph.nodes):
        smaller = max(1, run.options.batch // 4)
        yield (
            f"{text}: the running means of BN have seen {steps} steps; take `--batch {smaller}`, or go on with "
            f"`cnndsl train --resume {run.folder} --epochs {max(2, ceil(_STEPS / steps)) * run.options.epochs}`"
        )
    else:
        yield f"{text}: it knows its examples by heart; give more of them, or `--augment flip,crop,jitter`"
