"""Guards `drawing/objects.py`: what other Python tools get is the network, figure by figure."""

from __future__ import annotations

import networkx as nx
import pytest

import cnndsl
from cnndsl.diagnostics.errors import CnnError


def test_graphviz_gets_the_diagram() -> None:
    graphviz = pytest.importorskip("graphviz")
    net = cnndsl.load("lenet5")
    made = net.to_graphviz(depth=1, direction="LR")
    assert isinstance(made, graphviz.Source)
    assert made.source == cnndsl.to_dot(net.graph, depth=1, direction="LR")
    with pytest.raises(CnnError, match="theme-without-reader"):
        net.to_graphviz(theme="auto")


@pytest.mark.parametrize("name", ["resnet18", "inception_v3"])
def test_networkx_gets_every_layer_and_every_tensor(name: str) -> None:
    net = cnndsl.load(name)
    made = net.to_networkx()
    assert nx.is_directed_acyclic_graph(made)
    assert sum(look.get("params", 0) for _, look in made.nodes(data=True)) == net.params
    assert made.number_of_nodes() == len(net.graph.nodes) + len(net.graph.inputs)
    for node in net.graph.nodes:
        read = sorted((data["argument"], tail) for tail, _, data in made.in_edges(node.name, data=True))
        assert [tail for _, tail in read] == list(node.inputs)
        assert made.nodes[node.name]["shape"] == node.type.shape
    outputs = {**made.graph["outputs"], **made.graph["training_outputs"]}
    assert outputs == {output.name: output.node for output in net.graph.outputs}


def test_a_tensor_that_is_read_twice_has_two_arrows() -> None:
    made = cnndsl.parse("input 3×8×8\nadd{ id | id }").to_networkx()
    (join,) = [name for name, look in made.nodes(data=True) if look["kind"] == "add"]
    assert made.number_of_edges("input", join) == 2
