"""Networks of ours that other packages have, built by them: `python -m tests.architectures.packages` writes `packages.json`.

It needs monai 1.6.1, pytorchvideo 0.1.5, segmentation-models-pytorch 0.6.0, torchaudio 2.11.1, transformers 5.24.0 and basicsr
1.4.2 beside torch; none of them is needed to run the tests.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.networks.truth import Figures, digest

FILE = Path(__file__).with_suffix(".json")
SIZES = {
    "edsr": "3x8x8", "edsr_baseline": "3x20x24", "rcan": "3x8x8", "segformer_b0": "3x64x64", "slowfast_r50": "",
    "unet_plus_plus_resnet34": "3x64x64", "vnet": "1x32x32x32", "wav2letter": "1x16000", "x3d_xs": "3x4x160x160",
}  # fmt: skip
"""One of each family, and the size at which outputs are compared; SlowFast only has its own."""


def package(name: str) -> Path:
    """Where it lies; the test is skipped where it is not installed."""
    import pytest

    from tests.oracle import torchvision_models

    torchvision_models()
    found = PathFinder.find_spec(name)
    if found is None or found.origin is None:
        pytest.skip(f"{name} is not installed")
    return Path(found.origin).parent


def _basicsr(file: str, model: str, **options: Any) -> Any:
    """Its networks without all else that it imports: OpenCV, and parts of torchvision that are gone."""
    root = package("basicsr")
    for name in ("basicsr", "basicsr.archs", "basicsr.utils"):
        part: Any = ModuleType(name)
        part.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        part.get_root_logger = None
        sys.modules.setdefault(name, part)
    return getattr(import_module(f"basicsr.archs.{file}"), model)(3, 3, upscale=2, **options)


def _x3d(frames: int, size: int, deeper: float) -> Any:
    package("pytorchvideo")
    from pytorchvideo.models.x3d import create_x3d  # type: ignore[import-not-found]

    # Its head ends in a softmax, ours in logits.
    return create_x3d(input_clip_length=frames, input_crop_size=size, depth_factor=deeper, head_activation=None)


def _slowfast(depth: int) -> Any:
    package("pytorchvideo")
    from pytorchvideo.models.slowfast import create_slowfast  # type: ignore[import-not-found]

    return create_slowfast(model_depth=depth)


def _vnet() -> Any:
    package("monai")
    from monai.networks.nets.vnet import VNet  # type: ignore[import-not-found]

    return VNet(out_channels=2)


def _wav2letter() -> Any:
    """From its own file: the package loads a library that is built for other torches."""
    spec: Any = spec_from_file_location("wav2letter", package("torchaudio") / "models" / "wav2letter.py")
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Wav2Letter(num_classes=40)


def _unet_plus_plus(encoder: str) -> Any:
    package("segmentation_models_pytorch")
    from segmentation_models_pytorch import UnetPlusPlus  # type: ignore[import-not-found]

    return UnetPlusPlus(encoder, encoder_weights=None)


def _segformer(widths: list[int], counts: list[int], decoder: int = 768) -> Any:
    package("transformers")
    from transformers import SegformerConfig, SegformerForSemanticSegmentation  # type: ignore[import-not-found]

    # Fused attention is one call, whose work torch's counter does not see.
    config = SegformerConfig(
        depths=counts, hidden_sizes=widths, decoder_hidden_size=decoder, num_labels=150, attn_implementation="eager"
    )
    return SegformerForSemanticSegmentation(config)


_WIDE = [64, 128, 320, 512]
BUILDERS: dict[str, Callable[[], Any]] = {
    "edsr": lambda: _basicsr("edsr_arch", "EDSR", num_feat=256, num_block=32, res_scale=0.1),
    "edsr_baseline": lambda: _basicsr("edsr_arch", "EDSR"),
    "rcan": lambda: _basicsr("rcan_arch", "RCAN", num_block=20),
    "segformer_b0": lambda: _segformer([32, 64, 160, 256], [2, 2, 2, 2], 256),
    "segformer_b1": lambda: _segformer(_WIDE, [2, 2, 2, 2], 256),
    "segformer_b2": lambda: _segformer(_WIDE, [3, 4, 6, 3]),
    "segformer_b3": lambda: _segformer(_WIDE, [3, 4, 18, 3]),
    "segformer_b4": lambda: _segformer(_WIDE, [3, 8, 27, 3]),
    "segformer_b5": lambda: _segformer(_WIDE, [3, 6, 40, 3]),
    "slowfast_r50": lambda: _slowfast(50),
    "unet_plus_plus_resnet34": lambda: _unet_plus_plus("resnet34"),
    "unet_plus_plus_resnet50": lambda: _unet_plus_plus("resnet50"),
    "vnet": _vnet,
    "wav2letter": _wav2letter,
    "x3d_xs": lambda: _x3d(4, 160, 2.2),
    "x3d_s": lambda: _x3d(13, 160, 2.2),
    "x3d_m": lambda: _x3d(16, 224, 2.2),
    "x3d_l": lambda: _x3d(16, 312, 5.0),
}


def answer(network: Any, inputs: list[Any]) -> Any:
    """What the package's network gives: a list goes into the one that has two paths, and some give more than a tensor."""
    given = network(inputs) if len(inputs) > 1 else network(*inputs)
    return getattr(given, "logits", given)


def figures(name: str) -> Figures:
    """Those of the package's network, at the size that ours has by itself."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from cnndsl import load

    with torch.device("meta"):
        network = BUILDERS[name]().eval()
        inputs = [torch.empty(1, *port.type.shape) for port in load(name).graph.inputs]
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            answer(network, inputs)
    state = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    params = sum(weight.numel() for weight in network.parameters())
    return Figures(params, counter.get_total_flops() // 2, len(state), digest(state.items()))


if __name__ == "__main__":
    FILE.write_text(json.dumps({name: figures(name)._asdict() for name in BUILDERS}, indent=2) + "\n", "utf-8")
