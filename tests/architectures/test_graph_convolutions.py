"""Guards `architectures/graph_convolutions.cnn`: its four blocks against the formulas of the papers, written in torch, and
the weights of PyTorch Geometric's dense layers.
"""

from __future__ import annotations

from typing import Any

import pytest

from cnndsl import load

UNITS = {"gcn": "GCN(6)", "graphsage": "GraphSAGE(6)", "gin": "GIN(6)", "gat": "GAT(3, 2)"}
PROGRAM = """
use {block} from graph_convolutions
model one {{
  input atoms: tokens 7×5
  input adjacency: tokens 7×7
  (atoms, adjacency) → unit: {unit}
}}
"""


def weights(entries: Any) -> dict[str, Any]:
    return {key.removeprefix("unit."): value for key, value in entries.items()}


def by_the_paper(name: str, w: dict[str, Any], x: Any, adjacency: Any) -> Any:
    """What the unit gives for the atoms x, graph by graph and atom by atom."""
    import torch

    n = x.shape[1]
    looped = torch.maximum(adjacency, torch.eye(n))
    if name == "gcn":
        degree = looped.sum(2)
        weighed = looped / (degree[:, :, None] * degree[:, None, :]).sqrt()
        return weighed @ x @ w["lin.weight"].T + w["bias"]
    if name == "graphsage":
        mean = adjacency @ x / adjacency.sum(2, keepdim=True).clamp(min=1)
        return mean @ w["lin_rel.weight"].T + x @ w["lin_root.weight"].T + w["lin_root.bias"]
    if name == "gin":
        summed = (1 + w["eps"]) * x + adjacency @ x
        hidden = torch.relu(summed @ w["nn.0.weight"].T + w["nn.0.bias"])
        return hidden @ w["nn.2.weight"].T + w["nn.2.bias"]
    heads, channels = w["att_src"].shape[2:]
    values = (x @ w["lin.weight"].T).view(-1, n, heads, channels)
    source, target = (values * w["att_src"]).sum(3), (values * w["att_dst"]).sum(3)
    scores = torch.nn.functional.leaky_relu(target[:, :, None] + source[:, None], 0.2)
    weighed = scores.masked_fill(looped[..., None] == 0, float("-inf")).softmax(2)
    return torch.einsum("bijh,bjhc->bihc", weighed, values).flatten(2) + w["bias"]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_the_formula_of_its_paper(name: str, tmp_path: Any) -> None:
    import torch

    torch.manual_seed(0)
    unit = UNITS[name]
    (tmp_path / "one.cnn").write_text(PROGRAM.format(block=unit.split("(")[0], unit=unit), encoding="utf-8")
    ours = load(tmp_path / "one.cnn").to_torch().eval()
    for value in ours.parameters():
        torch.nn.init.normal_(value)
    bonds = torch.triu((torch.rand(3, 7, 7) < 0.3).float(), 1)
    x, adjacency = torch.randn(3, 7, 5), bonds + bonds.mT
    # The last atom of each graph has no bond.
    adjacency[:, -1], adjacency[:, :, -1] = 0, 0
    with torch.no_grad():
        expected = by_the_paper(name, weights(ours.state_dict()), x, adjacency)
        found = ours(x, adjacency)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("name", UNITS)
def test_weights_are_those_of_the_dense_layers_of_pytorch_geometric(name: str) -> None:
    """Keys, order and shapes of DenseGCNConv, DenseSAGEConv, DenseGINConv and DenseGATConv of torch_geometric 2.8.1."""
    theirs = {
        "gcn": [("bias", (32,)), ("lin.weight", (32, 4))],
        "graphsage": [("lin_rel.weight", (32, 4)), ("lin_root.weight", (32, 4)), ("lin_root.bias", (32,))],
        "gin": [
            ("eps", (1,)),
            ("nn.0.weight", (32, 4)),
            ("nn.0.bias", (32,)),
            ("nn.2.weight", (32, 32)),
            ("nn.2.bias", (32,)),
        ],
        "gat": [
            ("att_src", (1, 1, 2, 32)),
            ("att_dst", (1, 1, 2, 32)),
            ("bias", (64,)),
            ("lin.weight", (64, 4)),
        ],
    }[name]
    first = "convs.0.conv."
    ours = [(e.key, e.weight.shape) for e in load(name).graph.weights if e.key.startswith(first)]
    assert ours == [(first + key, shape) for key, shape in theirs]


@pytest.mark.parametrize("name", UNITS)
def test_the_order_of_the_atoms_does_not_matter(name: str) -> None:
    import torch

    torch.manual_seed(1)
    network = load(name).to_torch().eval()
    bonds = torch.triu((torch.rand(2, 9, 9) < 0.4).float(), 1)
    x, adjacency = torch.randn(2, 9, 4), bonds + bonds.mT
    order = torch.randperm(9)
    with torch.no_grad():
        torch.testing.assert_close(network(x, adjacency), network(x[:, order], adjacency[:, order][:, :, order]))
