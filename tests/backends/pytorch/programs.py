"""Networks that put the text of a module to the test: shares, interleaved scopes, names that Python keeps."""

from __future__ import annotations

PROGRAMS = {
    "chain": """input 3×32×32
[Conv3x3(32) → ReLU]×2 → MaxPool → [Conv3x3(64) → ReLU]×2 → MaxPool → FC(128) → ReLU → FC(10)""",
    "unet": """input image: 3×32×32
block Double(c) { [Conv3x3(c) → BN → ReLU]×2 }
Double(8) as e1 → MaxPool → Double(16) as e2 → MaxPool → Double(32)
    → Conv1x1(16) → GlobalAvgPool → Conv1x1(16) → mul{ e2 | id } → Double(16) → Conv1x1(8) → GlobalAvgPool → mul{ e1 | id } → Double(8) → Conv1x1(4)""",
    "dense": """input 8×16×16
[ cat{ id | BN → ReLU → Conv1x1(16) → BN → ReLU → Conv3x3(4) } ]×6
→ GlobalAvgPool → FC(3)""",
    "denseblock": """input 8×16×16
block Layer(g=4) { cat{ id | norm1: BN → relu1: ReLU → conv1: Conv1x1(16) → norm2: BN → ReLU → conv2: Conv3x3(g) } }
features: [ denseblock1: [denselayer{i}: Layer for i in 1..4] → denseblock2: [denselayer{i}: Layer for i in 1..3] ]
→ GlobalAvgPool → classifier: FC(3)""",
    "share": """input x: 8×16×16
share head = [Conv3x3(8) → ReLU]×2
p3 = x → Conv1x1(8)
p4 = p3 → MaxPool
a = p3 → head → cls3: Conv1x1(2)
b = p4 → head → cls4: Conv1x1(2)
output a, b""",
    "share_at_two_sizes": """input x: 8×16×16
share head = [Conv3x3(6) → Permute(1, 2, 0) → Reshape(-1, 3)]
p3 = x → Conv1x1(8)
p4 = p3 → MaxPool
a = p3 → head → Softmax
b = p4 → head → Softmax
output a, b""",
    "share_that_pads_otherwise": """input x: 8×16×16
share head = [Conv3x3(6, stride=2, pad=same_tf) → ReLU]
p3 = x → Conv1x1(8)
p4 = p3 → Crop(size=15)
a = p3 → head → Conv1x1(2)
b = p4 → head → Conv1x1(2)
output a, b""",
    "share_in_block": """input x: 8×16×16
share head = Conv3x3(8)
block B { conv: Conv1x1(8) → ReLU → fin: Conv1x1(8) }
x → s1: [ conv: Conv1x1(8) → head → ReLU → c2: Conv1x1(8) ] → s2: [ conv: Conv1x1(8) → head → ReLU ] → head → B""",
    "aux": """input image: 3×16×16
s = image → stem: [Conv3x3(8) → BN → ReLU]
aux = s → aux1: [Conv1x1(4) → GlobalAvgPool → FC(3)]
logits = s → body: [Conv3x3(8) → BN] → GlobalAvgPool → fc: FC(3)
output logits
output aux if training""",
    "inception": """input image: 3×32×32
default Conv(bias=false)
block CBR(c) { conv: Conv1x1(c) → bn: BN → ReLU }
block CBR3(c) { conv: Conv3x3(c) → bn: BN → ReLU }
block Inception(a, b, c, d, e, f) {
 cat{ branch1: CBR(a) | branch2: [CBR(b) → CBR3(c)] | branch3: [CBR(d) → CBR3(e)] | branch4: [MaxPool3x3(1, 1) → CBR(f)] }
}
inception3a: Inception(64, 96, 128, 16, 32, 32) → inception3b: Inception(128, 128, 192, 32, 96, 64) → MaxPool3x3(2, 1)
→ inception4a: Inception(192, 96, 208, 16, 48, 64) → GlobalAvgPool → fc: FC(10)""",
    "names": """input class: 3×8×8
class → lambda: Conv3x3(4) → a-b: BN → None: [1: Conv1x1(4) → ReLU → x-y: Conv1x1(4)] → nn: [torch: Conv1x1(2) → self: BN] → F: Conv3x3(2)""",
    "interleaved": """input x: 4×8×8
a = x → convs.0: Conv3x3(4) → norms.0: BN → ReLU
b = a → convs.1: Conv3x3(4) → norms.1: BN → ReLU
c = b → mods.keys: Conv3x3(4) → other.q: BN → mods.b: Conv1x1(4) → other.r: BN
output a, b, c""",
    "mobile": """input image: 3×32×32
block IR(c, stride=1, t=6) {
  let hidden = in.channels * t
  conv: [ [0: [Conv1x1(hidden, bias=false) → BN → ReLU6]] if t ≠ 1 → [DWConv3x3(stride, bias=false) → BN → ReLU6] → Conv1x1(c, bias=false) → BN ]
}
block Res(c, stride=1, t=6) { add{ IR(c, stride, t) | id } if stride == 1 and in.channels == c else IR(c, stride, t) }
features: [ Conv3x3(16, stride=2, bias=false) → BN → ReLU6 → Res(8, 1, 1) → Res(16, 2) → Res(16) → Res(24, 2) → Res(24)×3 ] → GlobalAvgPool → classifier: [Dropout(0.2) → FC(10)]""",
    "two": """input a: 3×8×8
input b: 3×8×8
block Mix takes p, q { u: Conv3x3(4) → ReLU
 output p }
x = a → ca: Conv3x3(4)
y = b → cb: Conv3x3(4)
add{ x | y } → ReLU → Conv1x1(2)""",
    "multi": """input x: 4×8×8
block Pair(c) takes p, q {
  u = p → a: Conv3x3(c) → BN → ReLU
  v = add{ q | p } → b: Conv3x3(c) → BN → ReLU
  output u, v
}
block Two(c) takes p, q { (m, n) = (p, q) → Pair(c)
 output m, n }
s = x → Conv1x1(4)
(m, n) = (x, s) → st1: Pair(4)
(o, r) = (m, n) → st2: Pair(4)
output o, r""",
    "pads": """input x: 2×9×9
Conv3x3(4, pad=((0, 1), (2, 0))) → BN → MaxPool3x3(2, same_tf) → AvgPool3x3(1, ((1, 0), (0, 1)), count_pad=false) → Conv3x3(4, pad_mode=reflect)""",
    "auxin": """input image: 3×16×16
block B(c) { s = in → c1: Conv3x3(c) → BN
 t = s → aux: Conv1x1(2)
 output s, t }
(a, b) = image → b1: B(4)
(c, d) = a → b2: B(6)
e = c → GlobalAvgPool → fc: FC(3)
output e
output d if training
output b if training""",
    "identity": """input x: 2×3
output x""",
}
