"""Networks with attention in windows and at several scales: masks, tables by position, parts of each example in the batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import cnndsl
from cnndsl.diagnostics.errors import CnnError
from cnndsl.importing.from_torch import import_module
from cnndsl.importing.imported import Imported
from cnndsl.importing.patterns.attending.parts import parts_of
from cnndsl.importing.structure.blocks.tables import table
from tests.few import few
from tests.oracle import torchvision_models


def swin(**options: Any) -> Any:
    torchvision_models()
    from torchvision.models.swin_transformer import SwinTransformer

    sizes = {"patch_size": [2, 2], "embed_dim": 8, "depths": [2, 2], "num_heads": [2, 4], "window_size": [3, 3]}
    return SwinTransformer(**sizes, **options, num_classes=5), (3, 24, 24)


def swin_v2() -> Any:
    torchvision_models()
    from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformerBlockV2

    return swin(block=SwinTransformerBlockV2, downsample_layer=PatchMergingV2)


def swin3d() -> Any:
    torchvision_models()
    from torchvision.models.video.swin_transformer import SwinTransformer3d

    sizes = {"patch_size": [1, 2, 2], "embed_dim": 8, "depths": [2], "num_heads": [2], "window_size": [2, 3, 3]}
    return SwinTransformer3d(**sizes, num_classes=5), (3, 4, 12, 12)


def maxvit() -> Any:
    torchvision_models()
    from torchvision.models.maxvit import MaxVit

    return MaxVit((32, 32), 8, 4, [8, 16], [1, 1], 4, 0.2, num_classes=5), (3, 32, 32)


def mvit(second: bool) -> Any:
    torchvision_models()
    from torchvision.models.video.mvit import MSBlockConfig, MViT

    def stage(channels: int, out: int, heads: int, stride: list[int]) -> Any:
        return MSBlockConfig(heads, channels, out, [3, 3, 3], [3, 3, 3], stride, [1, 2, 2])

    blocks = [stage(8, 8, 1, [1, 1, 1]), stage(8, 16, 2, [1, 2, 2])]
    more = {
        "residual_pool": second,
        "residual_with_cls_embed": False,
        "rel_pos_embed": second,
        "proj_after_attn": second,
    }
    made = MViT((32, 32), 4, blocks, patch_embed_kernel=(1, 4, 4), patch_embed_stride=(1, 4, 4),
                patch_embed_padding=(0, 0, 0), num_classes=5, **more)  # fmt: skip
    return made, (3, 4, 32, 32)


NETWORKS: dict[str, Callable[[], Any]] = {
    "swin": swin,
    "swin_v2": swin_v2,
    "swin3d": swin3d,
    "maxvit": maxvit,
    "mvit_v1": partial(mvit, second=False),
    "mvit_v2": partial(mvit, second=True),
}


def imported(module: Any, shape: tuple[int, ...]) -> Imported:
    torch.manual_seed(0)
    return import_module(module.eval(), [(shape, "float32")], "net", "PyTorch")


@cache
def small(name: str) -> Imported:
    torch.manual_seed(0)
    return imported(*NETWORKS[name]())


@pytest.mark.parametrize("name", few(NETWORKS, {0, 4}))
def test_a_small_network_of_each_family_comes_in_and_gives_the_same(name: str) -> None:
    found = small(name)
    assert found.report.form == "blocks"
    assert found.report.max_rel_error is not None
    assert found.report.max_rel_error <= 1e-4
    assert found.report.keys == "equal"


def test_windows_are_told_by_what_arrives() -> None:
    text = small("swin").text
    assert "Reshape(in.shape[0] // 3, 3, in.shape[1] // 3, 3, in.channels)" in text
    assert "attend(heads)" in text
    assert "Const(values=[[0 if at < in.shape[0] - 1 else 2] for at in range(in.shape[0])])" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["swin_t", "swin_v2_t", "swin3d_t", "maxvit_t", "mvit_v1_b", "mvit_v2_s"])
def test_a_published_network_of_each_family_comes_in(name: str) -> None:
    torchvision_models()
    from cnndsl.importing.libraries.named import named

    found = named(f"torchvision:{name}", {})
    report = import_module(found.module, [(found.size, "float32")], name, "torchvision", compare=False).report
    assert report.form == "blocks"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "swin_tiny_patch4_window7_224",
        "swinv2_tiny_window8_256",
        "levit_128s",
        "efficientvit_m0",
        "efficientformer_l1",
        "hiera_tiny_224",
        "vit_relpos_small_patch16_224",
        "gcvit_xxtiny",
        "samvit_base_patch16_224",
        "volo_d1_224",
    ],
)
def test_a_network_of_each_family_of_timm_comes_in(name: str) -> None:
    torchvision_models()
    pytest.importorskip("timm")
    from cnndsl.importing.libraries.named import named

    found = named(f"timm:{name}", {})
    report = import_module(found.module, [(found.size, "float32")], name, "timm", compare=False).report
    assert report.form == "blocks"


class Written(nn.Module):  # type: ignore[misc]
    """Tensors that are written into through parts of them."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.conv = nn.Conv2d(4, 4, 1)

    def forward(self, x: Any) -> Any:
        y = self.conv(x)
        part = y[:, 1:3]
        if self.how == "added":
            y[:, :, 1:] += x[:, :, 1:]
        if self.how == "silenced":
            part.zero_()
        if self.how == "seen later":
            y.mul_(2)
            return torch.cat([part, y], 1)
        if self.how == "copied first":
            z = y.clone()
            z.mul_(2)
            return y + z
        if self.how == "turned":
            y.permute(0, 2, 3, 1)[..., :2].mul_(3)
        return y.flatten(1)


