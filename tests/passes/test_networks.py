"""Guards `passes/`. Fragments of published networks against the modules that people train: same keys, same order, same
shapes.
"""

from __future__ import annotations

from collections import OrderedDict
from importlib import import_module
from typing import Any

import pytest

from tests.oracle import torchvision_models
from tests.passes.reading import net

torch = pytest.importorskip("torch")
nn = torch.nn


@pytest.fixture(scope="module")
def models() -> Any:
    return torchvision_models()


def same_state(text: str, module: Any) -> None:
    ours = [(e.key, e.weight.shape) for e in net(text).weights]
    theirs = [(key, tuple(value.shape)) for key, value in module.state_dict().items()]
    assert ours == theirs


def test_an_inception_cell_of_googlenet(models: Any) -> None:
    text = """
    default Conv(bias=false), BN(eps=1e-3)
    block Basic(c, k=1) { conv: Conv(c, window=k) → bn: BN → ReLU }
    block Inception(c1, r3, c3, r5, c5, pool) {
      cat{
        branch1: Basic(c1)
      | branch2: [Basic(r3) → Basic(c3, 3)]
      | branch3: [Basic(r5) → Basic(c5, 3)]
      | branch4: [MaxPool3x3(1, 1) → Basic(pool)]
      }
    }
    input 192×28×28
    inception3a: Inception(64, 96, 128, 16, 32, 32) → inception3b: Inception(128, 128, 192, 32, 96, 64)
    """
    cell = import_module("torchvision.models.googlenet").Inception
    cells = [cell(192, 64, 96, 128, 16, 32, 32), cell(256, 128, 128, 192, 32, 96, 64)]
    same_state(text, nn.Sequential(OrderedDict(inception3a=cells[0], inception3b=cells[1])))
    assert [str(n.type) for n in net(text).nodes if n.op.word == "cat"] == ["256×28×28", "480×28×28"]


def test_a_dense_block_and_its_transition(models: Any) -> None:
    text = """
    default Conv(bias=false)
    block DenseLayer(growth) {
      cat{ id | norm1: BN → relu1: ReLU → conv1: Conv1x1(4 × growth) → norm2: BN → relu2: ReLU → conv2: Conv3x3(growth) }
    }
    block Transition(c = in.channels // 2) { norm: BN → relu: ReLU → conv: Conv1x1(c) → pool: AvgPool }
    input 64×16×16
    denseblock1: [denselayer{i}: DenseLayer(32) for i in 1..3] → transition1: Transition
    """
    block = models.densenet._DenseBlock(3, 64, 4, 32, 0.0)
    parts = OrderedDict(denseblock1=block, transition1=models.densenet._Transition(160, 80))
    same_state(text, nn.Sequential(parts))


def test_shuffle_units(models: Any) -> None:
    text = """
    default Conv(bias=false)
    block Unit(c) {
      (kept, changed) = in → Split(2)
      cat{ kept | changed → branch2: [Conv1x1(c) → BN → ReLU → DWConv3x3 → BN → Conv1x1(c) → BN → ReLU] }
      → ChannelShuffle(2)
    }
    block Down(c) {
      cat{
        branch1: [DWConv3x3(2) → BN → Conv1x1(c) → BN → ReLU]
      | branch2: [Conv1x1(c) → BN → ReLU → DWConv3x3(2) → BN → Conv1x1(c) → BN → ReLU]
      }
      → ChannelShuffle(2)
    }
    input 24×28×28
    stage2: [Down(58) → Unit(58)×3]
    """
    unit = models.shufflenetv2.InvertedResidual
    same_state(
        text, nn.Sequential(OrderedDict(stage2=nn.Sequential(unit(24, 116, 2), *(unit(116, 116, 1) for _ in range(3)))))
    )
    assert str(net(text).nodes[-1].type) == "116×14×14"


def test_squeeze_and_excitation(models: Any) -> None:
    text = """
    block SE(squeeze, gate=Sigmoid) {
      mul{ avgpool: GlobalAvgPool → fc1: Conv1x1(squeeze) → activation: ReLU → fc2: Conv1x1(in.channels)
         → scale_activation: gate | id }
    }
    input 16×8×8
    SE(4) → SE(8, HardSigmoid)
    """
    from torchvision.ops import SqueezeExcitation

    same_state(text, nn.Sequential(SqueezeExcitation(16, 4), SqueezeExcitation(16, 8)))


