"""Which sizes of its input a network could have that cannot be built with the one it says: looked for when somebody asks."""

from __future__ import annotations

from cnndsl.diagnostics.errors import CnnError
from cnndsl.passes.read_program import Origin
from cnndsl.pipeline import load_origin
from cnndsl.service.analysis import Analysis

SIZED = ("shape-mismatch", "window-too-large")
"""Ids of problems that another size of the input may mend."""


def sizes(analysis: Analysis, model: str | None) -> str | None:
    """What sizes of the input would do, in a sentence; None where none is found, or none is needed. Files that are used are
    read as they lie on disk. May take a second."""
    try:
        load_origin(Origin(analysis.source, analysis.path, analysis.stem, model), {}, {})
    except CnnError as error:
        notes = (note for diagnostic in error.diagnostics for note in diagnostic.notes)
        return next((note for note in notes if note.startswith("sizes of ")), None)
    return None
