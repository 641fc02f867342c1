"""Weights as NumPy arrays by state-dict key: read from a file, made from a seed, checked against a network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from cnndsl.arrays.weight_files import read_weights, write_weights
from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label
from cnndsl.diagnostics.nearest import alike
from cnndsl.ir.graph import Entry, Graph
from cnndsl.ir.weight import Weight
from cnndsl.ir.written import sizes

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

MOST_TOLD = 12
"""Faults of a file of weights that are told at once."""
__all__ = ["checked", "initial_weights", "read_weights", "write_weights"]


def initial_weights(graph: Graph, seed: int) -> Arrays:
    """First, untrained values of every weight by key, in the order of the state dict; each depends on `seed` and its own
    key alone, so that a layer that is added changes no other."""
    return {entry.key: _initial(entry.weight, entry.key, seed) for entry in graph.weights}


def _initial(weight: Weight, key: str, seed: int) -> np.ndarray:
    import numpy as np

    if weight.formula is not None:
        return np.asarray(weight.formula(np), dtype=weight.dtype)
    if weight.init == "given":
        return np.array(weight.values, dtype=weight.dtype).reshape(weight.shape)
    if not weight.random:
        value = weight.value if weight.init == "constant" else 1 if weight.init == "ones" else 0
        return np.full(weight.shape, value, dtype=weight.dtype)
    words = np.frombuffer(sha256(key.encode()).digest(), np.uint32)
    generator = np.random.default_rng([seed, *(int(word) for word in words)])
    if weight.init == "normal":
        deviates = generator.standard_normal(weight.shape, dtype=np.float32)
        return np.asarray(deviates * np.float32(weight.std), dtype=weight.dtype)
    values = generator.random(weight.shape, dtype=np.float32) * 2 - 1
    return np.asarray(values * np.float32(weight.bound), dtype=weight.dtype)


def checked(graph: Graph, arrays: Mapping[str, np.ndarray], name: str) -> Arrays:
    """The arrays, if they are weights of this network: in the order of its state dict, each of the network's dtype.

    Raises `CnnError` with every fault (missing-weight, unexpected-weight, weight-mismatch), in which the weights are called
    `name`. What follows from the network's text, such as the places of a table of biases, must be repeated exactly, and may
    be missing; so may `num_batches_tracked`, which older checkpoints do not have.
    """
    import numpy as np

    entries = {entry.key: entry for entry in graph.weights}
    if (prefixed := _prefixed(entries, arrays, name)) is not None:
        raise CnnError([prefixed])
    extra = [key for key in arrays if key not in entries]
    found = [
        fault
        for entry in entries.values()
        if (
            fault := _missing(graph, entry, extra, name)
            if entry.key not in arrays
            else _mismatch(graph, entry, arrays[entry.key], name)
        )
    ]
    found += [_unexpected(key, list(entries), arrays, name) for key in extra]
    if found:
        raise CnnError(_first(found, name))
    return {
        key: np.asarray(arrays[key], dtype=entry.weight.dtype) if key in arrays else _initial(entry.weight, key, 0)
        for key, entry in entries.items()
    }


def _first(found: list[Diagnostic], name: str) -> list[Diagnostic]:
    """The first faults, and how many more there are."""
    if len(found) <= MOST_TOLD:
        return found
    kept, rest = found[: MOST_TOLD - 1], found[MOST_TOLD - 1 :]
    more = f"{len(rest):,} more keys of {name} are missing, unexpected or of another shape"
    return [*kept, Diagnostic(rest[0].id, more, help="mend these first, or give the weights of this network")]


def _prefixed(entries: Mapping[str, Entry], arrays: Mapping[str, np.ndarray], name: str) -> Diagnostic | None:
    """All keys of a file begin alike, and without that they are the network's: as DataParallel and compiled modules save."""
    first = next(iter(arrays), "")
    parts = first.split(".")
    for length in range(1, min(len(parts), 4)):
        prefix = ".".join(parts[:length]) + "."
        if not all(key.startswith(prefix) for key in arrays):
            return None
        bare = {key.removeprefix(prefix) for key in arrays}
        if 2 * len(bare & entries.keys()) > len(entries) > 2 * len(arrays.keys() & entries.keys()):
            return Diagnostic(
                "unexpected-weight",
                f"all {len(arrays):,} keys of {name} begin with `{prefix}`, and this network's do not",
                notes=(f"expected `{first.removeprefix(prefix)}`, found `{first}`",),
                help="take it off in Python, and save that: "
                f'`{{key.removeprefix("{prefix}"): value for key, value in state.items()}}`',
            )
    return None


