"""torchvision's detectors up to their heads: what is a network of fixed sizes in them.

What stands before it, scaling and normalizing pictures, and behind it, anchors, thinning out and what looks at the regions
that were proposed, depends on numbers.
"""

from __future__ import annotations

from typing import Any

_KINDS = ("fasterrcnn", "maskrcnn", "keypointrcnn", "retinanet", "fcos", "ssd")


def is_detector(name: str) -> bool:
    """Whether a network of torchvision's is a detector."""
    return name.startswith(_KINDS)


def until_heads(detector: Any) -> tuple[Any, tuple[int, ...]]:
    """The detector's backbone and heads as a module with the detector's keys, and the size of its pictures.

    An R-CNN's heads are those that propose regions, one pair of outputs for each level of the pyramid.
    """
    from cnndsl.backends.pytorch.library import nn

    class UntilHeads(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.backbone = detector.backbone
            if hasattr(detector, "rpn"):
                self.rpn = nn.Module()
                self.rpn.head = detector.rpn.head
            else:
                self.head = detector.head

        def forward(self, image: Any) -> dict[str, Any]:
            found = self.backbone(image)
            levels = list(found.values()) if isinstance(found, dict) else [found]
            if not hasattr(self, "rpn"):
                return dict(self.head(levels))
            scores, boxes = self.rpn.head(levels)
            named = [(f"objectness_{n}", score) for n, score in enumerate(scores)]
            return dict(named + [(f"bbox_deltas_{n}", box) for n, box in enumerate(boxes)])

    UntilHeads.__name__ = type(detector).__name__
    return UntilHeads(), (3, *_size(detector))


def _size(detector: Any) -> tuple[int, int]:
    """The size that pictures are scaled to: the fixed one, else a square of the shorter side."""
    transform = detector.transform
    if getattr(transform, "fixed_size", None):
        width, height = transform.fixed_size
        return height, width
    (side, *_) = transform.min_size
    return side, side
