"""Random networks of every layer and merge there is, over inputs of none to three axes."""

from __future__ import annotations

import re
from functools import cache

from hypothesis import strategies as st

from cnndsl.errors import CnnError
from cnndsl.ir.op import registry
from cnndsl.pipeline import parse_text

BIGGEST = 20_000
"""Elements of the largest map that a network here grows to."""

SHAPES = ["12", "4×9", "6×24", "3×8×8", "4×9×10", "8×14×15", "16×17×17", "5×5×7", "2×4×6×6", "3×5×5×5"]

OWN = [
    "Conv3x3(16, groups=2)",
    "Conv1x1(20)",
    "Conv3x3(32) → BN → ReLU",
    "Conv3x3(8, stride=2)",
    "Conv5(7, dilation=2)",
    "DWConv3x3 → BN → ReLU6 → Conv1x1(24) → BN",
    "ConvT4x4(6, stride=2, pad=1)",
    "add{ id | Conv3x3(in.channels) → BN }",
    "add{ Conv1x1(18) → BN | Conv3x3(18) → BN → ReLU }",
    "cat{ Conv1x1(16) | Conv3x3(16) | MaxPool3x3(1, 1) }",
    "cat{ id | BN → ReLU → Conv3x3(12) }",
    "mul{ id | GlobalAvgPool → Conv1x1(4) → ReLU → Conv1x1(in.channels) → Sigmoid }",
    "[Conv3x3(10) → ReLU]×2",
    "[add{ id | Conv3x3(in.channels) → ReLU }]×3",
    "GlobalAvgPool → FC(10)",
    "ToTokens → [add{ id | LN → Attention(1) }]×2",
    "LN → Linear(8) → GELU",
]
"""Elements beside the layers' own examples: what published networks are made of."""


@cache
def elements() -> tuple[str, ...]:
    """What a network here is made of; examples that give names to tensors cannot be put behind each other."""
    texts = [text for _, op in sorted(registry().items()) for text, _ in op.examples if op.word != "Embedding"]
    chains = [text for text in texts if not re.search(r"\bas\b|=\s*in\b|^\w+:|→ \w+: ", text)]
    return tuple(dict.fromkeys([*OWN, *chains]))


@st.composite
def networks(draw: st.DrawFn) -> str:
    """A program that builds: each element drawn is kept if the network still builds with it."""
    text = f"input image: {draw(st.sampled_from(SHAPES))}\n"
    chain: list[str] = []
    for element in draw(st.lists(st.sampled_from(elements()), min_size=1, max_size=12)):
        if builds(text + " → ".join([*chain, element])):
            chain.append(element)
    return text + " → ".join(chain or ["Identity"])


def builds(text: str) -> bool:
    """Whether it is a network, and a small one."""
    try:
        graph = parse_text(text).graph
    except CnnError:
        return False
    return all(node.type.elements <= BIGGEST for node in graph.nodes)
