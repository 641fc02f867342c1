"""Translations of ONNX operations that change how many positions there are."""

from __future__ import annotations

from math import ceil, floor

from cnndsl.importing.readers.onnx.model import Operation
from cnndsl.importing.readers.onnx.numbers import short
from cnndsl.importing.readers.onnx.reader import Reader, Untranslated
from cnndsl.importing.readers.onnx.shaping import MOST_PICKED, picked


def resize(reader: Reader, operation: Operation) -> None:
    shape, given = reader.shape(operation.inputs[0]), operation.attributes
    rank = len(shape) - 2
    old = operation.kind == "Upsample" or reader.model.opset < 11
    scales = reader.array(operation, 1 if old else 2)
    sizes = None if old else reader.array(operation, 3)
    if scales is None and "scales" in given:
        scales = given["scales"]
    for name, usual in (("antialias", 0), ("exclude_outside", 0), ("keep_aspect_ratio_policy", "stretch")):
        if given.get(name, usual) != usual:
            raise Untranslated(f"{operation.kind} with `{name}`")
    mode = given.get("mode", "nearest")
    moved = given.get("coordinate_transformation_mode", "asymmetric" if old else "half_pixel")
    axes = [n % len(shape) for n in given.get("axes", range(len(shape)))]
    if sizes is not None and sizes.size:
        wanted = dict(zip(axes, (int(n) for n in sizes), strict=True))
        ends, factors = [wanted.get(n, length) for n, length in enumerate(shape)], None
        ratios = [m / n for m, n in zip(ends, shape, strict=True)]
    else:
        stretched = dict(zip(axes, (short(n) for n in scales), strict=True))
        ratios = [stretched.get(n, 1.0) for n in range(len(shape))]
        ends = [floor(n * f) for n, f in zip(shape, ratios, strict=True)]
        factors = ratios[2:]
    if ratios[:2] != [1.0, 1.0]:
        raise Untranslated(f"{operation.kind} of the batch or the channels")
    size, ratios = tuple(ends[2:]), ratios[2:]
    rounding = given.get("nearest_mode", "floor" if old else "round_prefer_floor")
    if mode == "nearest":
        _nearest(reader, operation, size, ratios, moved, rounding)
        return
    if moved == "align_corners" and any(n * r != m for n, r, m in zip(shape[2:], ratios, size, strict=True)):
        raise Untranslated(f"{operation.kind} with aligned corners to a size that is not whole")
    if moved == "pytorch_half_pixel" and any(m == 1 != n for n, m in zip(shape[2:], size, strict=True)):
        raise Untranslated(f"{operation.kind} to one position by pytorch_half_pixel")
    if mode not in ("linear", "cubic") or moved not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        raise Untranslated(f"{operation.kind} by {mode} and {moved}")
    if mode == "cubic" and abs(given.get("cubic_coeff_a", -0.75) + 0.75) > 1e-6:
        raise Untranslated("Resize by another cubic curve")
    names = {
        "linear": ("linear1d", "bilinear2d", "trilinear3d")[rank - 1],
        "cubic": "bicubic2d",
    }
    arguments = {
        "input": reader.ref(operation.inputs[0]),
        "output_size": None if factors else list(size),
        "scale_factors": factors,
        "align_corners": moved == "align_corners",
    }
    reader.emit(operation, f"upsample_{names[mode]}", arguments, (*shape[:2], *size))


def _nearest(
    reader: Reader, operation: Operation, size: tuple[int, ...], ratios: list[float], moved: str, rounding: str
) -> None:
    """The nearest position of each: `Upsample` where it takes the same ones, else the positions themselves."""
    shape, (name,) = reader.shape(operation.inputs[0]), operation.outputs
    found = [_positions(operation, n, m, r, moved, rounding) for n, m, r in zip(shape[2:], size, ratios, strict=True)]
    ours = [[floor(o * n / m) for o in range(m)] for n, m in zip(shape[2:], size, strict=True)]
    if found == ours and len(size) <= 3:
        whole = all(float(ratio).is_integer() for ratio in ratios)
        arguments = {
            "input": reader.ref(operation.inputs[0]),
            "output_size": None if whole else list(size),
            "scale_factors": ratios if whole else None,
        }
        reader.emit(operation, f"upsample_nearest{len(size)}d", arguments, (*shape[:2], *size))
        return
    if any(m > MOST_PICKED for m in size):
        raise Untranslated(f"{operation.kind} to the nearest by {moved} and {rounding}")
    source = operation.inputs[0]
    axes = [axis for axis, (a, n) in enumerate(zip(found, shape[2:], strict=True)) if a != list(range(n))]
    for axis in axes:
        last = axis == axes[-1]
        picked(reader, operation, source, axis + 2, found[axis], name if last else f"{name}.axis{axis}")
        source = name if last else f"{name}.axis{axis}"
    if not axes:
        reader.same(operation)


def _positions(operation: Operation, n: int, m: int, ratio: float, moved: str, rounding: str) -> list[int]:
    """Which of `n` positions each of `m` takes, as ONNX computes it."""
    found = []
    for o in range(m):
        if moved == "asymmetric":
            x = o / ratio
        elif moved in ("half_pixel", "half_pixel_symmetric"):
            x = (o + 0.5) / ratio - 0.5
            if moved == "half_pixel_symmetric":
                x += n / 2 * (1 - m / (ratio * n))
        elif moved == "pytorch_half_pixel":
            x = (o + 0.5) / ratio - 0.5 if m > 1 else 0.0
        elif moved == "align_corners":
            x = o * (n - 1) / (ratio * n - 1) if ratio * n > 1 else 0.0
        else:
            raise Untranslated(f"{operation.kind} to the nearest by {moved}")
        rounded = {
            "floor": floor(x),
            "ceil": ceil(x),
            "round_prefer_floor": ceil(x - 0.5),
            "round_prefer_ceil": floor(x + 0.5),
        }[rounding]
        found.append(min(max(rounded, 0), n - 1))
    return found
