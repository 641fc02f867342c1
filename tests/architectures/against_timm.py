"""timm as an oracle of whole networks: its weights, operations, settings and outputs, and ours."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from cnndsl import pipeline
from cnndsl.analyses.summary import summarize
from tests.oracle import torchvision_models


def timm() -> Any:
    """The library; the test is skipped where it is not installed beside torchvision."""
    torchvision_models()
    return pytest.importorskip("timm")


def created(name: str) -> Any:
    """timm's network of that name, in evaluation mode, with its attention in steps that can be counted."""
    network = timm().create_model(name).eval()
    for part in network.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = False
    return network


@cache
def outline(name: str) -> Any:
    """The same without memory for its weights."""
    import torch

    timm()
    with torch.device("meta"):
        return created(name)


def assert_same_weights_and_operations(name: str) -> None:
    """Keys in order, shapes, dtypes, parameters, the image's size, and multiply-adds as PyTorch counts them."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    graph, theirs = pipeline.load(name).graph, outline(name)
    state = [
        (key, tuple(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in theirs.state_dict().items()
    ]
    assert [(entry.key, entry.weight.shape, entry.weight.dtype) for entry in graph.weights] == state
    shape = graph.inputs[0].type.shape
    assert shape == theirs.pretrained_cfg["input_size"]
    totals = summarize(graph).totals
    assert totals.params == sum(p.numel() for p in theirs.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        theirs(torch.empty(1, *shape, device="meta"))
    assert totals.macs == counter.get_total_flops() // 2


def assert_same_settings(name: str) -> None:
    """What no weight shows: what norms add to the variance, and how fast their statistics move."""
    theirs = dict(outline(name).named_modules())
    for node in pipeline.load(name).graph.nodes:
        for word in ("eps", "momentum"):
            if hasattr(node.op, word):
                assert getattr(node.op, word) == getattr(theirs[node.name.partition("@")[0]], word), node.name


def assert_same_outputs(name: str, size: tuple[int, int]) -> None:
    """With one set of weights, drawn as training might leave them, for one image of that height and width."""
    import torch

    from cnndsl.backends.pytorch.live.module import to_torch

    torch.manual_seed(0)
    theirs = created(name)
    with torch.no_grad():
        for key, value in theirs.state_dict().items():
            # What begins equal for all channels would hide an exchange of them, and zeros what stands before them.
            if key.endswith("running_mean"):
                value.normal_(0, 0.1)
            elif value.dtype.is_floating_point and value.ndim < 2:
                value.uniform_(0.5, 1.5)
    ours = to_torch(pipeline.load(name, {}, {"": f"3x{size[0]}x{size[1]}"}).graph).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(1, 3, *size)
    with torch.no_grad():
        found, expected = ours(x), theirs(x)
    assert found.shape == expected.shape
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= 1e-5
