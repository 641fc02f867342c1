"""An ONNX file as a `.cnn` program, its outputs compared with ONNX Runtime's where that is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnndsl.importing.files import import_trace
from cnndsl.importing.imported import Imported
from cnndsl.importing.proving.proof import Agreement
from cnndsl.importing.readers.onnx.layers import LAYERS
from cnndsl.importing.readers.onnx.model import Model, entering, is_ranked, model_of, read_proto
from cnndsl.importing.readers.onnx.part import part
from cnndsl.importing.readers.onnx.plain import PLAIN
from cnndsl.importing.readers.onnx.reader import Reader, entered
from cnndsl.importing.refuse import EXPORT_AGAIN, MISFITS, REPLACE, Unread, refusal, unreadable
from cnndsl.importing.trace import Trace
from cnndsl.ir.graph import Graph

Sizes = Mapping[str, tuple[int, ...]]


def trace_model(model: Model, sizes: Sizes, name: str) -> Trace:
    """The trace of a model. Raises `Unread`, and `CnnError` (cannot-import) for operations that have no translation."""
    reader = Reader(model, sizes, {**LAYERS, **PLAIN})
    try:
        trace = reader.trace()
    except MISFITS as error:
        raise Unread("its operations do not fit each other", EXPORT_AGAIN) from error
    if reader.lacks:
        ends = (
            " ".join(f"--to '{name}'" for name in dict.fromkeys(reader.before)) if len(set(reader.before)) <= 4 else ""
        )
        raise refusal(name, reader.lacks, f"{REPLACE}: `{ends}`" if ends else REPLACE)
    return replace(trace, name=name)


def import_onnx(
    path: Path,
    sizes: Sizes,
    *,
    forms: Sequence[str] = (),
    starts: Sequence[str] = (),
    ends: Sequence[str] = (),
) -> Imported:
    """The program of an ONNX file, or of the part of it from the tensors `starts` to the tensors `ends`. `sizes` are those
    that it leaves open, by input, "" for the first; of the first start where there are starts. Raises `CnnError`
    (cannot-import, file-not-found) and `MissingPart`."""
    try:
        proto = read_proto(path)
        if starts or ends:
            proto = _part(proto, path.parent, sizes, starts, ends)
        trace = trace_model(model_of(proto, path.parent), sizes, _name(path))
    except Unread as why:
        raise unreadable(path.name, why) from why

    def compare(graph: Graph, keys: Mapping[str, str], names: Mapping[str, str]) -> Agreement:
        try:
            from cnndsl.importing.proving.onnx_runtime import Source, compared
        except ImportError:
            return Agreement(None, None)
        whole = None if starts or ends else path
        return compared(Source(proto, path.parent, whole), trace, graph, keys, names)

    return import_trace(trace, path.name, compare, forms=forms)


def _part(proto: Any, folder: Path, sizes: Sizes, starts: Sequence[str], ends: Sequence[str]) -> Any:
    """The part between tensors; where a file does not say how large they are, ONNX Runtime does."""
    cut = part(proto, starts, ends, {})
    given = {**sizes, starts[0]: sizes[""]} if starts and "" in sizes else sizes
    wholes: dict[str, tuple[int, ...]] = {}
    unknown = []
    for value in cut.graph.input:
        found = entering(value)[2] if is_ranked(value) else None
        if value.name in starts and value.name in given and found is None:
            wholes[value.name] = (1, *given[value.name])
        elif value.name in starts and value.name not in given and (found is None or None in found):
            unknown.append(value.name)
    if unknown:
        wholes |= _measured(proto, folder, sizes, unknown)
    return part(proto, starts, ends, wholes) if wholes else cut


def _measured(proto: Any, folder: Path, sizes: Sizes, names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The shapes of tensors inside of a network, which ONNX Runtime computes. Raises `Unread`."""
    before = part(proto, (), names, {})
    kinds = [entering(value) for value in before.graph.input]
    known = {name: size for name, size in sizes.items() if name}
    found = None
    inputs = list(entered(kinds, known))
    try:
        from cnndsl.importing.proving.onnx_runtime import Source, drawn
    except ImportError:
        pass
    else:
        given = {tensor.name: drawn(tensor).numpy() for tensor in inputs}
        found = Source(before, folder).run(given, names)
    if found is None:
        raise Unread(
            f"it does not say the size of `{names[0]}`",
            f"say it with `--input {names[0]}=SIZE`, without the batch",
            "found: no sizes of it in the file, and no ONNX Runtime that computes it",
        )
    return {name: tuple(array.shape) for name, array in zip(names, found, strict=True)}


def _name(path: Path) -> str:
    name = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in path.stem)
    return name or "network"