def test_inverted_residuals_of_mobilenet(models: Any) -> None:
    text = """
    default Conv(bias=false)
    block Unit(c, stride, expand) {
      add{
        conv: [
          0: [Conv1x1(expand × in.channels) → BN → ReLU6]
          → 1: [DWConv3x3(stride) → BN → ReLU6] → Conv1x1(c) → BN
        ]
      | id if stride == 1 and in.channels == c else none
      }
    }
    input 32×16×16
    Unit(24, 2, 6) → Unit(24, 1, 6)
    """
    unit = models.mobilenetv2.InvertedResidual
    same_state(text, nn.Sequential(unit(32, 24, 2, 6), unit(24, 24, 1, 6)))
    assert [n.op.word for n in net(text).nodes].count("add") == 1


def test_fire_modules_of_squeezenet(models: Any) -> None:
    text = """
    block Fire(squeeze, c) {
      squeeze: Conv1x1(squeeze) → ReLU → cat{ expand1x1: Conv1x1(c) → ReLU | expand3x3: Conv3x3(c) → ReLU }
    }
    input 96×13×13
    features: [Fire(16, 64) → Fire(16, 64) → Fire(32, 128) → MaxPool3x3(2, ceil=true) → Fire(32, 128)]
    """
    fire = models.squeezenet.Fire
    parts = [
        fire(96, 16, 64, 64),
        fire(128, 16, 64, 64),
        fire(128, 32, 128, 128),
        nn.MaxPool2d(3, 2),
        fire(256, 32, 128, 128),
    ]
    same_state(text, nn.Sequential(OrderedDict(features=nn.Sequential(*parts))))


def test_a_pyramid_with_lateral_paths(models: Any) -> None:
    text = """
    block Pyramid(c) takes c3, c4, c5 {
      i3 = c3 → inner_blocks.0.0: Conv1x1(c)
      i4 = c4 → inner_blocks.1.0: Conv1x1(c)
      p5 = c5 → inner_blocks.2.0: Conv1x1(c)
      p4 = add{ i4 | p5 → Upsample(like=i4) }
      p3 = add{ i3 | p4 → Upsample(like=i3) }
      o3 = p3 → layer_blocks.0.0: Conv3x3(c)
      o4 = p4 → layer_blocks.1.0: Conv3x3(c)
      o5 = p5 → layer_blocks.2.0: Conv3x3(c)
      output o3, o4, o5
    }
    input c3: 8×16×16
    input c4: 16×8×8
    input c5: 32×4×4
    (p3, p4, p5) = (c3, c4, c5) → fpn: Pyramid(12)
    output p3, p4, p5
    """
    from torchvision.ops import FeaturePyramidNetwork

    same_state(text, nn.Sequential(OrderedDict(fpn=FeaturePyramidNetwork([8, 16, 32], 12))))
    graph = net(text)
    assert [str(graph.types[o.node]) for o in graph.outputs] == ["12×16×16", "12×8×8", "12×4×4"]


def test_atrous_pyramid_of_deeplab(models: Any) -> None:
    text = """
    default Conv(bias=false)
    block ASPP(c, rates) {
      cat{
        convs.0: [Conv1x1(c) → BN → ReLU]
      | cat{ convs.{i+1}: [Conv3x3(c, dilation=r) → BN → ReLU] for i, r in enumerate(rates) }
      | convs.{len(rates) + 1}: [GlobalAvgPool → Conv1x1(c) → BN → ReLU → Upsample(like=in, mode=bilinear)]
      }
      → project: [Conv1x1(c) → BN → ReLU → Dropout(0.5)]
    }
    input 32×16×16
    classifier.0: ASPP(8, [2, 4, 6]) → classifier.1: Conv3x3(8) → classifier.2: BN → classifier.4: Conv1x1(5, bias=true)
    """
    head = models.segmentation.deeplabv3.DeepLabHead(32, 5, (2, 4, 6))
    ours = {e.key: e.weight.shape for e in net(text).weights}
    theirs = {f"classifier.{k}": tuple(v.shape) for k, v in head.state_dict().items()}
    # torchvision's head has 256 channels throughout.
    assert list(ours) == list(theirs)


