"""An exported program as a `.cnn` program. PyTorch is needed to compare outputs, and loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnndsl.disk.files import open_file
from cnndsl.importing.files import import_trace
from cnndsl.importing.imported import Imported
from cnndsl.importing.proving.proof import Agreement, same_outputs
from cnndsl.importing.readers.pt2 import read_pt2
from cnndsl.importing.refuse import Unread, unreadable
from cnndsl.ir.graph import Graph


def import_pt2(path: Path, *, forms: Sequence[str] = ()) -> Imported:
    """The program of a file that `torch.export.save` wrote. Raises `CnnError` (cannot-import, file-not-found) and
    `MissingPart` without PyTorch."""
    from cnndsl.backends.pytorch.library import torch
    from cnndsl.importing.proving.replay import replay

    try:
        with open_file(path) as file:
            trace = read_pt2(file, path.stem)
    except Unread as why:
        raise unreadable(path.name, why) from why

    def compare(graph: Graph, keys: Mapping[str, str], _: Mapping[str, str]) -> Agreement:
        given = {key: torch.as_tensor(trace.array(key)) for key in trace.state}

        def run(state: Mapping[str, Any], inputs: tuple[Any, ...]) -> dict[str, Any]:
            return replay(trace, state, inputs)

        return same_outputs(graph, run, given, keys, batch=trace.batch)

    return import_trace(trace, path.name, compare, forms=forms)