@pytest.mark.parametrize("how", ["added", "silenced", "seen later", "copied first", "turned"])
def test_what_is_written_into_a_part_is_seen_in_the_whole(how: str) -> None:
    torch.manual_seed(0)
    net = cnndsl.from_torch(Written(how).eval(), (4, 5, 6))
    assert net.report.max_rel_error is not None
    assert net.report.max_rel_error <= 1e-6


class Stepped(nn.Module):  # type: ignore[misc]
    def forward(self, x: Any) -> Any:
        x[:, ::2].zero_()
        return x


def test_what_is_written_at_steps_is_refused_by_name() -> None:
    with pytest.raises(CnnError, match="cannot-import") as caught:
        cnndsl.from_torch(Stepped().eval(), (4, 5, 6))
    assert any("writing at steps of an axis" in note for note in caught.value.diagnostics[0].notes)


class Pieces(nn.Module):  # type: ignore[misc]
    """Products by letters, neighbours by steps, the largest of a few, windows as channels, and parts in the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.deep, self.wide = nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.Conv2d(4, 6, 1)
        self.norm = nn.BatchNorm2d(6)
        self.table = nn.Parameter(torch.randn(4, 6, 3))

    def forward(self, x: Any) -> Any:
        b = x.shape[0]
        near = torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)
        few = near.unflatten(1, (4, 4)).amax(1)
        rows = x.unflatten(2, (2, 4)).transpose(1, 2).reshape(b * 2, 4, 4, 8)
        rows = self.norm(self.wide(self.deep(rows))).reshape(b, 2, 6, 4, 8)
        said = torch.einsum("bnchw,hco->bnohw", rows, self.table)
        unfolded = functional.unfold(few, 3, padding=1)
        folded = functional.fold(unfolded, (4, 4), 3, padding=1)
        return said.flatten(1), torch.einsum("bchw,bdhw->bcd", few, folded), x[:, :, ::3].swapaxes(2, 3)


def test_operations_that_such_networks_are_made_of_have_layers() -> None:
    torch.manual_seed(0)
    net = cnndsl.from_torch(Pieces().eval(), (4, 8, 8))
    words = {node.op.word for node in net.graph.nodes}
    assert {"Unfold", "Fold", "matmul", "BN", "DWConv"} <= words
    assert net.report.max_rel_error is not None
    assert net.report.max_rel_error <= 1e-5


def test_a_mask_of_windows_is_known_by_the_parts_of_the_map() -> None:
    rows, columns = np.repeat([0, 1], [5, 1]), np.repeat([0, 1, 2], [3, 2, 1])
    label = (rows[:, None] * 3 + columns).reshape(2, 3, 2, 3).transpose(0, 2, 1, 3).reshape(4, 9)
    mask = np.where(label[:, :, None] == label[:, None], 0.0, -100.0)[:, None]
    found = parts_of(mask)
    assert found is not None
    assert (found.value, found.windows, found.size) == (-100.0, (2, 2), (3, 3))
    assert found.along == ((0, 0, 0, 0, 0, 1), (0, 0, 0, 0, 0, 1)) or found.along[0] == (0, 0, 0, 0, 0, 1)
    mask[0, 0, 0, 1] = -100.0
    assert parts_of(mask) is None


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.0,) * 6 + (1.0,) * 4, "[0 if at < 6 else 1 for at in range(10)]"),
        (((0.0,) * 8,), "[[0 for at in range(8)]]"),
        (((0.0,),) * 5 + ((2.0,),) * 3, "[[0 if at < 5 else 2] for at in range(8)]"),
        (tuple(tuple((y, x) for x in (1.0, 2.0)) for y in (3.0, 4.0)), "[[[y, x] for x in [1, 2]] for y in [3, 4]]"),
        (tuple(float(n) for n in range(9)), None),
    ],
)
def test_a_list_with_a_rule_is_written_by_it(values: Any, text: str | None) -> None:
    assert table(values) == text
