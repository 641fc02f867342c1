"""The kernels that a machine is measured with, as small programs: what the compiler makes of them is what it makes of networks.

Every family of kernels has six programs and more, from its smallest to its largest sizes, since what lies between is met better than
what lies beyond; and every kind of pointwise layer that a kernel may do on its way out.
"""

from __future__ import annotations

from collections.abc import Iterator

# Channels, channels out, size and what follows: of the convolutions with a window of one of well-known networks.
_PROJECTIONS = (
    (16, 96, 112, "BN → ReLU6"), (24, 144, 56, "SiLU"), (64, 64, 56, "BN → ReLU"), (64, 256, 56, "BN"),
    (256, 64, 56, "ReLU"), (256, 128, 28, "ReLU"), (128, 512, 28, "BN"), (512, 128, 28, "ReLU"), (40, 240, 28, "SiLU"),
    (240, 40, 28, "BN"), (80, 480, 14, "HardSwish"), (672, 112, 14, "BN"), (256, 1024, 14, "BN"), (1024, 256, 14, "ReLU"),
    (384, 64, 14, "BN"), (576, 96, 14, "BN"), (512, 2048, 7, "BN"), (2048, 512, 7, "ReLU"), (320, 1280, 7, "ReLU6"),
    (960, 160, 7, "BN"), (192, 1152, 7, "SiLU"), (1024, 2048, 7, "ReLU"), (64, 32, 112, "ReLU"), (32, 16, 112, "BN"),
    (480, 20, 1, "SiLU"), (20, 480, 1, "Sigmoid"), (1152, 48, 1, "ReLU"), (128, 21, 28, ""), (96, 384, 32, "GELU"),
    (384, 96, 32, ""), (768, 3072, 8, "GELU"), (3072, 768, 8, ""), (116, 116, 14, "ReLU"), (58, 58, 28, "ReLU"),
    (256, 256, 20, "SiLU"), (1280, 256, 10, "ReLU"),
)  # fmt: skip
# Channels, channels out, size, arguments of the convolution and what follows: windows of 3×3 at stride 1.
_WINOGRADS = (
    (64, 64, 56, "", "BN → ReLU"), (128, 128, 28, "", "BN → ReLU"), (256, 256, 14, "", "ReLU"), (512, 512, 7, "", "ReLU"),
    (32, 32, 112, "", "ReLU"), (64, 64, 112, "", "ReLU"), (64, 128, 59, "pad=0", "ReLU"), (128, 128, 30, "pad=0", "ReLU"),
    (256, 256, 10, "", "SiLU"), (64, 32, 28, "", ""), (128, 32, 28, "", ""), (192, 32, 14, "", ""), (32, 32, 16, "", "ReLU"),
    (512, 512, 14, "", "ReLU"), (128, 256, 27, "", "ReLU"), (96, 128, 17, "", "ReLU"), (64, 64, 160, "", "ReLU"),
)  # fmt: skip
# The word, channels, channels out, size and arguments: other windows, strides, groups.
_DIRECTS = (
    ("Conv3x3", 64, 128, 56, "stride=2"), ("Conv3x3", 128, 128, 56, "stride=2"), ("Conv3x3", 256, 512, 14, "stride=2"),
    ("Conv3x3", 32, 64, 112, "stride=2"), ("Conv5x5", 48, 64, 28, ""), ("Conv5x5", 64, 192, 27, ""),
    ("Conv7x7", 32, 32, 28, ""), ("Conv1x7", 128, 192, 17, ""), ("Conv7x1", 128, 192, 17, ""), ("Conv1x1", 256, 512, 56, "stride=2"),
    ("Conv1x1", 64, 128, 56, "stride=2"), ("Conv1x1", 1024, 2048, 14, "stride=2"), ("Conv3x3", 256, 256, 14, "dilation=2"),
    ("Conv3x3", 512, 512, 14, "groups=8"), ("Conv3x3", 1024, 1024, 7, "groups=32"), ("Conv2x2", 96, 192, 28, "stride=2, pad=0"),
    ("Conv3x3", 160, 160, 7, "stride=2"), ("Conv4x4", 64, 128, 32, "stride=4, pad=0"),
    ("Conv3x3", 512, 512, 3, ""), ("Conv3x3", 512, 512, 5, "stride=2"), ("Conv3x3", 256, 256, 4, ""), ("Conv3x3", 1024, 512, 4, ""),
)  # fmt: skip
_PLAIN = (
    ("Conv7x7", 3, 64, 224, "stride=2"), ("Conv3x3", 3, 32, 224, "stride=2"), ("Conv3x3", 3, 64, 160, ""),
    ("Conv16x16", 3, 192, 224, "stride=16, pad=0"), ("Conv32x32", 3, 768, 224, "stride=32, pad=0"),
    ("Conv4x4", 3, 96, 224, "stride=4, pad=0"), ("Conv11x11", 3, 64, 224, "stride=4, pad=2"), ("Conv3x3", 3, 16, 96, ""),
    ("Conv5x5", 1, 64, 64, ""), ("Conv3x3", 3, 16, 32, ""),
)  # fmt: skip
_DEPTHWISE = (
    (32, 112, "3x3", "", "BN → ReLU6"), (96, 112, "3x3", "stride=2", "ReLU6"), (144, 56, "3x3", "", "SiLU"),
    (144, 56, "5x5", "stride=2", "SiLU"), (240, 28, "5x5", "", "SiLU"), (240, 28, "3x3", "stride=2", "HardSwish"),
    (480, 14, "5x5", "", "SiLU"), (576, 14, "3x3", "", "ReLU6"), (960, 7, "3x3", "", "ReLU6"), (1152, 7, "5x5", "", "SiLU"),
    (96, 56, "7x7", "", ""), (384, 14, "7x7", "", ""), (768, 7, "7x7", "", ""), (58, 28, "3x3", "stride=2", "BN"),
    (116, 14, "3x3", "", "BN"), (192, 28, "3x3", "", "ReLU"),
)  # fmt: skip
_IN_GROUPS = (
    (128, 56, 4, ""), (256, 28, 8, ""), (512, 14, 16, ""), (64, 56, 8, ""), (96, 28, 16, "stride=2"), (256, 56, 4, "stride=2"),
    (128, 28, 2, ""), (384, 14, 16, ""),
)  # fmt: skip
_DENSE = (
    (2048, 1000, ""), (512, 1000, ""), (1280, 1000, ""), (4096, 1000, ""), (9216, 1024, "ReLU"), (256, 10, ""), (784, 128, "ReLU"),
    (64, 256, "Sigmoid"), (1024, 4096, "ReLU"), (120, 84, "Tanh"),
)  # fmt: skip
_OTHERS = (
    "input 64×56×56\nadd{ id | MaxPool3x3(1, pad=1) } → ReLU",
    "input 256×28×28\nmul{ id | Sigmoid }",
    "input 512×7×7\nBN → ReLU",
    "input 144×56×56\nmul{ id | GlobalAvgPool → Conv1x1(144) → Sigmoid }",
    "input 672×14×14\nmul{ id | GlobalAvgPool → Conv1x1(672) → HardSigmoid }",
    "input 1152×7×7\nmul{ id | GlobalAvgPool → Conv1x1(1152) → Sigmoid }",
    "input 96×112×112\nSiLU",
    "input 32×14×14\nadd{ id | Tanh }",
    "input 512×14×14\nGlobalAvgPool",
    "input 1280×7×7\nGlobalAvgPool",
    "input 64×56×56\nGlobalMaxPool",
    "input 64×112×112\nMaxPool3x3(2, pad=1)",
    "input 64×112×112\nMaxPool2x2",
    "input 256×14×14\nMaxPool2x2",
    "input 192×28×28\nMaxPool3x3(1, pad=1)",
    "input 480×14×14\nMaxPool3x3(2)",
    "input 128×28×28\nAvgPool2x2",
    "input 512×14×14\nAvgPool2x2",
    "input 256×7×7\nMaxPool5x5(1, pad=2)",
    "input 64×56×56\nGN(8) → ReLU",
    "input 256×28×28\nGN(32) → ReLU",
    "input 512×7×7\nGN(32)",
    "input 32×112×112\nIN",
    "input 128×14×14\nGN(16) → SiLU",
    "input 64×28×28\nGN(4)",
    "input 96×56×56\nLN",
    "input 384×14×14\nLN",
    "input 768×7×7\nLN",
    "input 192×28×28\nLN",
    "input 64×56×56\nLN",
    "input 256×8×8\nLN",
    "input 3×112×112\nConv16x16(192, stride=16) → ToTokens → LN → Attention(3)",
    "input 3×224×224\nConv16x16(192, stride=16) → ToTokens → LN → Attention(3)",
    "input 3×224×224\nConv32x32(768, stride=32) → ToTokens → LN → Attention(12)",
    "input 3×224×224\nConv16x16(384, stride=16) → ToTokens → LN → Attention(6)",
    "input 3×160×160\nConv16x16(256, stride=16) → ToTokens → Attention(8)",
    "input 3×96×96\nConv16x16(128, stride=16) → ToTokens → Attention(4)",
    "input 116×28×28\nConv1x1(116) → ChannelShuffle(2) → Conv1x1(32)",
    "input 232×14×14\nConv1x1(232) → ChannelShuffle(2) → Conv1x1(32)",
    "input 24×56×56\nConv1x1(24) → ChannelShuffle(3) → Conv1x1(32)",
    "input 40×28×28\nConv1x1(40) → cat{ id | Conv1x1(24) } → Conv1x1(32)",
    "input 64×14×14\nConv1x1(60) → cat{ id | Conv1x1(20) } → Conv1x1(32)",
    "input 32×56×56\nConv1x1(24) → cat{ id | Conv1x1(40) } → Conv1x1(32)",
    "input 64×28×28\nConv1x1(64) → Upsample(2) → Conv1x1(32)",
    "input 128×14×14\nConv1x1(128) → Upsample(2) → Conv1x1(32)",
    "input 32×28×28\nConv1x1(32) → Upsample(2, mode=\"bilinear\") → Conv1x1(32)",
    "input 256×7×7\nConv1x1(256) → Upsample(2, mode=\"bilinear\") → Conv1x1(32)",
    "input 64×28×28\nConv1x1(64) → Pad(2) → Conv1x1(32)",
    "input 64×32×32\nConv1x1(64) → MaxPool3x3(1) → Conv1x1(32)",
    "input 64×28×28\nConv1x1(64) → AvgPool3x3(1, pad=1, count_pad=false) → Conv1x1(32)",
    "input 64×28×28\nConv1x1(64) → PReLU → Conv1x1(32)",
    "input 64×56×56\nConv1x1(64) → BN → ReLU → add{ Conv1x1(64) → BN | id } → ReLU",
    "input 256×14×14\nConv1x1(256) → ReLU → add{ Conv3x3(256) → BN | id } → ReLU",
    "input 128×28×28\nConv1x1(128) → add{ Conv1x1(128) → BN | id }",
    "input 64×1024\nConv3(64) → ReLU → Conv9(64) → ReLU → Conv1(128)",
    "input 16×8×28×28\nConv3x3x3(32) → ReLU → MaxPool2x2x2",
)  # fmt: skip
_WHOLE = (
    "input 64×56×56\nConv1x1(64) → ReLU → Conv3x3(64) → ReLU → add{ Conv1x1(64) | id } → ReLU → Conv1x1(256) → ReLU",
    "input 128×28×28\nConv1x1(512) → ReLU → Conv1x1(128) → ReLU → Conv3x3(128) → ReLU → Conv3x3(256, stride=2) → ReLU",
    "input 256×14×14\nConv1x1(1024) → ReLU → Conv1x1(256) → ReLU → Conv3x3(256) → ReLU → Conv3x3(512, stride=2) → ReLU",
    "input 512×7×7\nConv1x1(2048) → ReLU → Conv1x1(512) → ReLU → Conv3x3(512) → ReLU → GlobalAvgPool → FC(1000)",
    "input 16×112×112\nConv1x1(96) → ReLU6 → DWConv3x3(stride=2) → ReLU6 → Conv1x1(24) → Conv1x1(144) → ReLU6 → DWConv3x3 → ReLU6",
    "input 40×28×28\nConv1x1(240) → SiLU → DWConv5x5 → SiLU → Conv1x1(40) → add{ id | Conv1x1(40) } → Conv1x1(240) → ReLU",
    "input 80×14×14\nConv1x1(480) → ReLU → DWConv3x3 → ReLU → Conv1x1(112) → Conv1x1(672) → ReLU → DWConv5x5(stride=2) → ReLU",
    "input 160×7×7\nConv1x1(960) → ReLU6 → DWConv3x3 → ReLU6 → Conv1x1(320) → Conv1x1(1280) → ReLU6 → GlobalAvgPool → FC(1000)",
    "input 3×224×224\nConv3x3(32, stride=2) → ReLU → DWConv3x3 → ReLU → MaxPool3x3(2, pad=1) → Conv1x1(16) → AvgPool2x2 → Conv1x1(64)",
    "input 3×160×160\nConv7x7(64, stride=2) → ReLU → MaxPool3x3(2, pad=1) → Conv3x3(64) → ReLU → BN → Conv1x1(128)",
    "input 784\nFC(512) → ReLU → FC(256) → ReLU → FC(10)",
    "input 192×28×28\ncat{ Conv1x1(64) → ReLU | Conv1x1(96) → ReLU → Conv3x3(128) → ReLU | Conv5x5(32) → ReLU } → MaxPool3x3(1, pad=1)"
    " → Conv1x1(64)",
    "input 64×28×28\nConv1x1(64) → mul{ id | GlobalAvgPool → Conv1x1(16) → ReLU → Conv1x1(64) → Sigmoid } → Conv1x1(64) → ReLU",
    "input 256×20×20\nConv1x1(128) → SiLU → add{ id | Conv3x3(128) → SiLU → Conv3x3(128) → SiLU } → Conv1x1(64) → Upsample(2)"
    " → Conv3x3(64)",
)  # fmt: skip
_PAIRS = (
    "input 3×224×224\nConv7x7(64, stride=2) → ReLU → Conv1x1(64) → ReLU → Conv1x1(256)",
    "input 64×56×56\nConv1x1(64) → ReLU → Conv1x1(256) → ReLU → Conv1x1(64) → ReLU → Conv3x3(128, stride=2)",
    "input 512×28×28\nConv1x1(128) → ReLU → Conv5x5(128) → ReLU → Conv1x1(512) → ReLU → Conv1x1(1024, stride=2)",
    "input 1024×14×14\nConv1x1(256) → SiLU → Conv1x1(1024) → ReLU → add{ Conv1x1(1024) | id } → Conv1x1(512) → GlobalAvgPool → FC(1000)",
    "input 2048×7×7\nConv1x1(512) → ReLU → Conv1x1(2048) → ReLU → GlobalAvgPool → FC(1000) → ReLU → FC(256) → FC(4096) → FC(10)",
    "input 320×7×7\nConv1x1(1280) → ReLU6 → Flatten → FC(128) → FC(64)",
)  # fmt: skip
CHAIN = "input 64×16×16\n[ MaxPool3x3(1, pad=1) → Conv1x1(64) ]×12"
"""Many small calls: what a network takes for each beside the kernel."""


