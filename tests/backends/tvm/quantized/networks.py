"""Small networks of every family that is quantised: between them they have each kind of group and each shape that a kernel
treats in a way of its own."""

from __future__ import annotations

NETWORKS = {
    "resnet": """input 3×19×17
Conv7x7(20, stride=2) → BN → ReLU → MaxPool3x3(stride=2)
→ add{ Conv3x3(20) → BN → ReLU → Conv3x3(20) → BN | id } → ReLU
→ add{ Conv3x3(33, stride=2) → BN → ReLU6 → Conv3x3(33) → BN | Conv1x1(33, stride=2) → BN }
→ GlobalAvgPool → Flatten → FC(10)""",
    "mobilenet": """input 3×21×18
Conv3x3(16, stride=2) → BN → SiLU
→ Conv1x1(40) → BN → SiLU → DWConv5x5 → BN → SiLU
→ mul{ id | GlobalAvgPool → Conv1x1(6) → SiLU → Conv1x1(40) → Sigmoid }
→ Conv1x1(18) → BN
→ add{ id | Conv1x1(36) → BN → HardSwish → DWConv3x3 → BN → HardSwish → Conv1x1(18) → BN }
→ DWConv3x3(stride=2) → ReLU6 → GlobalAvgPool → Flatten → FC(13) → HardSwish → FC(7)""",
    "densenet": """input 3×13×14
Conv3x3(12)
→ cat{ id | BN → ReLU → Conv1x1(24) → BN → ReLU → Conv3x3(16) }
→ cat{ id | BN → ReLU → Conv1x1(24) → BN → ReLU → Conv3x3(16) }
→ BN → ReLU → Conv1x1(18) → AvgPool
→ cat{ id | BN → ReLU → Conv3x3(7) } → BN → ReLU → GlobalAvgPool → Flatten → FC(9)""",
    "shufflenet": """input 3×12×11
Conv3x3(24) → ReLU
→ Conv1x1(24, groups=3) → ReLU → ChannelShuffle(3) → DWConv3x3 → Conv1x1(24, groups=3)
→ ChannelShuffle(2) → Slice(2, 13) → Conv3x3(44, groups=11) → ReLU → Conv3x3(64, groups=4) → Conv3x3(32, groups=2)""",
    "unet": """input 1×20×24
Conv3x3(16) → ReLU as a → MaxPool → Conv3x3(24) → ReLU as b → MaxPool → Conv3x3(40) → ReLU
→ ConvT2x2(24, stride=2) as risen → cat{ b | risen } → Conv3x3(24, pad=valid) → ReLU
→ ConvT3x3(16, stride=2) as up → cat{ a → Crop(like=up) | up } → Conv3x3(16) → LeakyReLU(0.1) → Upsample(2) → Conv1x1(3)""",
    "sound": """input 1×400
Conv80(20, stride=4) → BN → ReLU → MaxPool4 → Conv3(24, dilation=2) → BN → ReLU → MaxPool4
→ Conv3(17) → Tanh → GlobalAvgPool → Flatten → FC(5)""",
    "video": """input 3×6×14×13
Conv3x3x3(9) → ReLU → MaxPool1x2x2 → Conv3x1x3(20, stride=2) → ReLU → DWConv3x3x3 → MaxPool2x2x2(ceil=true)
→ GlobalMaxPool → Flatten → FC(6) → ReLU → FC(4)""",
    "lenet": """input 1×32×32
Conv5x5(6, pad=valid) → Tanh → AvgPool → Conv5x5(16, pad=valid) → Tanh → AvgPool → Flatten
→ FC(30) → Tanh → FC(10)""",
    "shapes": """input 5×9×10
Conv3x3(18, dilation=2, pad=2) → Pad(1) → Conv3x3(18, pad=valid) → GELU as a
→ AvgPool3x3(stride=1, pad=same) → mul{ id | a } → ELU → Conv1x1(32) → PixelShuffle(2) → BN → ReLU
→ add{ id | a → Upsample(2) → Pad(1) → Conv3x3(8, pad=valid) } → MaxPool3x3(stride=3, ceil=true)
→ Conv3x3(10, stride=3) → Abs → Flatten → FC(3)""",
    "sums": """input 6×9×7
Conv3x3(20) → Sigmoid
→ add{ id | MaxPool3x3(stride=1, pad=same) } → ReLU → add{ Tanh | id } as c → Conv1x1(20) → Sigmoid
→ add{ Abs | c } → mul{ id | c } → AvgPool3x3(stride=2) → Conv1x1(3)""",
    "outputs": """input 3×9×9
Conv3x3(20) → ReLU as early → MaxPool → Conv3x3(8) → Flatten → FC(12) → Tanh as code → FC(4) as last
output early
output code
output last""",
    "vectors": """input 10
FC(21) → ReLU → FC(7) → Sigmoid → FC(3)""",
}