def _missing(graph: Graph, entry: Entry, candidates: list[str], name: str) -> Diagnostic | None:
    if entry.slot == "num_batches_tracked" or entry.weight.formula is not None:
        return None
    return Diagnostic(
        id="missing-weight",
        message=f"{name} has no `{entry.key}`",
        labels=_labels(graph, entry),
        notes=(
            f"expected {sizes(entry.weight.shape) or 'one number'}, found nothing",
            *_near("nearest there", entry.key, candidates),
        ),
        help=f"label the layers as {name} names them, or give other weights",
    )


def _unexpected(key: str, known: list[str], arrays: Mapping[str, np.ndarray], name: str) -> Diagnostic:
    return Diagnostic(
        id="unexpected-weight",
        message=f"`{key}` of {name} belongs to no layer",
        notes=(
            f"expected no such key, found {sizes(arrays[key].shape) or 'one number'}",
            *_near("nearest here", key, known),
        ),
        help="add the layer it belongs to, or take it out of the file",
    )


def _mismatch(graph: Graph, entry: Entry, array: np.ndarray, name: str) -> Diagnostic | None:
    numbers = "iu" if entry.weight.dtype.startswith("int") else "fiu"
    if tuple(array.shape) != entry.weight.shape:
        kind, wanted, found = "shape", sizes(entry.weight.shape) or "one number", sizes(array.shape) or "one number"
    elif entry.slot == "num_batches_tracked" and array.dtype.kind == "f" and float(array).is_integer():
        # A count that went through `.half()` or a conversion of all tensors is still a count.
        return None
    elif array.dtype.kind not in numbers:
        kind, wanted, found = "type", entry.weight.dtype, array.dtype.name
    elif (other := _other_number(entry, array)) is not None:
        kind, wanted, found = "number", *other
    else:
        return None
    return Diagnostic(
        id="weight-mismatch",
        message=f"`{entry.key}` of {name} has another {kind}",
        labels=_labels(graph, entry),
        notes=(f"expected {wanted}, found {found}",),
        help=_parameter(graph, entry, tuple(array.shape))
        or "give the weights of this network, or change the layer's arguments",
    )


def _parameter(graph: Graph, entry: Entry, found: tuple[int, ...]) -> str | None:
    """The command that gives the network the head of these weights, where only the number of outputs differs and the layer
    takes it from a parameter of the file or the model: `FC(classes)`."""
    span = graph.span(graph[entry.node])
    named = re.fullmatch(r"\w+\((\w+)\)", span.text) if span else None
    if span is None or named is None or not found or found[1:] != entry.weight.shape[1:]:
        return None
    if not re.search(rf"^\s*(?:param\s+|model\s+\w+\(.*\b){named[1]}\b", span.source.text, re.MULTILINE):
        return None
    return f"say `-P {named[1]}={found[0]}` for the network that these weights are of, or give other weights"


def _other_number(entry: Entry, array: np.ndarray) -> tuple[str, str] | None:
    """The first number that is not the one which the network's text says, beside that one; None where all are."""
    if entry.weight.formula is None:
        return None
    computed = _initial(entry.weight, entry.key, 0).reshape(-1)
    given = array.reshape(-1)
    places = (given != computed).nonzero()[0]
    if len(places) == 0:
        return None
    return f"{computed[places[0]]} at place {places[0]:,}", f"{given[places[0]]}"


def _labels(graph: Graph, entry: Entry) -> tuple[Label, ...]:
    span = graph.span(graph[entry.node])
    return (Label(span, f"`{entry.key}` is {sizes(entry.weight.shape) or 'one number'}"),) if span else ()


def _near(title: str, key: str, candidates: list[str]) -> tuple[str, ...]:
    near = alike(key, candidates)
    return (f"{title}: {', '.join(near)}",) if near else ()
