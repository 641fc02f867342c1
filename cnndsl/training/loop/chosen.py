"""Which learner a run takes."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from cnndsl.training.data.collection import IN_MEMORY
from cnndsl.training.fixed import boundary
from cnndsl.training.run import Run

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.training.loop.learner import Learner


def learner_for(run: Run, once: str | None, *about: Any) -> Learner:
    """The learner of a run; `about` is what every learner takes behind graph and options, `once` is `computed_once`'s."""
    if run.options.strategy == "fsdp":
        from cnndsl.training.loop.spread import SpreadLearner

        return SpreadLearner(run.graph, run.options, *about)
    if run.options.quantize:
        from cnndsl.training.loop.quantizing_learner import QuantizingLearner

        return QuantizingLearner(run.graph, run.options, *about)
    if once and not run.options.augment:
        from cnndsl.training.loop.head_learner import HeadLearner

        return HeadLearner(run.graph, run.options, *about, boundary=once)
    from cnndsl.training.loop.learner import Learner

    return Learner(run.graph, run.options, *about)


def computed_once(run: Run, examples: np.ndarray, fixed: Collection[str]) -> str | None:
    """The node up to which nothing learns, where its values of all examples may be kept in the place of the examples."""
    if run.options.quantize:
        return None
    node = boundary(run.graph, fixed) if fixed and run.options.devices * run.options.nodes == 1 else None
    if node is None or run.options.strategy != "ddp":
        return None
    size = 4 * len(examples) * math.prod(run.graph.types[node].shape)
    return node if size <= max(IN_MEMORY, examples.nbytes) else None
