"""Random programs become PyTorch modules and come back as the same network: the same graph, or the same outputs in other words."""

from __future__ import annotations

import os

import torch
from hypothesis import HealthCheck, assume, given, settings

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.diagnostics.errors import CnnError
from cnndsl.importing.from_torch import import_module
from cnndsl.pipeline import parse_text
from tests.importing.same_graph import difference
from tests.random_programs import networks

REFUSED = {"Const", "Fold", "RelPos", "RelPosIndex", "Reorder", "Unfold", "Weight"}
COUNT = int(os.environ.get("CNNDSL_IMPORTS", "10"))


@settings(
    max_examples=COUNT,
    deadline=None,
    derandomize=COUNT == 10,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(networks())
def test_a_random_program_comes_back_from_pytorch(text: str) -> None:
    try:
        graph = parse_text(text, "random.cnn").graph
    except CnnError:
        # The strategy writes programs that mean something; a few of them shrink a map to nothing.
        assume(False)
    assume(graph.nodes)
    # Layers that no pattern finds, or not in every place: what `test_layers.py` lists as refused.
    assume(not {node.op.word for node in graph.nodes} & REFUSED)
    with torch.device("meta"):
        module = to_torch(graph).eval()
    inputs = [(i.type.shape, i.type.dtype) for i in graph.inputs]
    if difference(graph, import_module(module, inputs, "random", "a program").graph) != "":
        # Other words may say the same, as `Mean(0)` of tokens and `GlobalAvgPool`: then the outputs are the same. Importing a
        # module with numbers compares them, and raises where they differ.
        report = import_module(to_torch(graph).eval(), inputs, "random", "a program").report
        assert report.max_rel_error is not None
