"""Guards `backends/tvm/emitters/projections.py`, `backends/tvm/emitters/norms.py` and
`backends/tvm/emitters/attention_heads.py`. Tokens, and maps with their channels last, over drawn shapes:
PyTorch's numbers.
"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.kernels.attention_heads import AttentionHeads
from cnndsl.backends.tvm.kernels.projection import Projection, pack_projection, projection
from cnndsl.backends.tvm.kernels.words.packing import fill_up
from cnndsl.backends.tvm.plan.groups import plan
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import relative_error
from tests.few import few

pytestmark = pytest.mark.tvm


def transformer(seed: int) -> str:
    r = random.Random(seed)
    heads, depth = r.choice([(1, 16), (2, 8), (3, 16), (2, 20), (4, 5)])
    size = f"{r.randint(1, 9)}×{r.randint(1, 13)}"
    norm = r.choice(["LN", "LN(1e-6)", "RMSNorm", "L2Norm(init=1)"])
    return f"""
input {r.choice([3, 17])}×{size}
Linear({heads * depth}) → ToTokens → pos: PosEmbed
→ add{{ {norm} → Attention({heads}, bias={r.choice(["true", "false"])}) | id }}
→ add{{ {norm} → Linear({r.randint(1, 70)}) → GELU → Linear({heads * depth}) → scale: LayerScale(0.5) | id }}
→ Softmax → GlobalAvgPool → FC(3)
"""


@pytest.mark.parametrize("seed", few(range(6), 2))
def test_drawn_transformers(seed: int) -> None:
    batch = 1 + seed % 2
    assert relative_error(parse_text(transformer(seed)).graph, batch=batch, count=batch) < 1e-5


@pytest.mark.parametrize("target", few(["llvm:x86-64-v3", "llvm:x86-64"], 1))
def test_other_widths_of_vectors(target: str) -> None:
    import platform

    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("names of x86 processors")
    assert relative_error(parse_text(transformer(1)).graph, target=target) < 1e-5


def test_more_queries_than_one_task_takes() -> None:
    text = "input 32×23×24\nToTokens → Attention(2)"
    assert relative_error(parse_text(text).graph) < 1e-5


BLOCK = """
input 24×9×11
add{ DWConv7x7 → Permute(1, 2, 0) → LN → Linear(96) → GELU → Linear(24) → Permute(2, 0, 1) → scale: LayerScale | id }
→ LN → ReLU
"""


def test_a_convnext_block_has_no_exchange_of_axes() -> None:
    network = parse_text(BLOCK).graph
    groups = plan(program_of(network, drawn_weights(network, 0)))
    assert [(g.anchor.op.word, [s.op.word for s in g.tail], len(g.residuals)) for g in groups] == [
        ("Conv", [], 0),
        ("LN", [], 0),
        ("Conv", ["GELU"], 0),
        ("Conv", ["add"], 1),
        ("LN", [], 0),
        ("ReLU", [], 0),
    ]
    assert relative_error(network, batch=2, count=2) < 1e-5


ORDERS = [
    "input 6×5×7\nPermute(1, 2, 0) → LN",
    "input 6×5×7\nPermute(1, 0, 2) → ReLU → Permute(1, 0, 2) → Conv3x3(4)",
    "input 6×5×7\nPermute(0, 2, 1) → Conv3x1(4)",
    "input 6×4\nPermute(1, 0) → Linear(5) → Slice(1, 3) → Linear(2)",
    "input 6×4×3\nToTokens → Linear(16) → ToMap(2, 6) → Conv3x3(4)",
    "input 6×4×3\nToTokens → add{ id | Linear(6) } → mul{ id | Sigmoid } → class_token: ClassToken → RMSNorm",
    "input 20×3×4×5\nToTokens → LN → Linear(17)",
]


@pytest.mark.parametrize("text", ORDERS)
def test_channels_wherever_they_are(text: str) -> None:
    assert relative_error(parse_text(text).graph, batch=2, count=2) < 1e-5


def test_inputs_and_outputs_stay_as_they_were_written() -> None:
    network = parse_text("input 6×5×7\nPermute(1, 2, 0) → Linear(4)").graph
    program = program_of(network, drawn_weights(network, 0))
    (out,) = program.outputs.values()
    (step,) = [step for step in program.steps if step.name == out]
    assert (step.type.shape, step.type.channel_axis) == ((5, 7, 4), 2)


def test_every_candidate_of_a_projection_gives_the_same() -> None:
    rule = projection(1, (5, 13), 12, 20, 4, (), 16)
    x = np.random.default_rng(0).standard_normal((12, 65)).astype(np.float32)
    weight = np.random.default_rng(1).standard_normal((20, 12)).astype(np.float32)
    kinds = rule.candidates()
    assert kinds[0] == rule
    assert len(set(kinds)) == len(kinds) >= 8
    for kernel in kinds[:1] + kinds[-4:]:
        assert np.abs(computed(kernel, x, weight) - weight @ x).max() < 1e-5


@pytest.mark.parametrize(("channels", "units"), few([(3, 1), (17, 40), (40, 57), (24, 24), (8, 136)], 3))
def test_projections_of_uneven_channels(channels: int, units: int) -> None:
    """With sixteen lanes a last chunk that is at most half full takes shorter vectors; its upper half holds zeros."""
    x = np.random.default_rng(0).standard_normal((channels, 65)).astype(np.float32)
    weight = np.random.default_rng(1).standard_normal((units, channels)).astype(np.float32)
    rule = projection(1, (5, 13), channels, units, 16, (), 32)
    for kernel in (rule, replace(rule, by_outputs=not rule.by_outputs)):
        made = computed(kernel, x, weight)
        assert np.abs(made[:units] - weight @ x).max() < 1e-5
        assert not made[units:].any()


def computed(kernel: Projection, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The kernel run by TVM, over plain matrices."""
    import tvm

    lanes = kernel.lanes
    filled = fill_up(x, 0, lanes)
    packed = filled.reshape(kernel.chunks, lanes, *kernel.size).transpose(0, 2, 3, 1)[None]
    arrays = [
        np.ascontiguousarray(packed),
        pack_projection(weight, kernel.tile[0], lanes),
        np.zeros((kernel.chunks_out, lanes), np.float32),
        np.full((1, kernel.chunks_out, *kernel.size, lanes), np.nan, np.float32),
    ]
    module = tvm.IRModule({"main": kernel.prim_func().with_attr("global_symbol", "main")})
    tensors = [tvm.runtime.tensor(array) for array in arrays]
    tvm.compile(module, tvm.target.Target("llvm"))["main"](*tensors)
    made: np.ndarray = tensors[-1].numpy()[0].transpose(0, 3, 1, 2).reshape(kernel.chunks_out * lanes, -1)
    return made


