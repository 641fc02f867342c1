"""Guards `analyses/params.py`, `analyses/cost.py`, `analyses/memory.py` and `analyses/depth.py`. Parameters, work,
memory and depth against torch, and against sums done by hand.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from cnndsl.analyses import cost, params
from cnndsl.analyses.cost import Cost
from cnndsl.analyses.depth import depth
from cnndsl.analyses.memory import Memory, memory
from cnndsl.analyses.params import Params
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.ir.graph import Graph, Output
from cnndsl.ops.add import Add
from cnndsl.ops.bn import BN
from cnndsl.ops.conv import Conv
from cnndsl.ops.dropout import Dropout
from cnndsl.ops.dw_conv import DWConv
from cnndsl.ops.fc import FC
from cnndsl.ops.flatten import Flatten
from cnndsl.ops.global_avg_pool import GlobalAvgPool
from cnndsl.ops.identity import Identity
from cnndsl.ops.relu import ReLU
from cnndsl.pipeline import parse_text
from tests.graphs import Step, graph

RESIDUAL: list[Step] = [
    ("a", Conv(channels=8, window=3, groups=2), ("x",)),
    ("bn", BN(), ("a",)),
    ("relu", ReLU(), ("bn",)),
    ("dw", DWConv(window=3, multiplier=2, bias=False), ("relu",)),
    ("b", Conv(channels=4, window=1), ("dw",)),
    ("add", Add(), ("b", "x")),
    ("pool", GlobalAvgPool(), ("add",)),
    ("flat", Flatten(), ("pool",)),
    ("drop", Dropout(), ("flat",)),
    ("fc", FC(units=5), ("drop",)),
]


@pytest.fixture
def network() -> Graph:
    return graph({"x": (4, 6, 7)}, RESIDUAL)


def test_parameters_and_buffers_are_those_of_the_module(network: Graph) -> None:
    module: Any = to_torch(network)
    found = params.params(network)
    assert params.total(found).trained == sum(p.numel() for p in module.parameters())
    assert params.total(found).buffers == sum(b.numel() for b in module.buffers()) == 17
    assert params.total(found).bytes == sum(t.numel() * t.element_size() for t in module.state_dict().values())
    assert found["bn"] == Params(trained=16, buffers=17, trained_bytes=64, buffer_bytes=72)
    assert found["bn"].total == 33
    assert "relu" not in found


def test_macs_are_half_of_torchs_flops(network: Graph) -> None:
    module: Any = to_torch(network).eval()
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(1, 4, 6, 7))
    assert 2 * cost.total(cost.cost(network)).macs == counter.get_total_flops()


def test_flops_add_one_for_every_other_operation(network: Graph) -> None:
    work = cost.cost(network)
    at = 6 * 7
    assert work["a"] == Cost(macs=8 * at * 2 * 9, flops=2 * 8 * at * 2 * 9 + 8 * at)
    assert work["bn"] == work["relu"] == Cost(0, 8 * at)
    assert work["dw"] == Cost(16 * at * 9, 2 * 16 * at * 9)
    assert work["add"] == work["pool"] == Cost(0, 4 * at)
    assert work["flat"] == work["drop"] == Cost(0, 0)
    assert work["fc"] == Cost(20, 45)


def test_shared_weights_count_once_and_shared_work_each_time() -> None:
    network = parse_text("input x: 4×8×8\nshare head = Conv3x3(4)\nin → head → ReLU → head").graph
    module: Any = to_torch(network)
    assert params.total(params.params(network)).trained == sum(p.numel() for p in module.parameters()) == 148
    assert cost.total(cost.cost(network)).macs == 2 * 4 * 4 * 9 * 64
    assert depth(network) == 2


def test_training_heads_have_parameters_and_no_work() -> None:
    both = graph(
        {"x": (2, 5)}, [("a", Conv(window=3), ("x",)), ("aux", Conv(window=5), ("a",)), ("b", Conv(window=1), ("aux",))]
    )
    network = both.model_copy(
        update={"outputs": (Output(name="a", node="a"), Output(name="b", node="b", training=True))}
    )
    assert params.total(params.params(network)) == params.total(params.params(both))
    assert cost.cost(network) == {"a": Cost(60, 130)}
    assert depth(network) == 1
    assert depth(both) == 3
    needs, trained = memory(network, Params()), memory(both, Params())
    assert (needs.activations, needs.training) == (10, trained.training)


def test_peak_memory_of_a_chain_is_its_largest_pair() -> None:
    steps: list[Step] = [
        ("a", Conv(channels=8, window=1), ("x",)),
        ("b", Conv(channels=2, window=1), ("a",)),
        ("c", Conv(channels=16, window=1), ("b",)),
        ("d", Conv(channels=1, window=1), ("c",)),
    ]
    found = memory(graph({"x": (1, 10)}, steps), Params(trained=3, buffers=1, trained_bytes=12, buffer_bytes=8))
    # 10 floats a channel; the input's 40 bytes stay with the caller; c and d are alive together.
    assert found == Memory(
        activations=270, activation_bytes=1080, live=40 + 40 * 18, inference=20 + 40 + 720, training=20 + 12 + 40 + 1080
    )


def test_what_is_read_later_stays_alive_and_outputs_stay_to_the_end() -> None:
    steps: list[Step] = [
        ("a", ReLU(), ("x",)),
        ("b", ReLU(), ("a",)),
        ("c", ReLU(), ("b",)),
        ("add", Add(), ("c", "a")),
        ("e", ReLU(), ("add",)),
    ]
    assert memory(graph({"x": (10,)}, steps), Params()).live == 4 * 40
    assert memory(graph({"x": (10,)}, steps, outputs=("b", "e")), Params()).live == 5 * 40


def test_views_share_memory_in_inference_and_a_dropout_has_its_own_in_training() -> None:
    steps: list[Step] = [
        ("a", ReLU(), ("x",)),
        ("flat", Flatten(), ("a",)),
        ("id", Identity(), ("flat",)),
        ("drop", Dropout(), ("id",)),
        ("b", FC(units=10), ("drop",)),
    ]
    found = memory(graph({"x": (2, 5)}, steps), Params())
    assert found == Memory(activations=20, activation_bytes=80, live=120, inference=120, training=160)
    # A view of the input that leaves the network takes nothing.
    assert memory(graph({"x": (2, 5)}, [("flat", Flatten(), ("x",))]), Params()).live == 40


def test_the_peak_is_what_a_count_of_live_tensors_finds(network: Graph) -> None:
    """By definition, step by step: what has been made and is still needed, a view standing for what it looks at."""
    views = {"flat": "pool", "drop": "pool"}
    order = [node.name for node in network.nodes]
    reads = {node.name: {views.get(name, name) for name in node.inputs} for node in network.nodes}
    most = 0
    for step, _ in enumerate(order):
        made = {views.get(name, name) for name in order[: step + 1]}
        needed = {name for later in order[step:] for name in reads[later]} | {views.get(order[step], order[step]), "fc"}
        most = max(most, sum(network.types[name].bytes for name in made & needed))
    assert memory(network, Params()).live == most + network.inputs[0].type.bytes


def test_depth_counts_layers_with_weights_but_no_norms(network: Graph) -> None:
    assert depth(network) == 4
