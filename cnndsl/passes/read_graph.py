"""Our own IR read back from JSON: nothing that a file claims is believed before it has been worked out again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod
from pathlib import Path

from pydantic import ValidationError

from cnndsl.diagnostics.errors import CnnError, Refusal, fault
from cnndsl.diagnostics.source import Place, Source
from cnndsl.disk.files import open_file
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.tensor import BYTES, TensorType
from cnndsl.ir.weight import Weight
from cnndsl.passes.draft.assembly import MOST_NODES, MOST_SIZE, MOST_WEIGHTS
from cnndsl.syntax.scan import MOST_BYTES

MOST_GRAPH_BYTES = 256_000_000
"""A network of 100 000 nodes with its places takes about 60 MB."""

_PART = r"[A-Za-z0-9_-]+"
_NODE = re.compile(rf"{_PART}(\.{_PART})*(@\d+)?")
_PORT = re.compile(rf"[A-Za-z_]\w*|{_NODE.pattern}", re.ASCII)


def read_graph(data: bytes, name: str) -> Graph:
    """The graph of a JSON text that `Graph.model_dump_json` wrote; `name` is the file's, for what is said of it.

    Names, order, types, weights and places are checked against the layers themselves. Raises CnnError (`not-a-graph`).
    """
    if len(data) > MOST_GRAPH_BYTES:
        raise _refused(name, f"it has {len(data):,} bytes, and at most {MOST_GRAPH_BYTES:,} are read")
    try:
        graph = Graph.model_validate_json(data)
    except (ValidationError, Refusal) as error:
        raise _refused(name, _first(error)) from None
    for why in _faults(graph):
        raise _refused(name, why)
    return graph


def _refused(name: str, why: str) -> CnnError:
    return fault(
        "not-a-graph",
        f"`{name}` holds no network of ours: {why}",
        help="write it again with `cnndsl compile FILE --to ir`",
    )


def _first(error: ValidationError | Refusal) -> str:
    if isinstance(error, Refusal):
        return error.message
    found = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in found["loc"])
    return f"{place}: {found['msg']}" if place else found["msg"]


def _faults(graph: Graph) -> Iterator[str]:
    """What is wrong with a graph, the first thing first: later checks may take earlier ones for granted."""
    yield from _name_faults(graph)
    yield from _frame_faults(graph)
    yield from _node_faults(graph)
    yield from _module_faults(graph)
    yield from _place_faults(graph)


def _name_faults(graph: Graph) -> Iterator[str]:
    if len(graph.nodes) > MOST_NODES:
        yield f"it has {len(graph.nodes):,} nodes, and at most {MOST_NODES:,} are read"
    if not graph.inputs:
        yield "it has no input"
    if not any(not output.training for output in graph.outputs):
        yield "it has no output"
    if not graph.name.isprintable() or not 0 < len(graph.name) <= 255:
        yield "its name is none"
    for title in (frame.title for frame in graph.frames):
        if len(title) > 1000 or any(ord(c) < 32 and c not in "\n\t" for c in title):
            yield "the title of a frame is none"
    for frame in graph.frames:
        if frame.name and not _NODE.fullmatch(frame.name):
            yield f"{frame.name!r} is no scope"
    taken: set[str] = set()
    for pattern, name in [
        *((_PORT, i.name) for i in graph.inputs),
        *((_NODE, n.name) for n in graph.nodes),
    ]:
        if not pattern.fullmatch(name):
            yield f"{name!r} is no name of a tensor"
        if name in taken:
            yield f"two tensors are called `{name}`"
        taken.add(name)
    leaving = [output.name for output in graph.outputs]
    for name in leaving:
        if not _PORT.fullmatch(name) or leaving.count(name) > 1:
            yield f"{name!r} is no name of an output, or of two"


def _frame_faults(graph: Graph) -> Iterator[str]:
    for index, frame in enumerate(graph.frames):
        if frame.parent is not None and not 0 <= frame.parent < index:
            yield f"frame {index} lies in frame {frame.parent}, which is not there yet"
        if not 0 <= frame.round <= frame.rounds <= MOST_NODES * 4:
            yield f"frame {index} is round {frame.round} of {frame.rounds}"
    for node in graph.nodes:
        if node.frame is not None and not 0 <= node.frame < len(graph.frames):
            yield f"`{node.name}` lies in frame {node.frame} of {len(graph.frames)}"


def _node_faults(graph: Graph) -> Iterator[str]:
    types: dict[str, TensorType] = {}
    for entrance in graph.inputs:
        yield from _type_faults(entrance.name, entrance.type)
        types[entrance.name] = entrance.type
    owned: dict[str, tuple[Node, dict[str, Weight]]] = {}
    total = 0
    for node in graph.nodes:
        missing = [name for name in node.inputs if name not in types]
        if missing:
            yield f"`{node.name}` reads `{missing[0]}`, which no earlier node gives"
        # A branch of a merge may be a number, which is no input.
        branches = max(len(node.inputs), len(getattr(node.op, "numbers", ())))
        if not node.inputs or (branches < 2 if node.op.merges else len(node.inputs) != 1):
            yield f"`{node.name}` has {len(node.inputs)} inputs"
        xs = tuple(types[name] for name in node.inputs)
        try:
            made, weights = node.op.infer(xs), node.op.weights(xs)
        except Refusal as refusal:
            yield f"`{node.name}` cannot be: {refusal.message}"
            return
        if made != node.type:
            yield f"`{node.name}` is said to be {node.type} {node.type.dtype}, and is {made} {made.dtype}"
        yield from _type_faults(node.name, made)
        types[node.name] = made
        if node.owns_weights:
            owned[node.name] = node, weights
            total += sum(prod(weight.shape) for weight in weights.values())
        elif node.weights_of not in owned:
            yield f"`{node.name}` has its weights of `{node.weights_of}`, which no earlier node is"
        elif (owned[node.weights_of][0].op, owned[node.weights_of][1]) != (node.op, weights):
            yield f"`{node.name}` cannot have the weights of `{node.weights_of}`"
    if total > MOST_WEIGHTS:
        yield f"it has {total:,} weights, and at most 2^40 are read"
    for output in graph.outputs:
        if output.node not in types:
            yield f"the output `{output.name}` is of `{output.node}`, which is not there"


def _type_faults(name: str, type: TensorType) -> Iterator[str]:
    if type.dtype not in BYTES:
        yield f"`{name}` is of an unknown type {type.dtype!r}"
    if not type.shape or not all(1 <= size <= MOST_SIZE for size in type.shape):
        yield f"`{name}` has the shape {type.shape}"
    if not 0 <= type.channel_axis < len(type.shape):
        yield f"`{name}` has its channels on axis {type.channel_axis}"


def _module_faults(graph: Graph) -> Iterator[str]:
    owners = {node.name for node in graph.nodes if node.owns_weights}
    if len(set(graph.modules)) != len(graph.modules) or not set(graph.modules) <= owners:
        yield "its modules are not nodes with weights of their own, each once"
    weighty = {node.name for node in graph.nodes if node.owns_weights and graph.node_weights(node)}
    if not weighty <= set(graph.modules):
        yield f"`{min(weighty - set(graph.modules))}` is missing among its modules"
    keys = [entry.key for entry in graph.weights]
    if len(set(keys)) != len(keys):
        yield "two weights have one key"


def _place_faults(graph: Graph) -> Iterator[str]:
    if sum(map(len, graph.sources.values())) > 64 * MOST_BYTES:
        yield "its texts are longer than any program"
    texts = {name: (Source(name, text), text.count("\n") + 1) for name, text in graph.sources.items()}
    places = [node.place for node in graph.nodes] + [frame.place for frame in graph.frames]
    for place in places:
        if place is not None and place.file in texts and not _lies_in(place, *texts[place.file]):
            yield f"line {place.line} column {place.column} is not in `{place.file}`"


def _lies_in(place: Place, source: Source, lines: int) -> bool:
    if not 1 <= place.line <= place.end_line <= lines or min(place.column, place.end_column) < 1:
        return False
    span = place.span(source)
    return 0 <= span.start <= span.end <= len(source.text)


def read_graph_file(path: Path, *, altered: bool) -> Graph:
    """The graph of a JSON file; `altered` says that parameters or sizes were given, which come too late for it.

    Raises CnnError (`unknown-parameter` for these, besides those of `read_graph`).
    """
    if altered:
        raise fault(
            "unknown-parameter",
            f"`{path}` is a network that has been built: its parameters and sizes are settled",
            help="give them where it is built: `cnndsl compile FILE -P name=value --to ir`",
        )
    with open_file(path) as stream:
        return read_graph(stream.read(MOST_GRAPH_BYTES + 1), str(path))
