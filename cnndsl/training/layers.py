"""Which weights training begins with, and which it may change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from cnndsl.diagnostics.errors import CnnError, Diagnostic, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.ir.graph import Entry, Graph
from cnndsl.ir.written import sizes
from cnndsl.published.weights import Say, given_weights
from cnndsl.training.fixed import stilled

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Beginning:
    """What a file of weights gives a network: arrays by key, and the other keys with why they are not taken."""

    name: str
    loaded: Mapping[str, np.ndarray]
    fresh: Mapping[str, str]
    """Keys of the network that keep their first values."""
    unused: tuple[str, ...]
    """Keys of the file that the network has not."""

    def lines(self) -> list[str]:
        """The same as lines of text."""
        total = len(self.loaded) + len(self.fresh)
        said = [f"{self.name}: {len(self.loaded)} of the network's {total} weights"]
        said += [f"  {key} begins anew: {why}" for key, why in self.fresh.items()]
        if self.unused:
            said.append(f"  not taken, the network has no such key: {', '.join(self.unused)}")
        return said


def beginning(graph: Graph, init: str | Path, say: Say | None = None) -> Beginning:
    """The weights of a file, or published ones, that fit the network by key and shape.

    Raises `CnnError` (file-not-found, unreadable-weights; nothing-loaded where none fits).
    """
    given = given_weights(graph, init, say)
    arrays, name = given.arrays, given.origin
    loaded: dict[str, np.ndarray] = {}
    fresh: dict[str, str] = {}
    for entry in graph.weights:
        why = _misfit(entry, arrays.get(entry.key))
        if why is None:
            loaded[entry.key] = arrays[entry.key]
        elif entry.weight.trained or entry.key in arrays:
            fresh[entry.key] = why
    keys = [entry.key for entry in graph.weights]
    if not any(entry.key in loaded for entry in graph.weights if entry.weight.trained):
        raise fault(
            "nothing-loaded",
            f"none of the {len(arrays)} weights of {name} fits {graph.name}",
            notes=(f"expected {_some(keys)}; found {_some(arrays)}",),
            help=f"`cnndsl weights check {graph.name} {name}` compares them",
        )
    return Beginning(name, loaded, fresh, tuple(key for key in arrays if key not in keys))


def _misfit(entry: Entry, array: np.ndarray | None) -> str | None:
    if array is None:
        return "the file has no such key"
    if tuple(array.shape) != entry.weight.shape:
        return f"it is {sizes(entry.weight.shape) or 'one number'} here and {sizes(array.shape) or 'one number'} there"
    numbers = "iu" if entry.weight.dtype.startswith("int") else "fiu"
    return None if array.dtype.kind in numbers else f"it is of {entry.weight.dtype} here and {array.dtype} there"


def head(graph: Graph) -> str:
    """The last layer with weights before the output, which tells the classes apart; empty for a network without weights."""
    needed: set[str] = {output.node for output in graph.outputs if not output.training}
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed.update(node.inputs)
            if any(weight.trained for weight in graph.node_weights(node).values()):
                return node.weights_of
    return ""


def frozen(graph: Graph, patterns: Sequence[str], head_only: bool) -> frozenset[str]:
    """The names of the layers that do not learn: those that match a pattern, or all but the last one, and those `stilled` ahead
    of them. Raises `CnnError` (no-such-layer, nothing-to-train)."""
    layers = list(dict.fromkeys(entry.node for entry in graph.weights))
    chosen = {name for name in layers if head_only and name != head(graph)}
    faults = []
    for pattern in patterns:
        matching = {name for name in layers if fnmatchcase(name, pattern) or name.startswith(f"{pattern}.")}
        if not matching:
            faults.append(_no_layer(graph, pattern, layers))
        chosen |= matching
    if faults:
        raise CnnError(faults)
    if not any(entry.weight.trained and entry.node not in chosen for entry in graph.weights):
        raise fault("nothing-to-train", f"every layer of {graph.name} is frozen", help="freeze fewer layers")
    return frozenset(chosen) | stilled(graph, chosen)


def _no_layer(graph: Graph, pattern: str, layers: Sequence[str]) -> Diagnostic:
    parts = [name.split(".") for name in layers]
    known = {".".join(path[:length]) for path in parts for length in range(1, len(path) + 1)}
    near = nearest(pattern.rstrip("*").rstrip("."), known)
    return Diagnostic(
        "no-such-layer",
        f"`{pattern}` is no layer of {graph.name} that has weights",
        notes=() if near else (f"expected such as {_some(layers)}",),
        help=f"did you mean `{near}`?" if near else f"`cnndsl summary {graph.name}` names them",
    )


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