def programs(precision: str) -> Iterator[str]:
    """The programs of a precision, the most telling first of each kind."""
    yield from {"f32": tuple(_real()), "bf16": _PAIRS, "int8": _WHOLE}[precision]


def _real() -> Iterator[str]:
    for c, out, size, tail in _PROJECTIONS:
        yield _program(c, size, "Conv1x1", out, "", tail)
    for c, out, size, more, tail in _WINOGRADS:
        yield _program(c, size, "Conv3x3", out, more, tail)
    for word, c, out, size, more in (*_DIRECTS, *_PLAIN):
        yield _program(c, size, word, out, more, "BN → ReLU")
    for c, size, window, more, tail in _DEPTHWISE:
        chain = " → ".join(part for part in (f"DWConv{window}({more})" if more else f"DWConv{window}", tail) if part)
        yield f"input {c}×{size}×{size}\n{chain}"
    for c, size, wide, more in _IN_GROUPS:
        yield _program(
            c, size, "Conv3x3", c, ", ".join(part for part in (f"groups={c // wide}", more) if part), "BN → ReLU"
        )
    for inputs, units, tail in _DENSE:
        yield f"input {inputs}\nFC({units})" + (f" → {tail}" if tail else "")
    yield from _OTHERS


def _program(c: int, size: int, word: str, out: int, more: str, tail: str) -> str:
    arguments = f"{out}, {more}" if more else f"{out}"
    return f"input {c}×{size}×{size}\n{word}({arguments})" + (f" → {tail}" if tail else "")
