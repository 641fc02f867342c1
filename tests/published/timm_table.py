"""What timm publishes of our networks under names that carry a sum; `python -m tests.published.timm_table` writes the file that ships."""

from __future__ import annotations

import importlib
import math
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from cnndsl import pipeline
from cnndsl.disk import shelf
from cnndsl.published.table import table
from tests.oracle import torchvision_models
from tests.published.torchvision_table import as_toml

FILE = Path(__file__).resolve().parents[2] / "architectures" / "published" / "timm.toml"
HEAD = """\
# Weights that timm publishes for networks of ours that have its keys, where the file's name carries the first eight digits of
# its SHA-256 sum. Written from the metadata of timm {version} by `python -m tests.published.timm_table`, and held against it by a
# test. The wheel says neither sizes nor accuracies. Left out are files that timm's own code changes when it reads them, those
# for other classes than ImageNet's thousand, and those that torchvision publishes. Licences are as timm states them.
#
# Of networks of which nothing else is published, timm's hub has a file without a sum, which is taken only by who asks for it.
"""
HUB = "https://huggingface.co/{}/resolve/main/model.safetensors"


def timm_models() -> tuple[Any, Any]:
    """timm, and its metadata of weights by name; the test is skipped where it is not installed."""
    torchvision_models()
    timm = pytest.importorskip("timm")
    from timm.models import _registry

    return timm, _registry._model_pretrained_cfgs


def entries() -> list[dict[str, Any]]:
    """Networks in our order; of each, the weights that timm prefers come first."""
    timm, known = timm_models()
    ours = set(shelf.architectures()) & set(timm.list_models())
    taken = {entry.url for entry in table() if "timm" not in entry.source}
    rows: dict[str, list[tuple[str, Any]]] = {}
    for key, about in known.items():
        name, dot, tag = key.partition(".")
        if name in ours and dot and _plain(about) and about.url not in taken:
            rows.setdefault(name, []).append((tag, about))
    found = []
    for name in shelf.architectures():
        if name in rows and _takes_files_as_they_are(timm, name):
            first = timm.get_pretrained_cfg(name).tag
            for tag, about in sorted(rows[name], key=lambda row: row[0] != first):
                found.append(_entry(f"timm {timm.__version__}", name, tag, about))
    known_elsewhere = {entry.network for entry in table() if "timm" not in entry.source}
    without = ours - {row["network"] for row in found} - known_elsewhere
    for name in (name for name in shelf.architectures() if name in without):
        about = timm.get_pretrained_cfg(name)
        if about and about.hf_hub_id and _for_a_thousand(about) and _keys_are_ours(timm, name):
            found.append(_entry(f"timm {timm.__version__}", name, about.tag, about, on_hub=True))
    return found


def _plain(about: Any) -> bool:
    """Whether the file is known by its name, and is for ImageNet's thousand classes."""
    named = re.search(r"^https://.*-[0-9a-f]{8}\.pth$", about.url or "")
    return bool(named) and _for_a_thousand(about)


def _for_a_thousand(about: Any) -> bool:
    odd = about.custom_load or about.label_offset or about.crop_mode != "center" or about.hf_hub_filename
    return not odd and about.num_classes == 1000


def _takes_files_as_they_are(timm: Any, name: str) -> bool:
    """Whether timm's keys are ours, and nothing renames a file's keys before they are taken."""
    changed: list[Any] = []
    module = importlib.import_module(timm.model_entrypoint(name).__module__)
    build = module.build_model_with_cfg

    def watched(*args: Any, **options: Any) -> Any:
        changed.extend([options.get("pretrained_filter_fn"), not options.get("pretrained_strict", True)])
        return build(*args, **options)

    module.build_model_with_cfg = watched  # type: ignore[attr-defined]
    try:
        return _keys_are_ours(timm, name) and not any(changed)
    finally:
        module.build_model_with_cfg = build  # type: ignore[attr-defined]


def _keys_are_ours(timm: Any, name: str) -> bool:
    import torch

    with torch.device("meta"):
        state = timm.create_model(name).state_dict()
    theirs = {key: tuple(value.shape) for key, value in state.items()}
    return theirs == {entry.key: entry.weight.shape for entry in pipeline.load(name).graph.weights}


def _entry(source: str, name: str, tag: str, about: Any, *, on_hub: bool = False) -> dict[str, Any]:
    side = about.input_size[1]
    pictures: dict[str, Any] = {
        "resize": math.floor(side / about.crop_pct),
        "crop": side,
        "mean": list(about.mean),
        "std": list(about.std),
    }
    if about.interpolation != "bilinear":
        pictures["interpolation"] = about.interpolation
    if on_hub:
        file = {"url": HUB.format(about.hf_hub_id), "format": "safetensors"}
    else:
        file = {"url": about.url, "sha256": about.url.rpartition("-")[2].removesuffix(".pth")}
    return {
        "network": name,
        "which": tag,
        "source": source,
        **file,
        "licence": about.license or "not stated",
        "classes": "imagenet",
        "pictures": pictures,
    }


def text() -> str:
    """The file, one paragraph for each set of weights."""
    timm, _ = timm_models()
    return as_toml(HEAD.format(version=timm.__version__), entries())


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
    print(f"{FILE.read_text('utf-8').count('[[weights]]')} sets of weights", file=sys.stderr)
