"""What long work is at when it tells of it, for those who must decide by that: texts are for people."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class Stage(Enum):
    """The kind of work that begins."""

    PREPARING = "preparing"
    """Weights, inputs, figures and settings are read, drawn or looked for."""
    COMPILING = "compiling"
    """TVM compiles the package. A crash in this stage is TVM's, and is looked for kernel by kernel."""
    COMPARING = "comparing"
    """The package runs, or others compute the same to compare it with."""
    WRITING = "writing"
    """Files are written."""


Tell = Callable[[Stage, str], None]
"""Called before work begins, with its stage and in words: `tell(Stage.WRITING, "writing net/")`."""


def untold(_stage: Stage, _text: str) -> None:
    """For work that nobody listens to."""
