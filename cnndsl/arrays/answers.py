"""What the outputs of a network mean: names, boxes, regions, pictures. Needs NumPy alone.

Packages carry a copy of this file, so it imports nothing of ours. What the outputs are is told by a dict, as a package's
manifest has it under `answer`. `kind` is one of

    classes    one output, a number for each of `classes`; they become shares by softmax where they are none
    tags       the same, and each is a share of its own
    boxes      things and where they are, by `decode` (see `DECODERS`); of two of one class that share more than `overlap`
               of their area the surer one stays, and those below `threshold` go
    regions    a map with a channel for each class: the largest counts
    picture    a map that is a picture, its full brightness `scale`
    numbers    anything else: told by its size
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]
CANDIDATES = 1000
"""Boxes of one map that are compared with one another, the surest first."""


def answer(told: Mapping[str, Any], outputs: Arrays, size: tuple[int, int], frame: Any = None) -> dict[str, Any]:
    """What the outputs of one example (without batch) say, as plain data but for `pixels` and `mask`, which are arrays.

    `size` is the height and width of the input, `frame` where the picture lies in it (`pictures.Frame`).
    """
    kind = told.get("kind", "numbers")
    first = outputs.get(told.get("output", ""), next(iter(outputs.values())))
    if kind in ("classes", "tags"):
        return {"kind": kind, "top": ranked(first, told.get("classes") or [], kind == "tags")}
    if kind == "boxes":
        boxes, shares, classes = DECODERS[told["decode"]](told, outputs, size)
        return {"kind": kind, "boxes": _thinned(told, boxes, shares, classes, frame)}
    if kind == "regions":
        return _regions(told, first, frame)
    if kind == "picture":
        return {"kind": kind, "pixels": _pixels(first, told)}
    rows = [{"name": name, "shape": list(values.shape), **_figures(values)} for name, values in outputs.items()]
    return {"kind": "numbers", "outputs": rows}


def shares(values: np.ndarray) -> np.ndarray:
    """Numbers as shares that sum to 1: as they are where they do, else by softmax."""
    if values.size and values.min() >= 0 and abs(float(values.sum()) - 1) <= 1e-3:
        return values.astype(np.float64)
    powers = np.exp(values.astype(np.float64) - values.max())
    return np.asarray(powers / powers.sum())


def ranked(values: np.ndarray, names: Sequence[str], each: bool = False) -> list[dict[str, Any]]:
    """Every class with its share, the largest first."""
    flat = values.reshape(-1)
    parts = flat.astype(np.float64) if each else shares(flat)
    order = np.argsort(-flat, kind="stable")
    return [{"class": int(i), "label": names[i] if names else "", "share": float(parts[i])} for i in order]


def _figures(values: np.ndarray) -> dict[str, float]:
    return {"least": float(values.min()), "most": float(values.max()), "mean": float(values.mean())}


def _pixels(values: np.ndarray, told: Mapping[str, Any]) -> np.ndarray:
    """C×H×W as H×W×3 or H×W of uint8."""
    scaled = np.clip(values * (255 / told.get("scale", 1.0)) + 0.5, 0, 255).astype(np.uint8)
    if told.get("order") == "BGR":
        scaled = scaled[::-1]
    return np.ascontiguousarray(scaled[0] if len(scaled) == 1 else scaled.transpose(1, 2, 0))


def _regions(told: Mapping[str, Any], scores: np.ndarray, frame: Any) -> dict[str, Any]:
    """The class of each position, cut to where the picture lies, and the area of each but the first, which is ground."""
    mask = scores.argmax(0).astype(np.uint8)
    if frame is not None:
        height, width = mask.shape
        x0, y0 = max(0, round(frame.left)), max(0, round(frame.top))
        x1 = min(width, round(frame.left + frame.width * frame.scale[0]))
        y1 = min(height, round(frame.top + frame.height * frame.scale[1]))
        mask = mask[y0:y1, x0:x1]
    counts = np.bincount(mask.reshape(-1), minlength=len(scores))
    names = told.get("classes") or []
    order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i] and i]
    rows = [
        {"class": i, "label": names[i] if names else f"class {i}", "share": float(counts[i] / mask.size)} for i in order
    ]
    return {"kind": "regions", "regions": rows, "mask": mask}


def _thinned(
    told: Mapping[str, Any], boxes: np.ndarray, found: np.ndarray, classes: np.ndarray, frame: Any
) -> list[dict[str, Any]]:
    sure = found >= told.get("threshold", 0.3)
    boxes, found, classes = boxes[sure], found[sure], classes[sure]
    kept = suppressed(boxes, found, classes, told.get("overlap", 0.45))[: told.get("most", 100)]
    placed = frame.back(boxes[kept]) if frame is not None else boxes[kept]
    names = told.get("classes") or []
    return [
        {
            "class": int(classes[i]),
            "label": names[classes[i]] if names else f"class {classes[i]}",
            "share": float(found[i]),
            "box": [round(float(edge), 1) for edge in box],
        }
        for i, box in zip(kept, placed, strict=True)
    ]


def suppressed(
    boxes: np.ndarray, found: np.ndarray, classes: np.ndarray, overlap: float, smaller: bool = False
) -> np.ndarray:
    """Places of the boxes that stay, the surest first: none of one class covers more than `overlap` of their union with a
    surer one; with `smaller`, of the smaller one's area."""
    order = np.argsort(-found, kind="stable")
    areas = np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)
    kept: list[int] = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        both = np.prod(np.maximum(high - low, 0), 1)
        whole = np.minimum(areas[best], areas[rest]) if smaller else areas[best] + areas[rest] - both
        order = rest[(both <= overlap * np.maximum(whole, 1e-12)) | (classes[rest] != classes[best])]
    return np.array(kept, np.int64)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x.astype(np.float64), -60, 60)))


