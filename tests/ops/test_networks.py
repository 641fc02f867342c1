"""Guards `ops/`. The networks that the language is shown by, from text to numbers: PyTorch and both of TVM's ways
agree."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.program.plain import activations
from cnndsl.pipeline import parse_text

NETWORKS = {
    "residual block": (
        "input 64×9×8\nadd{ Conv3x3(64) → BN → ReLU → Conv3x3(64) → BN | id } → ReLU",
        (64, 9, 8),
    ),
    "u-net": (
        """
        input 3×32×24
        param classes: int = 5
        block Double(c) { [Conv3x3(c) → BN → ReLU]×2 }
        Double(16) as e1 → MaxPool → Double(32) as e2 → MaxPool → Double(64)
        → ConvT2x2(32, stride=2) → cat{ e2 | id } → Double(32) → ConvT2x2(16, stride=2) → cat{ e1 | id } → Double(16)
        → Conv1x1(classes)
        """,
        (5, 32, 24),
    ),
    "u-net that upsamples": (
        """
        input 3×31×24
        Conv3x3(8) → ReLU as e1 → MaxPool3x3(2, 1) → Conv3x3(16) → ReLU as e2 → MaxPool → Conv3x3(32) → ReLU
        → Upsample(2, bilinear) → Conv1x1(16) → cat{ e2 | id } → Conv3x3(16) → Upsample(like=e1) → cat{ e1 | id }
        → Conv1x1(5)
        """,
        (5, 31, 24),
    ),
    "u-net that crops": (
        """
        input 1×40×40
        Conv3x3(8, pad=valid) → ReLU as e1 → MaxPool → Conv3x3(16, pad=valid) → ReLU → Upsample as up
        → cat{ e1 → Crop(like=up) | id } → Conv3x3(4)
        """,
        (4, 34, 34),
    ),
    "dense block": (
        "input 16×9×8\n[ cat{ id | BN → ReLU → Conv1x1(128) → BN → ReLU → Conv3x3(32) } ]×6",
        (208, 9, 8),
    ),
    "shuffle unit": (
        """
        block Unit {
          (kept, changed) = in → Split(2)
          cat{ kept | changed → branch2: [ Conv1x1 → BN → ReLU → DWConv3x3 → BN → Conv1x1 → BN → ReLU ] }
          → ChannelShuffle(2)
        }
        input 24×9×8
        Unit×2
        """,
        (24, 9, 8),
    ),
    "shortcut without weights": (
        "input 16×8×8\nadd{ Conv3x3(32, stride=2) → BN | MaxPool1x1(2) → cat{ Zeros(8) | id | Zeros(8) } } → ReLU",
        (32, 4, 4),
    ),
    "super-resolution": (
        "input 1×12×12\nConv5x5(16) → Tanh → Conv3x3(9) → PixelShuffle(3) → PixelUnshuffle(2) → Pad(1, reflect) → Roll((1, -2))",
        (4, 20, 20),
    ),
    "attention over channels": (
        "input 8×6×6\nReshape(8, 36) as flat → matmul{ id | Permute(1, 0) } → Softmax → matmul{ id | flat } → Reshape(8, 6, 6)",
        (8, 6, 6),
    ),
    "maxout": ("input 8×6×6\nsub{ max{ id | Conv1x1(8) } | mean{ Conv1x1(8) | ReLU | id } }", (8, 6, 6)),
}


@pytest.mark.tvm
@pytest.mark.parametrize("name", NETWORKS)
def test_torch_and_tvm_agree(name: str) -> None:
    text, shape = NETWORKS[name]
    graph = parse_text(text).graph
    generator = torch.Generator().manual_seed(2)
    network = to_torch(graph).eval()
    for key, value in network.state_dict().items():
        if key.endswith(("running_mean", "running_var")):
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    x = torch.randn(2, *graph.inputs[0].type.shape, generator=generator)
    with torch.inference_mode():
        expected = network(x).numpy()
    assert expected.shape == (2, *shape)
    weights = {key: value.numpy() for key, value in network.state_dict().items()}
    plain = activations(graph, weights, {graph.inputs[0].name: x.numpy()})[graph.outputs[0].node]
    fast = build(graph, weights, batch=2)(x.numpy())
    scale = np.abs(expected).max()
    for found in (plain, fast):
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 1e-5 * scale
