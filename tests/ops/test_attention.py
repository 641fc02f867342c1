"""Guards `ops/attention.py`, `ops/ln.py` and `ops/pos_embed.py`. Vision transformers against torchvision's: keys, order,
shapes, sums, and values of the same weights."""

from __future__ import annotations

import pytest
import torch

from cnndsl.analyses.receptive_field import receptive_fields
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.backends.pytorch.writing.source import to_source
from cnndsl.backends.tvm.build import build
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import parse_text
from tests.oracle import torchvision_models

VIT = """
block Encoder(heads, mlp) {
  add{ id | ln_1: LN(1e-6) → self_attention: Attention(heads) → Dropout(0.0) }
  → add{ id | ln_2: LN(1e-6) → mlp: [Linear(mlp) → GELU → Dropout(0.0) → Linear(in.channels) → Dropout(0.0)] }
}
model ViT(size, patch, depth, heads, width, mlp, classes) {
  input 3×(size)×(size)
  conv_proj: Conv(width, stride=patch, pad=valid, window=patch) → ToTokens → class_token: ClassToken
  → encoder: [
      pos_embedding: PosEmbed → Dropout(0.0)
      → layers: [encoder_layer_{i}: Encoder(heads, mlp) for i in 0..(depth - 1)]
      → ln: LN(1e-6)
    ]
  → Slice(0, 1) → Flatten → heads: [head: FC(classes)]
}
model vit_b_16 = ViT(224, 16, 12, 12, 768, 3072, 1000)
model small = ViT(32, 8, 2, 4, 32, 64, 10)
"""


def written(model: str) -> Graph:
    return parse_text(f"{VIT}model main = {model}").graph


def macs(graph: Graph) -> int:
    return sum(node.op.macs(graph.input_types(node), node.type) for node in graph.nodes)


def test_vit_b_16_is_torchvisions() -> None:
    graph = written("ViT(224, 16, 12, 12, 768, 3072, 1000)")
    with torch.device("meta"):
        state = torchvision_models().vit_b_16().state_dict()
    assert [(e.key, e.weight.shape) for e in graph.weights] == [(k, tuple(v.shape)) for k, v in state.items()]
    assert sum(e.weight.elements for e in graph.weights) == 86_567_656
    # torchvision publishes 17.564 GMAC.
    assert macs(graph) == 17_563_828_224


@pytest.mark.tvm
def test_the_same_weights_give_the_same_values() -> None:
    vit = torchvision_models().VisionTransformer
    torch.manual_seed(1)
    theirs = vit(32, 8, num_layers=2, num_heads=4, hidden_dim=32, mlp_dim=64, num_classes=10).eval()
    # Its classifier begins with zeros, which would agree with anything.
    torch.nn.init.normal_(theirs.heads.head.weight)
    torch.nn.init.normal_(theirs.class_token)
    graph = written("ViT(32, 8, 2, 4, 32, 64, 10)")
    ours = to_torch(graph).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    names: dict[str, object] = {"__name__": "generated"}
    exec(compile(to_source(graph), "generated.py", "exec"), names)
    text = [v for v in names.values() if isinstance(v, type) and v.__module__ == "generated"][-1]().eval()
    text.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(2, 3, 32, 32)
    weights = {key: value.numpy() for key, value in theirs.state_dict().items()}
    with torch.inference_mode():
        expected = theirs(x)
        torch.testing.assert_close(ours(x), expected, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(text(x), expected, rtol=1e-5, atol=1e-5)
    fast = torch.from_numpy(build(graph, weights, batch=2)(x.numpy()))
    torch.testing.assert_close(fast, expected, rtol=1e-4, atol=1e-4)


def test_tokens_of_a_map_have_no_field_until_attention_sees_all() -> None:
    graph = parse_text("input 3×32×32\nConv8x8(16, 8, pad=valid) → ToTokens → Attention(2) → ToMap(4, 4)").graph
    fields = receptive_fields(graph)
    conv, tokens, attention, back = (fields[node.name] for node in graph.nodes)
    assert conv is not None
    assert conv.size == (8, 8)
    assert tokens is None
    assert attention is not None
    assert (attention.size, attention.state) == ((32, 32), "global")
    assert back is not None
    assert back.state == "global"


def test_tokens_that_arrive_as_tokens() -> None:
    network = (
        "input tokens 9×6\nclass_token: ClassToken → pos: PosEmbed → Attention(2, bias=false) → Slice(0, 1) → Flatten"
    )
    graph = parse_text(network).graph
    assert [(e.key, e.weight.shape) for e in graph.weights] == [
        ("class_token", (1, 1, 6)),
        ("pos", (1, 10, 6)),
        ("2.in_proj_weight", (18, 6)),
        ("2.out_proj.weight", (6, 6)),
    ]
    assert to_torch(graph)(torch.randn(2, 9, 6)).shape == (2, 6)
