"""A network as the objects that other Python tools work with: a `graphviz.Source`, a graph of NetworkX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from cnndsl.analyses.cost import cost
from cnndsl.analyses.params import params
from cnndsl.backends.drawing.draw import check_theme
from cnndsl.backends.drawing.formats.graphviz import Style, to_dot
from cnndsl.diagnostics.errors import MissingPart
from cnndsl.diagnostics.extras import how_to_install
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import graphviz
    import networkx


def to_graphviz(graph: Graph, **style: Unpack[Style]) -> graphviz.Source:
    """The diagram as a `graphviz.Source`; options as for `to_dot`. A notebook shows it, and its `render` writes files, both
    with the program `dot`. Raises `CnnError` (theme-without-reader) for the theme `auto`, `MissingPart` without the package graphviz."""
    try:
        from graphviz import Source
    except ImportError:
        raise MissingPart("a `graphviz.Source` takes the package graphviz", how_to_install("draw")) from None
    check_theme(".dot", style.get("theme", "light"))
    return Source(to_dot(graph, **style))


def to_networkx(graph: Graph) -> networkx.MultiDiGraph:
    """The graph with a node for each input and each layer, and an arrow for each tensor that a layer reads, in the order of
    its arguments (`argument`, from 0; a layer may read a tensor twice).

    Nodes are called as in the network and have `kind` (`"input"` or the layer's word), `text` (the layer with its arguments), `shape`,
    `dtype`, `params` (trained), `macs`, `weights_of` (the layer whose weights it uses). The graph itself has `name`, `outputs` and
    `training_outputs`, dicts from an output's name to the node. Raises `MissingPart` without NetworkX."""
    try:
        from networkx import MultiDiGraph
    except ImportError:
        raise MissingPart("a graph of NetworkX takes NetworkX", how_to_install("draw")) from None
    trained, work = params(graph), cost(graph)
    ends = {kind: {o.name: o.node for o in graph.outputs if o.training is kind} for kind in (False, True)}
    made = MultiDiGraph(name=graph.name, outputs=ends[False], training_outputs=ends[True])
    for given in graph.inputs:
        made.add_node(given.name, kind="input", shape=given.type.shape, dtype=given.type.dtype)
    for node in graph.nodes:
        state, products = trained.get(node.name), work.get(node.name)
        made.add_node(
            node.name,
            kind=node.op.word,
            text=node.op.text(),
            shape=node.type.shape,
            dtype=node.type.dtype,
            params=state.trained if state else 0,
            macs=products.macs if products else 0,
            weights_of=node.weights_of,
        )
        for place, name in enumerate(node.inputs):
            made.add_edge(name, node.name, argument=place)
    return made