def test_a_u_net() -> None:
    class Double(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, i: int, o: int) -> None:
            super().__init__()
            self.double_conv = nn.Sequential(
                nn.Conv2d(i, o, 3, padding=1, bias=False),
                nn.BatchNorm2d(o),
                nn.ReLU(),
                nn.Conv2d(o, o, 3, padding=1, bias=False),
                nn.BatchNorm2d(o),
                nn.ReLU(),
            )

    class UNet(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inc = Double(3, 8)
            self.down1 = nn.Sequential(nn.MaxPool2d(2), Double(8, 16))
            self.down2 = nn.Sequential(nn.MaxPool2d(2), Double(16, 32))
            self.up1 = nn.Module()
            self.up1.up = nn.ConvTranspose2d(32, 16, 2, stride=2)
            self.up1.conv = Double(32, 16)
            self.up2 = nn.Module()
            self.up2.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
            self.up2.conv = Double(16, 8)
            self.outc = nn.Conv2d(8, 2, 1)

    text = """
    block Double(c) { double_conv: [[Conv3x3(c, bias=false) → BN → ReLU]×2] }
    block Up(c) takes x, skip { x → up: ConvT2x2(c, stride=2) → cat{ skip | id } → conv: Double(c) }
    input 3×32×32
    e1 = inc: Double(8)
    e2 = e1 → down1: [MaxPool → Double(16)]
    e3 = e2 → down2: [MaxPool → Double(32)]
    u1 = (e3, e2) → up1: Up(16)
    (u1, e1) → up2: Up(8) → outc: Conv1x1(2)
    """
    same_state(text, UNet())
    assert str(net(text).nodes[-1].type) == "2×32×32"


def test_fusion_of_a_high_resolution_network() -> None:
    def down(i: int, o: int, last: bool) -> Any:
        parts = [nn.Conv2d(i, o, 3, 2, 1, bias=False), nn.BatchNorm2d(o)]
        return nn.Sequential(*parts) if last else nn.Sequential(*parts, nn.ReLU())

    def up(i: int, o: int) -> Any:
        return nn.Sequential(nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o), nn.Upsample(scale_factor=2))

    widths = [8, 16, 32]
    fuse = nn.ModuleList()
    for i in range(3):
        row = nn.ModuleList()
        for j in range(3):
            if j > i:
                row.append(up(widths[j], widths[i]))
            elif j == i:
                row.append(nn.Identity())
            else:
                steps = [
                    down(widths[j], widths[i] if k == i - j - 1 else widths[j], k == i - j - 1) for k in range(i - j)
                ]
                row.append(nn.Sequential(*steps))
        fuse.append(row)
    module = nn.Module()
    module.fuse_layers = fuse
    text = """
    default Conv(bias=false)
    block Up(c, times) { Conv1x1(c) → BN → Upsample(2 ** times) }
    block Down(c, times) {
      {k}: [Conv3x3(c if k == times - 1 else in.channels, 2) → BN → ReLU if k ≠ times - 1] for k in range(times)
    }
    block Fuse(widths) takes x0, x1, x2 {
      y0 = add{ x0 | x1 → fuse_layers.0.1: Up(widths[0], 1) | x2 → fuse_layers.0.2: Up(widths[0], 2) } → ReLU
      y1 = add{ x0 → fuse_layers.1.0: Down(widths[1], 1) | x1 | x2 → fuse_layers.1.2: Up(widths[1], 1) } → ReLU
      y2 = add{ x0 → fuse_layers.2.0: Down(widths[2], 2) | x1 → fuse_layers.2.1: Down(widths[2], 1) | x2 } → ReLU
      output y0, y1, y2
    }
    input x0: 8×16×16
    input x1: 16×8×8
    input x2: 32×4×4
    (y0, y1, y2) = (x0, x1, x2) → f: Fuse([8, 16, 32])
    output y0, y1, y2
    """
    same_state(text, nn.Sequential(OrderedDict(f=module)))
    graph = net(text)
    assert [str(graph.types[o.node]) for o in graph.outputs] == ["8×16×16", "16×8×8", "32×4×4"]


def test_blocks_of_convnext(models: Any) -> None:
    text = """
    block CNBlock {
      add{
        id
      | block: [DWConv7x7 → Permute(1, 2, 0) → LN(1e-6) → Linear(4 × in.channels) → GELU → Linear(in.channels)
        → Permute(2, 0, 1)] → layer_scale: LayerScale(1e-6)
      }
    }
    input 12×14×14
    CNBlock×2
    """
    block = models.convnext.CNBlock
    same_state(text, nn.Sequential(block(12, 1e-6, 0.0), block(12, 1e-6, 0.0)))


def test_an_encoder_block_of_a_vision_transformer(models: Any) -> None:
    text = """
    block Encoder(heads, mlp) {
      add{ id | ln_1: LN(1e-6) → self_attention: Attention(heads) → Dropout(0) }
      → add{ id | ln_2: LN(1e-6) → mlp: [Linear(mlp) → GELU → Dropout(0) → Linear(in.channels) → Dropout(0)] }
    }
    input tokens 10×16
    layers.encoder_layer_0: Encoder(4, 32)
    """
    block = models.vision_transformer.EncoderBlock(4, 16, 32, 0.0, 0.0)
    ours = {e.key: e.weight.shape for e in net(text).weights}
    assert ours == {f"layers.encoder_layer_0.{k}": tuple(v.shape) for k, v in block.state_dict().items()}
    assert list(ours) == [f"layers.encoder_layer_0.{k}" for k in block.state_dict()]