def test_tiles_stay_in_registers() -> None:
    for registers in (16, 32):
        for chunks, positions in [(1, 1), (3, 49), (24, 197), (96, 3136)]:
            kernel = projection(1, (positions,), 64, 16 * chunks, 16, (), registers)
            assert all(c * p + c < registers for (c, p), _ in kernel.ranked(registers))
    assert all(k.tile[0] * k.tile[1] <= 24 for k in AttentionHeads(1, 2, 4, 197, 16, (6, 4)).candidates())


DEEP = [
    "input 20×5×13×14\nConv3x3x3(40) → ReLU → Conv1x3x3(24) → Conv3x3x3(24, pad=((2, 0), (1, 1), (0, 1)))",
    "input 64×3×20×20\nadd{ Conv3x3x3(64) | id } → ReLU",
    "input 16×1×1×1\nConv3x3x3(16)",
]


@pytest.mark.parametrize("text", few(DEEP, {0}))
def test_windows_of_three_axes(text: str) -> None:
    assert relative_error(parse_text(text).graph, batch=2, count=2) < 2e-5


NORMS = [
    "input 40×9×13\nConv3x3(40) → GN(5) → SiLU → Conv3x3(3)",
    "input 6×5×7\nGN(1) → ReLU",
    "input 12×33\nGN(4, 1e-3) → Conv3(5)",
    "input 5×3×4×5\nConv3x3x3(20) → IN(affine=true) → LeakyReLU → Conv1x1x1(2)",
    "input 3×50×41\nIN → Conv3x3(4)",
]


@pytest.mark.parametrize("text", few(NORMS, {0, 2, 3}))
def test_norms_over_positions(text: str) -> None:
    assert relative_error(parse_text(text).graph, batch=2, count=2) < 1e-5
