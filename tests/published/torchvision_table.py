"""What torchvision publishes of our networks, as a table; `python -m tests.published.torchvision_table` writes the file that ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnndsl.disk import shelf
from tests.oracle import torchvision_models

FILE = Path(__file__).resolve().parents[2] / "architectures" / "published" / "torchvision.toml"
HEAD = """\
# Weights that torchvision publishes for networks of ours that have its keys. Written from the metadata of torchvision 0.28.0
# by `python -m tests.published.torchvision_table`, and held against it by a test. A file's name carries the first
# eight digits of its SHA-256 sum. Accuracy is torchvision's, in percent. torchvision states no licence for most weights:
# those of its data may apply (see its README); where it states one, it stands here.
"""
CLASSES = {1000: "imagenet", 21: "voc", 400: "kinetics", 91: "coco91"}

_LETTERBOX = {
    "fit": "letterbox", "corner": True, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    "pad": [0.485, 0.456, 0.406],
}  # fmt: skip
_LEVELS = {"scores": "cls_logits", "offsets": "bbox_regression", "strides": [8, 16, 32, 64, 128]}
_SSD = {"kind": "boxes", "decode": "ssd", "scores": "cls_logits", "offsets": "bbox_regression"}
DETECTORS: dict[str, dict[str, Any]] = {
    "retinanet_resnet50_fpn": {
        "pictures": _LETTERBOX,
        "answer": {"kind": "boxes", "decode": "retinanet"} | _LEVELS | {
            "sizes": [32, 64, 128, 256, 512], "ratios": [0.5, 1.0, 2.0],
            "threshold": 0.05, "overlap": 0.5, "most": 300,
        },
    },
    "fcos_resnet50_fpn": {
        "pictures": _LETTERBOX,
        "answer": {"kind": "boxes", "decode": "fcos"} | _LEVELS | {
            "central": "bbox_ctrness", "threshold": 0.2, "overlap": 0.6, "most": 100,
        },
    },
    "ssd300_vgg16": {
        "pictures": {"fit": "whole", "mean": [0.48235, 0.45882, 0.40784], "std": [1 / 255] * 3},
        "answer": _SSD | {
            "strides": [8, 16, 32, 64, 100, 300], "scales": [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05],
            "aspects": [[2.0], [2.0, 3.0], [2.0, 3.0], [2.0, 3.0], [2.0], [2.0]],
            "threshold": 0.01, "overlap": 0.45, "most": 200, "candidates": 400,
        },
    },
    "ssdlite320_mobilenet_v3_large": {
        "pictures": {"fit": "whole", "mean": [0.5] * 3, "std": [0.5] * 3},
        "answer": _SSD | {
            "strides": [16, 32, 64, 128, 256, 512], "spread": True, "scales": [0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0],
            "aspects": [[2.0, 3.0]] * 6, "threshold": 0.001, "overlap": 0.55, "most": 300, "candidates": 300,
        },
    },
}  # fmt: skip
"""How torchvision's detectors read pictures, and what they do with the numbers of their heads, which no metadata tells."""


def entries() -> list[dict[str, Any]]:
    """Networks in our order; of each, the weights that torchvision prefers come first."""
    models = torchvision_models()
    known = set(models.list_models())
    found = []
    for name in shelf.architectures():
        if name in known:
            sets = models.get_model_weights(name)
            default = getattr(sets, "DEFAULT", None)
            rows = [_entry(name, w) for w in sorted(sets, key=lambda w: w is not default)]
            found += [row for row in rows if row is not None]
    return found


def _entry(name: str, weights: Any) -> dict[str, Any] | None:
    meta, transform = weights.meta, weights.transforms
    stem = weights.url.rpartition("/")[2].removesuffix(".pth")
    if meta["categories"] is None:
        # Features for a detector, which are no classifier.
        return None
    entry: dict[str, Any] = {
        "network": name,
        "which": weights.name.lower(),
        "source": "torchvision 0.28.0",
        "url": weights.url,
        "sha256": stem.rpartition("-")[2],
        "megabytes": meta["_file_size"],
        "licence": str(meta.get("license", "not stated")),
        "classes": CLASSES[len(meta["categories"])],
        "accuracy": dict(meta["_metrics"]),
    }
    if name in DETECTORS:
        entry |= DETECTORS[name]
    elif "func" in dir(transform):
        entry |= _read(transform.func.__name__, transform())
    else:
        entry |= _read(type(transform()).__name__, transform())
    return entry


def _read(kind: str, made: Any) -> dict[str, Any]:
    if kind == "VideoClassification":
        return {}
    resize = made.resize_size[0]
    pictures: dict[str, Any] = {
        "resize": resize,
        "crop": made.crop_size[0] if kind == "ImageClassification" else resize,
        "mean": list(made.mean),
        "std": list(made.std),
    }
    if made.interpolation.value != "bilinear":
        pictures["interpolation"] = made.interpolation.value
    if kind == "SemanticSegmentation":
        return {"pictures": pictures, "answer": {"kind": "regions", "output": "out"}}
    return {"pictures": pictures}


def text() -> str:
    """The file, one paragraph for each set of weights."""
    return as_toml(HEAD, entries())


def as_toml(head: str, found: list[dict[str, Any]]) -> str:
    """A file of weights."""
    rows = ["".join(f"{key} = {_toml(value)}\n" for key, value in entry.items()) for entry in found]
    return "".join([head, *(f"\n[[weights]]\n{row}" for row in rows)])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else json.dumps(key)


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
