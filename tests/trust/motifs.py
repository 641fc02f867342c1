"""What published networks are made of, by kind, with holes: `{c}` channels, `{w}` channels that are the same throughout an
element, `{k}` a window, `{s}` a stride, `{p}` padding, `{d}` a dilation, `{g}` groups, `{h}` heads, `{a}` an activation, `{n}` a
norm, `{se}` squeeze and excitation. `in` is what arrives at the element.

Every kind is there for kernels of its own; together they reach all of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """Inputs and the elements that are put behind each other, in any order, behind one of `first` where there are such;
    `blocks` are defined above them."""

    inputs: tuple[str, ...]
    elements: tuple[str, ...]
    blocks: str = ""
    first: tuple[str, ...] = ()


SHUFFLE = """block Unit {
  (kept, changed) = in → Split(2)
  cat{ kept | changed → Conv1x1 → BN → {a} → DWConv{k} → BN → Conv1x1 → BN → {a} } → ChannelShuffle(2)
}
block Halves {
  (left, right) = in → Split(2)
  add{ left → Conv{k}(in.channels // 2) | right } → {a}
}"""

KINDS: dict[str, Kind] = {
    "winograd": Kind(
        (
            "16×56×56",
            "32×28×28",
            "64×28×28",
            "64×14×14",
            "33×29×31",
            "128×12×13",
            "128×7×7",
            "96×10×10",
            "24×40×17",
            "96×16×15",
        ),
        (
            "Conv3x3({c})",
            "Conv3x3(128) → BN → {a}",
            "Conv3x3({c}, pad={p}) → BN → {a}",
            "Conv3x3({c}, bias=false) → BN → {a}",
            "[Conv3x3({c}) → {a}]×2",
            "add{ id | Conv3x3({c}) → BN → {a} → Conv3x3(in.channels) → BN } → {a}",
            "add{ Conv3x3({w}) → BN | Conv1x1({w}) → BN } → {a}",
            "add{ Conv3x3({w}) | Conv3x3({w}) → {a} | Conv1x1({w}) }",
            "MaxPool",
        ),
    ),
    "deep": Kind(
        ("16×4×12×12", "32×6×14×14", "3×5×24×24", "20×3×9×11", "64×2×8×7", "8×7×16×16", "48×4×16×16"),
        (
            "Conv3x3x3({c}) → BN → {a}",
            "Conv3x3x3({c}, pad={p})",
            "Conv1x3x3({c}) → BN → {a} → Conv3x1x1({c}) → BN → {a}",
            "add{ id | Conv3x3x3({c}) → BN → {a} → Conv3x3x3(in.channels) → BN } → {a}",
            "Conv1x1x1({c}) → {a}",
            "Conv{k}({c}, stride={s}, dilation={d})",
            "DWConv{k} → BN → {a}",
            "MaxPool1x2x2",
            "AvgPool",
            "cat{ Conv1x1x1({c}) | Conv3x3x3({c}) | MaxPool3x3x3(1, 1) }",
            "ConvT2x2x2({c}, 2)",
            "Upsample((1, 2, 2))",
        ),
    ),
    "projection": Kind(
        ("64×28×28", "16×9×7", "33×14×14", "128×7×7", "40×300", "24×3×6×6", "3×20×20", "256×5×5", "17×31×3"),
        (
            "Conv1({c}) → BN → {a}",
            "Conv1({c}, bias=false)",
            "[Conv1({c}) → {a}]×2",
            "add{ id | Conv1({c}) → {a} → Conv1(in.channels) } → {a}",
            "Conv1({c}, stride=2)",
            "Conv1({c}, groups={g})",
            "mul{ id | Conv1(in.channels) → Sigmoid }",
            "add{ id | LayerScale(0.5) → {a} }",
        ),
    ),
    "separable": Kind(
        ("32×28×28", "24×15×17", "16×56×56", "7×13×13", "96×14×14", "40×64", "16×5×9×9", "130×7×7"),
        (
            "DWConv{k}({s}) → BN → {a}",
            "DWConv{k}(dilation={d}) → BN → {a}",
            "DWConv{k}(multiplier=2, pad={p})",
            "SepConv{k}({c}) → {a}",
            "SepConv{k}({c}, pad={p}) → BN",
            "add{ id | Conv1({c}) → BN → {a} → DWConv{k} → BN → {a} → Conv1(in.channels) → BN }",
            "Conv1({c}) → BN → {a} → DWConv{k}({s}) → BN → {a} → {se} → Conv1({c}) → BN",
            "add{ id | DWConv{k} → BN } → {a}",
            "{se}",
        ),
    ),
    "residual": Kind(
        ("3×56×56", "3×33×41", "64×14×14", "48×20×20", "1×28×28", "16×24×24", "4×30×30"),
        (
            "Conv7x7({c}, 2, pad=3, bias=false) → BN → {a} → MaxPool3x3(2, 1)",
            "Conv{k}({c}, 2, pad={p}) → BN → {a}",
            "add{ Conv1x1({w}, 2) → BN | Conv1x1({c}) → {a} → Conv3x3({w}, 2) → BN } → {a}",
            "add{ id | BN → {a} → Conv3x3({c}) → BN → {a} → Conv3x3(in.channels) }",
            "add{ id | Conv1x1({c}) → BN → {a} → Conv3x3({c}) → BN → {a} → Conv1x1(in.channels) → BN } → {a} → {se}",
            "add{ id | Conv1x1(16) → Conv3x3(32, groups=2) → {a} → Conv1x1(in.channels) } → {a}",
            "StdConv3x3({c}) → GN(2) → {a}",
        ),
    ),
    "concat": Kind(
        ("16×28×28", "32×14×14", "24×17×19", "3×32×32", "48×9×9", "64×100", "16×4×7×7"),
        (
            "cat{ Conv1({c}) | Conv1({c}) → Conv3({c}) → {a} | MaxPool3(1, 1) → Conv1({c}) }",
            "[cat{ id | BN → {a} → Conv1(32) → BN → {a} → Conv3(16) }]×3",
            "[cat{ id | BN → {a} → Conv3(12) }]×2",
            "cat{ id | {a} }",
            "cat{ id | id }",
            "cat{ Conv3(16) | cat{ Conv1(16) | Conv3(32) } | AvgPool3(1, 1) }",
            "cat{ Conv3({c}, 2, pad={p}) | MaxPool3(2, 1) }",
            "cat{ Conv1(32) → {a} | Conv1(32) | DWConv3 } → Slice(16, 48)",
            "BN → {a} → Conv1({c}) → AvgPool",
            "add{ id | cat{ Conv1(16) | Conv1(in.channels - 16) } }",
            "cat{ id | GlobalAvgPool → Conv1({c}) → Upsample(size=in.size) }",
        ),
    ),
    "shuffle": Kind(
        ("32×28×28", "48×14×14", "24×9×11", "64×14×14", "116×7×7", "32×120", "64×3×8×8", "96×10×10"),
        (
            "Unit",
            "Unit×2",
            "Halves",
            "ChannelShuffle({g})",
            "Conv{k}({c}, groups={g}) → BN → {a}",
            "Conv1({c}, groups={g}) → ChannelShuffle({g}) → DWConv3 → BN",
            "cat{ Slice(0, 16) | {a} | Slice(5, 20) }",
            "Slice(16, 32)",
            "Conv3(32, groups=2, stride={s}) → {a}",
            "Conv3(in.channels, groups=in.channels // 2)",
            "Conv3(in.channels, groups=in.channels // 16)",
            "Conv3({c}) → GLU",
        ),
        SHUFFLE,
    ),
    "tokens": Kind(
        ("32×7×7", "48×6×5", "64×4×4", "3×16×16", "50×64", "17×48", "64×40", "20×9×3"),
        (
            "ClassToken",
            "add{ id | LN → Attention({h}) }",
            "add{ id | LN → Linear({c}) → GELU → Linear(in.channels) }",
            "[add{ id | LN → Attention({h}) } → add{ id | LN → Linear({c}) → {a} → Linear(in.channels) }]×2",
            "Linear({c}) → {a}",
            "LN",
            "RMSNorm",
            "Softmax",
            "Attention(1) → LayerScale",
            "Permute(1, 0)",
        ),
        first=("Conv4x4({c}, stride=4) → ToTokens", "ToTokens → PosEmbed", "ToTokens", "ToTokens → ClassToken"),
    ),
    "norms": Kind(
        ("32×14×14", "24×9×7", "16×28×28", "20×50", "12×4×6×6", "48×1×9", "5×11×13"),
        (
            "GN({g}) → {a}",
            "Conv3({c}) → GN(1) → {a}",
            "IN(affine=true) → {a}",
            "IN",
            "BN → {a}",
            "Permute(1, 2, 0) → LN → Permute(2, 0, 1)",
            "add{ id | DWConv7 → Permute(1, 2, 0) → LN → Linear({c}) → GELU → Linear(in.channels) → Permute(2, 0, 1) }",
            "L2Norm",
            "LRN(5)",
            "Softmax",
            "RMSNorm",
            "GRN",
            "PReLU(per_channel=true)",
            "Conv{k}({c}) → {n} → {a}",
            "StdConv3({c}) → {n}",
        ),
    ),
    "resampling": Kind(
        ("16×14×14", "32×9×11", "3×24×24", "24×7×5", "64×8×8", "20×40", "16×3×6×6", "4×31×17"),
        (
            "ConvT2({c}, 2)",
            "ConvT4x4({c}, 2, pad=1) → BN → {a}",
            "ConvT3x3({c}, 2, pad=1, output_pad=1)",
            "ConvT3x3({c}, {s}, pad={p}, dilation={d})",
            "ConvT{k}({c}, groups={g})",
            "cat{ id | MaxPool → Conv3({c}) → {a} → Upsample(size=in.size) }",
            "cat{ id | MaxPool → Conv3({c}) → ConvT2(16, 2) → Crop(size=in.size) }",
            "Upsample(2, linear) → Conv3({c})",
            "Upsample({s})",
            "Upsample(1.5, linear)",
            "Upsample(size=19, mode=bicubic, align=true)",
            "Conv3x3(64) → PixelShuffle(2)",
            "PixelUnshuffle(2)",
            "Pad(2, replicate) → Conv3({c}, pad=valid)",
            "Pad({s})",
            "Conv{k}({c}, pad_mode=reflect)",
            "AvgPool3(2, 1, count_pad=false)",
            "AvgPool3(2, ceil=true)",
            "AdaptiveAvgPool(3)",
            "AdaptiveMaxPool(4)",
            "BlurPool",
            "Roll(1)",
        ),
    ),
    "signal": Kind(
        ("1×4000", "1×16000", "8×1001", "32×513", "16×2048", "2×777", "64×250"),
        (
            "Conv80({c}, stride=4) → BN → {a}",
            "Conv9({c}, stride={s}) → {a} → MaxPool4",
            "Conv3({c}, pad=causal, dilation={d}) → {a}",
            "Conv2({c}, pad=causal, dilation=8)",
            "mul{ Conv3({w}, dilation=2) → Tanh | Conv3({w}, dilation=2) → Sigmoid } → Conv1({c})",
            "add{ id | Conv3({c}, pad=causal) → {a} → Conv1(in.channels) }",
            "DWConv9 → Conv1({c}) → {n} → {a}",
            "MaxPool4(4)",
            "AvgPool",
            "ConvT4({c}, 2)",
        ),
    ),
    "windows": Kind(
        ("16×21×21", "3×40×40", "32×13×17", "20×16×16", "12×30×9", "16×80", "64×11×11", "8×5×9×9"),
        (
            "Conv{k}({c}, stride={s}, dilation={d}, pad={p}) → {a}",
            "Conv{k}({c}, pad={p})",
            "Conv5x1({c}) → Conv1x5({c}) → {a}",
            "Conv3x3({c}, dilation={d}, groups={g})",
            "Conv2({c}, 2) → {a}",
            "Conv7({c}, {s})",
            "cat{ Conv3(16, dilation=i) for i in 1..3 } → Conv1({c})",
            "MaxPool3(1, same, dilation=2)",
            "MaxPool{k}({s}, 1)",
            "MaxPool3(2, same_tf) → {a}",
            "MaxPool3(2, ceil=true)",
            "AvgPool{k}({s})",
            "LPPool3(2, stride=1)",
            "AvgPool3(1, 1) → {a}",
        ),
    ),
    "merges": Kind(
        ("16×12×12", "33×7×9", "48×5×5", "64", "100", "24×60", "16×3×5×5", "3×16×16"),
        (
            "mul{ id | GlobalAvgPool → {a} }",
            "sub{ id | Conv3(in.channels) } → {a}",
            "max{ id | Conv1(in.channels) → {a} | Conv3(in.channels) }",
            "min{ id | Conv3(in.channels) → {a} }",
            "mean{ id | Conv3(in.channels) | {a} }",
            "add{ id | GlobalMaxPool }",
            "add{ id | {a} | Conv3(in.channels) } → {a}",
            "mul{ Conv1({w}) | Conv3({w}) } → {a}",
            "matmul{ id | Permute(0, 2, 1) }",
            "FC({c}) → {a}",
            "add{ id | FC(in.channels) → {a} }",
            "{a}",
            "Normalize(0.5, 0.25)",
            "Scale → {a}",
        ),
    ),
    "tuples": Kind(
        ("16×12×12", "32×7×9", "24×14×14", "8×64", "12×3×6×6", "64×5×5"),
        (
            "[Conv3({w}) → {a} as maps[]]×{s} → cat{ id | maps } → Conv1(in.channels)",
            "[add{ id | Conv1(in.channels) → {a} } as sums[]]×3 → add{ sums }",
            "Conv1(2 × in.channels) → Split(2) as (left, right) → cat{ right | left → {a} }",
            "Split([in.channels - 2, 2]) as parts → cat{ parts[1] | parts[0] → Conv3({w}) }",
            "cat{ DWConv3(dilation=d) for d in [1, {d}] if d < 3 } → Conv1(in.channels)",
            "(Conv3({w}, dilation=d) → {a} for d in 1..{d}) → Joined",
            "([[Conv1({w}) → {a}]×i] for i in range(1, {h} + 1)) → Joined → Conv1(in.channels)",
            "Conv3({w}) as before → MaxPool3(1, 1) → Pyramid",
            "Conv1(near(in.channels + 3)) → {a}",
            "Split([1, in.channels - 1]) as (_, rest) → cat{ rest | rest → {a} }",
            "mul{ id | 0.17 }",
            "add{ id | -3 } → {a}",
            "sub{ 1 | id } → {a}",
            "div{ id | 4 }",
            "max{ id | 0.1 } → Conv3({c})",
            "min{ id | 0.5 | {a} }",
            "div{ id | add{ Abs | 1 } }",
            "div{ id | GlobalAvgPool → Abs → add{ id | 1 } }",
            "sub{ id | GlobalAvgPool } → {a}",
            "max{ id | GlobalMaxPool → mul{ id | 0.5 } }",
        ),
        """fn near(c, q=8) = max(q, (c + q // 2) // q × q)
block Joined takes maps[] {
  cat{ m → BN for m in maps } → {a}
}
block Pyramid {
  [MaxPool3(1, 1) as levels[]]×2
  → cat{ in | levels }
}""",
    ),
    "tensors": Kind(
        ("16×8×8", "24×7×9", "32×5×5", "8×40", "12×3×4×4", "tokens 49×32", "tokens 16×24"),
        (
            "add{ id | bias: Weight(in.shape) }",
            "mul{ id | gain: Weight([in.channels, 1, 1], 1) } → {a}",
            "mul{ id | scale: Weight([1, 1, 1], init=2) }",
            "add{ id | Const([[[sin(i + j) for j in range(in.shape[2])] for i in range(in.shape[1])]]) }",
            "add{ id | Const([[[cos(i)]] for i in range(in.channels)]) }",
            "Softmax(axis=1)",
            "Linear({w}, axis=1) → {a}",
            "Linear(axis=0)",
            "LN(axis=1)",
            "RMSNorm(axis=0)",
            "add{ id | Mean(1, keep=true) }",
            "add{ id | Sum(1, keep=true) → mul{ id | 0.125 } }",
            "Permute(1, 2, 0) → LN → Linear({w}) → {a} → Permute(2, 0, 1)",
            "Unfold3x3 → {a} → Conv1({c})",
            "Conv1(9 × 8) → Fold3x3(size=in.size)",
            "ToTokens → attend(heads={h}){ Linear({w}) | Linear({w}) | Linear({w}) }",
            "attend(heads={h}){ Linear({w}) | Linear({w}) | Linear(8) → {a} } → Linear({c})",
            "attend{ LN | id | id } → LN",
            "add{ id | attend(heads=2){ q: Linear | k: Linear | v: Linear } }",
            "mul{ id | {a} → Softmax(axis=0) }",
            "Square → add{ id | 1 } → Sqrt",
            "Clip(-1, 1) → Exp",
        ),
    ),
}
"""Kinds in the order in which seeds take turns."""

REARRANGED = Kind(
    ("3×8×8", "8×16×16", "4×12", "2×4×6×6", "24", "16×7×9"),
    (
        "Flatten → FC(128) → Reshape(8, 4, 4) → Conv3x3({c})",
        "Flatten → FC(64) → Reshape(2, 4, 2, 4) → Conv3x3x3({c})",
        "ToTokens → Attention(1) → ToMap(8, 8) → Conv3x3({c})",
        "ToTokens → LN → Attention(1)",
        "Reshape(4, -1, 4) → Conv3x3({c})",
        "matmul{ Reshape(2, 4, -1, 4) | Reshape(2, 4, 4, -1) } → Permute(0, 2, 1, 3)",
        "Permute(0, 2, 1) → Conv3({c})",
        "sub{ tower | {a} → tower }",
        "sub{ tower | Dropout(0.5) → tower } → FC(4)",
        "add{ id | GlobalAvgPool } → Conv1({c})",
        "mul{ id | GlobalAvgPool → Conv1(in.channels) → Sigmoid }",
        "Conv3({c}) → {a}",
        "MaxPool",
        "Upsample(2)",
        "Pad(1)",
        "Slice(0, 2)",
        "Roll(1)",
        "GlobalAvgPool",
    ),
    blocks="share tower = [Conv3(8) → {a} → GlobalAvgPool → FC(16)]",
)
"""Networks whose axes change after everything was seen, and towers that are subtracted. It takes no turn among `KINDS`: what
is asked of it are figures, of more networks than could be compiled."""

BLANKS: dict[str, tuple[str, ...]] = {
    "w": ("16", "64", "24", "33", "128"),
    "c": ("16", "32", "64", "24", "48", "96", "7", "33", "20", "128", "10", "1"),
    "k": ("3", "5", "1", "7", "4", "3", "2"),
    "s": ("1", "2", "2", "3"),
    "p": ("valid", "same_tf", "2", "((0, 1), (2, 0))", "1", "same"),
    "d": ("1", "2", "3"),
    "g": ("2", "4", "8", "3", "1"),
    "h": ("1", "2", "4"),
    "a": (
        "ReLU",
        "ReLU",
        "ReLU6",
        "SiLU",
        "HardSwish",
        "GELU",
        "LeakyReLU(0.1)",
        "Sigmoid",
        "ELU",
        "Mish",
        "Tanh",
        "PReLU",
        "id",
    ),
    "n": ("BN", "GN(2)", "IN(affine=true)", "FrozenBN", "id"),
    "se": (
        "mul{ id | GlobalAvgPool → Conv1(8) → {a} → Conv1(in.channels) → Sigmoid }",
        "mul{ id | AdaptiveAvgPool(1) → Conv1(20) → ReLU → Conv1(in.channels) → HardSigmoid }",
    ),
}

HEADS = (
    "GlobalAvgPool → FC(10)",
    "Flatten → FC({c}) → {a} → FC(12)",
    "AdaptiveAvgPool(2) → Flatten → FC(33) → ReLU",
    "GlobalMaxPool → FC({c})",
    "Slice(0, 1) → Flatten",
    "Mean(0) → FC(10)",
    "Conv1(20)",
)
"""What may come last."""
