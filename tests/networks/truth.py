"""What timm's networks are: `python -m tests.networks.truth` writes `truth.json`, where timm is installed beside torchvision."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
PROGRAMS = {
    "botnet26t_256": "attention_resnets.cnn:botnet26t",
    "convit_tiny": "convit.cnn",
    "csatv2": "csatv2.cnn",
    "dm_nfnet_f0": "nfnet.cnn:dm_nfnet_f0",
    "eca_nfnet_l0": "nfnet.cnn:eca_nfnet_l0",
    "edgenext_xx_small": "edgenext.cnn",
    "efficientformerv2_s0": "efficientformer_v2.cnn",
    "efficientvit_m0": "efficientvit_msra.cnn",
    "gcvit_xxtiny": "gcvit.cnn",
    "halonet26t": "attention_resnets.cnn:halonet26t",
    "lambda_resnet26t": "attention_resnets.cnn:lambda_resnet26t",
    "levit_128s": "levit.cnn:levit_128s",
    "levit_conv_128s": "levit.cnn:levit_conv_128s",
    "maxvit_rmlp_nano_rw_256": "maxxvit.cnn:maxvit_rmlp_nano_rw",
    "mvitv2_tiny": "mvitv2.cnn",
    "nf_resnet50": "nfnet.cnn:nf_resnet50",
    "resmlp_12_224": "resmlp.cnn",
    "swiftformer_xs": "swiftformer.cnn",
    "swin_tiny_patch4_window7_224": "swin.cnn",
    "volo_d1_224": "volo.cnn",
    "xcit_nano_12_p16_224": "xcit.cnn",
}
"""The program that says each of timm's networks."""


class Figures(NamedTuple):
    """Trained numbers, multiply-adds at the default size and batch 1, entries of the state dict, and a digest of their keys
    and shapes."""

    params: int
    macs: int
    entries: int
    digest: str


def digest(entries: Iterable[tuple[str, tuple[int, ...]]]) -> str:
    """One short text for all keys and shapes, in whatever order."""
    lines = sorted(f"{key} {'×'.join(map(str, shape))}" for key, shape in entries)
    return sha256("\n".join(lines).encode()).hexdigest()[:16]


def timm_network(name: str) -> Any:
    """timm's network with drawn weights, in evaluation mode. Skips the test where timm is not installed."""
    import pytest

    from tests.oracle import torchvision_models

    torchvision_models()
    timm: Any = pytest.importorskip("timm")
    return timm.create_model(name).eval()


def timm_figures(name: str) -> Figures:
    """The figures of timm's network. Skips the test where timm is not installed."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    network = timm_network(name)
    for part in network.modules():
        # Fused attention is one call, whose work the counter does not see on every machine.
        if hasattr(part, "fused_attn"):
            part.fused_attn = False
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, *network.default_cfg["input_size"]))
    state = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    params = sum(value.numel() for value in network.parameters())
    return Figures(params, counter.get_total_flops() // 2, len(state), digest(state.items()))


if __name__ == "__main__":
    found = {name: timm_figures(name)._asdict() for name in PROGRAMS}
    (HERE / "truth.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