Decoded = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Boxes N×4 (left, top, right, bottom in pixels of the input), shares and classes of N."""


def yolo(told: Mapping[str, Any], outputs: Arrays, size: tuple[int, int]) -> Decoded:
    """YOLO's maps, by output: for each anchor (width, height in pixels) of a cell, four numbers of its box, how sure it is
    and a number for each class. (Redmon, Farhadi: YOLOv3, 2018.)"""
    parts: list[Decoded] = []
    for name, anchors in told["maps"].items():
        values = outputs[name]
        rows, columns = values.shape[1:]
        cells = values.reshape(len(anchors), -1, rows, columns)
        near = _sigmoid(cells[:, :2])
        x = (near[:, 0] + np.arange(columns)) * (size[1] / columns)
        y = (near[:, 1] + np.arange(rows)[:, None]) * (size[0] / rows)
        grown = np.exp(np.clip(cells[:, 2:4].astype(np.float64), -20, 8)) * np.array(anchors)[:, :, None, None]
        w, h = grown[:, 0], grown[:, 1]
        boxes = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], -1).reshape(-1, 4)
        found = (_sigmoid(cells[:, 4:5]) * _sigmoid(cells[:, 5:])).transpose(0, 2, 3, 1)
        parts.append(_surest(boxes, found.reshape(len(boxes), -1), told.get("threshold", 0.3)))
    return _joined(parts)


def retinanet(told: Mapping[str, Any], outputs: Arrays, size: tuple[int, int]) -> Decoded:
    """RetinaNet's: logits of the classes and four offsets for each anchor, level after level, positions row by row; an
    anchor has three heights a third of an octave apart, from `sizes`, in each of `ratios`. (Lin et al., 2017.)"""
    logits, offsets = outputs[told["scores"]], outputs[told["offsets"]]
    parts: list[Decoded] = []
    start = 0
    for stride, base in zip(told["strides"], told["sizes"], strict=True):
        rows, columns = -(-size[0] // stride), -(-size[1] // stride)
        anchors = _anchors(base, told["ratios"], (rows, columns), (size[0] // rows, size[1] // columns))
        own, start = slice(start, start + len(anchors)), start + len(anchors)
        boxes = np.clip(_moved(anchors, offsets[own].astype(np.float64)), 0, size[::-1] * 2)
        parts.append(_surest(boxes, _sigmoid(logits[own]), told.get("threshold", 0.05)))
    return _joined(parts)


def _anchors(base: int, ratios: Sequence[float], grid: tuple[int, int], step: tuple[int, int]) -> np.ndarray:
    """Boxes around each position of a grid, (rows·columns·anchors)×4."""
    sides = np.array([int(base * 2 ** (third / 3)) for third in range(3)])
    high = np.sqrt(ratios)[:, None] * sides
    wide = (1 / np.sqrt(ratios))[:, None] * sides
    shapes = np.round(np.stack([-wide, -high, wide, high], -1).reshape(-1, 4) / 2)
    return _around(shapes, grid, step)


def _around(shapes: np.ndarray, grid: tuple[int, int], step: tuple[float, float], first: float = 0) -> np.ndarray:
    """Boxes N×4 about a middle, laid at each position of a grid; the first position is `first` steps from the corner."""
    x, y = np.meshgrid((np.arange(grid[1]) + first) * step[1], (np.arange(grid[0]) + first) * step[0])
    return np.asarray((np.stack([x, y, x, y], -1).reshape(-1, 1, 4) + shapes).reshape(-1, 4))


def _moved(anchors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    w, h = anchors[:, 2] - anchors[:, 0], anchors[:, 3] - anchors[:, 1]
    x = anchors[:, 0] + w / 2 + offsets[:, 0] * w
    y = anchors[:, 1] + h / 2 + offsets[:, 1] * h
    w, h = (w, h) * np.exp(np.minimum(offsets[:, 2:].T, np.log(1000 / 16)))
    return np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], -1)


def ssd(told: Mapping[str, Any], outputs: Arrays, size: tuple[int, int]) -> Decoded:
    """SSD's: logits of ground and classes and four offsets for each anchor, map after map. The anchors of a map are two
    squares, by its and the next of `scales` (shares of the input), and two boxes for each of its `aspects`; they lie a
    stride apart, or, with `spread`, evenly. (Liu et al., 2015.)"""
    logits = outputs[told["scores"]].astype(np.float64)
    powers = np.exp(logits - logits.max(1, keepdims=True))
    found = powers / powers.sum(1, keepdims=True)
    anchors = _default_boxes(told, size)
    if len(anchors) != len(found):
        raise ValueError(
            f"{size[0]}×{size[1]} pixels have {len(anchors)} anchors, and the outputs tell of {len(found)}"
        )
    offsets = outputs[told["offsets"]].astype(np.float64) * (0.1, 0.1, 0.2, 0.2)
    boxes = np.clip(_moved(anchors, offsets), 0, size[::-1] * 2)
    # Class by class, and the first is the ground: each is sure of at most `candidates` boxes.
    found[:, 0] = 0
    for column in found[:, 1:].T:
        column[np.argsort(-column, kind="stable")[told["candidates"] :]] = 0
    return _surest(boxes, found, told["threshold"], found.size)


def _default_boxes(told: Mapping[str, Any], size: tuple[int, int]) -> np.ndarray:
    scales, found = told["scales"], []
    for i, (stride, aspects) in enumerate(zip(told["strides"], told["aspects"], strict=True)):
        between = np.sqrt(scales[i] * scales[i + 1])
        sides = [(scales[i], scales[i]), (between, between)]
        for root in np.sqrt(aspects):
            sides += [(scales[i] * root, scales[i] / root), (scales[i] / root, scales[i] * root)]
        halves = np.minimum(sides, 1) * (size[1] / 2, size[0] / 2)
        rows, columns = -(-size[0] // stride), -(-size[1] // stride)
        step = (size[0] / rows, size[1] / columns) if told.get("spread") else (stride, stride)
        found.append(_around(np.concatenate([-halves, halves], 1), (rows, columns), step, 0.5))
    return np.concatenate(found)


def fcos(told: Mapping[str, Any], outputs: Arrays, size: tuple[int, int]) -> Decoded:
    """FCOS's: logits of the classes, how central (`central`), and how far the four edges are, in strides, for each position,
    level after level. (Tian et al., 2019.)"""
    parts: list[Decoded] = []
    start = 0
    for stride in told["strides"]:
        rows, columns = -(-size[0] // stride), -(-size[1] // stride)
        own, start = slice(start, start + rows * columns), start + rows * columns
        centres = _around(np.zeros((1, 4)), (rows, columns), (size[0] // rows, size[1] // columns))
        boxes = centres + outputs[told["offsets"]][own].astype(np.float64) * (-stride, -stride, stride, stride)
        found = np.sqrt(_sigmoid(outputs[told["scores"]][own]) * _sigmoid(outputs[told["central"]][own]))
        parts.append(_surest(np.clip(boxes, 0, size[::-1] * 2), found, told["threshold"]))
    return _joined(parts)


def _surest(boxes: np.ndarray, found: np.ndarray, threshold: float, most: int = CANDIDATES) -> Decoded:
    """Each box with each class it is sure enough of, the surest ones of them."""
    places, classes = np.nonzero(found >= threshold)
    values = found[places, classes]
    order = np.argsort(-values, kind="stable")[:most]
    return boxes[places[order]], values[order], classes[order]


def _joined(parts: Sequence[Decoded]) -> Decoded:
    boxes, found, classes = (np.concatenate(list(part)) for part in zip(*parts, strict=True))
    return boxes, found, classes


DECODERS = {"yolo": yolo, "retinanet": retinanet, "ssd": ssd, "fcos": fcos}


def lines(answer: Mapping[str, Any], top: int) -> list[str]:
    """An answer for people, a line for each thing."""
    match answer["kind"]:
        case "classes" | "tags":
            return [
                f"{row['class']:>6}  {row['share']:>7.2%}  {_shown(row['label'])}".rstrip()
                for row in answer["top"][:top]
            ]
        case "boxes":
            found = answer["boxes"]
            wide = max((len(_shown(box["label"])) for box in found), default=0)
            edges = ["  ".join(f"{edge:>6.0f}" for edge in box["box"]) for box in found]
            rows = zip(found, edges, strict=True)
            return [f"{_shown(box['label']):<{wide}}  {box['share']:>4.0%}  {edge}" for box, edge in rows] or [
                "nothing found"
            ]
        case "regions":
            return [f"{row['share']:>7.2%}  {_shown(row['label'])}" for row in answer["regions"][:top]] or [
                "ground alone"
            ]
        case "picture":
            return [f"a picture of {'×'.join(map(str, answer['pixels'].shape[1::-1]))}; -o FILE writes it"]
        case _:
            return [
                f"{row['name']}  {'×'.join(map(str, row['shape']))}  from {row['least']:.6g} to {row['most']:.6g}, "
                f"mean {row['mean']:.6g}"
                for row in answer["outputs"]
            ]


def plain(answer: Mapping[str, Any], top: int) -> dict[str, Any]:
    """An answer as JSON has it: no arrays, of classes the `top` likeliest."""
    kept = {key: value for key, value in answer.items() if not isinstance(value, np.ndarray)}
    return kept | ({"top": kept["top"][:top]} if "top" in kept else {})


def _shown(text: str) -> str:
    """A name without what a terminal would obey."""
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text)
