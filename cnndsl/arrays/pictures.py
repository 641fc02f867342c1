"""Pictures for a network, as its authors read them, and answers drawn onto them. Needs NumPy and Pillow alone.

Packages carry a copy of this file, so it imports nothing of ours. How pictures are read is told by a dict, as a package's
manifest has it under `pictures`; what is not said has a default:

    fit            "centre": the shorter side is brought to `resize`/`crop` of the network's, and the centre cut out;
                   "whole": all of it is squeezed to the network's size; "letterbox": all of it, with `pad` around
    interpolation  "bilinear" or "bicubic"
    order          of the colours: "RGB" or "BGR"
    scale          what full brightness is, 1 or 255, before `mean` is taken off and `std` divided by (one number a channel)
    pad, corner    the colour around a letterboxed picture from 0 to 1, and whether it lies in the upper left corner
    mosaic         whether only the samples of a Bayer mosaic (green red / blue green) stay
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
"""What counts as a picture. Pillow goes by content, whatever a file is called, and hands PostScript to Ghostscript."""
COLOURS = (
    (230, 25, 75), (0, 130, 200), (60, 180, 75), (245, 130, 48), (145, 30, 180), (0, 128, 128), (170, 110, 40),
    (240, 50, 230), (128, 0, 0), (0, 0, 128), (128, 128, 0), (70, 140, 240),
)  # fmt: skip
"""Of things that are told apart, class by class."""


@dataclass(frozen=True)
class Frame:
    """Where a picture lies in what the network is fed: a point (x, y) of it is at (x·scale + left, y·scale + top) there."""

    width: int
    height: int
    scale: tuple[float, float]
    left: float
    top: float

    def back(self, boxes: np.ndarray) -> np.ndarray:
        """Points x, y, x, y, … of the network's input as points of the picture, within it; N×2k."""
        found = boxes.astype(np.float64).copy()
        found[:, 0::2] = np.clip((found[:, 0::2] - self.left) / self.scale[0], 0, self.width)
        found[:, 1::2] = np.clip((found[:, 1::2] - self.top) / self.scale[1], 0, self.height)
        return found


def opened(stream: BinaryIO) -> Any:
    """A picture in red, green and blue, upright; what is transparent is white. Raises what Pillow raises."""
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        # Pillow warns of pictures that are bombs, of truncated ones and of odd metadata.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(stream, formats=FORMATS) as file:
            picture = ImageOps.exif_transpose(file)
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                picture = picture.convert("RGBA")
                ground = Image.new("RGBA", picture.size, (255, 255, 255, 255))
                picture = Image.alpha_composite(ground, picture)
            return picture.convert("RGB")


def prepared(picture: Any, shape: Sequence[int], reading: Mapping[str, Any]) -> tuple[np.ndarray, Frame]:
    """A picture as the network is fed it, float32 of `shape` (1 or 3 channels, height, width), and where it lies in that."""
    channels, height, width = shape
    if channels == 1:
        picture = picture.convert("L")
    fitted, frame = _fitted(picture, (width, height), reading)
    array = np.asarray(fitted, np.float32).reshape(height, width, channels).transpose(2, 0, 1) / np.float32(255)
    if channels == 3 and reading.get("order") == "BGR":
        array = array[::-1]
    if reading.get("mosaic"):
        array = mosaic(array)
    column = (channels, 1, 1)
    array = array * np.float32(reading.get("scale", 1))
    if mean := reading.get("mean"):
        array = array - np.asarray(mean, np.float32).reshape(column)
    if std := reading.get("std"):
        array = array / np.asarray(std, np.float32).reshape(column)
    return np.ascontiguousarray(array, np.float32), frame


def mosaic(colours: np.ndarray) -> np.ndarray:
    """What a sensor with a Bayer mosaic sees of 3×H×W: at each pixel one of the colours, zero for the others."""
    seen = np.zeros_like(colours)
    for channel, row, column in ((1, 0, 0), (0, 0, 1), (2, 1, 0), (1, 1, 1)):
        seen[channel, row::2, column::2] = colours[channel, row::2, column::2]
    return seen


def _fitted(picture: Any, size: tuple[int, int], reading: Mapping[str, Any]) -> tuple[Any, Frame]:
    from PIL import Image

    words = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    how = words[reading.get("interpolation", "bilinear")]
    fit = reading.get("fit", "centre")
    own, wanted = picture.size, size
    if fit == "whole":
        done = picture.resize(wanted, how) if own != wanted else picture
        return done, Frame(own[0], own[1], (wanted[0] / own[0], wanted[1] / own[1]), 0, 0)
    if fit == "letterbox":
        scale = min(wanted[0] / own[0], wanted[1] / own[1])
        inner = (max(1, round(own[0] * scale)), max(1, round(own[1] * scale)))
        pad = reading.get("pad") or [0.0, 0.0, 0.0]
        colour = tuple(round(255 * part) for part in pad)
        ground = Image.new(picture.mode, wanted, colour if picture.mode == "RGB" else colour[0])
        left, top = (0, 0) if reading.get("corner") else ((wanted[0] - inner[0]) // 2, (wanted[1] - inner[1]) // 2)
        ground.paste(picture.resize(inner, how), (left, top))
        return ground, Frame(own[0], own[1], (inner[0] / own[0], inner[1] / own[1]), left, top)
    resize, crop = reading.get("resize", 256), reading.get("crop", 224)
    wider = (round(wanted[0] * resize / crop), round(wanted[1] * resize / crop))
    larger = filling(own, wider)
    left, top = round((larger[0] - wanted[0]) / 2), round((larger[1] - wanted[1]) / 2)
    done = picture.resize(larger, how).crop((left, top, left + wanted[0], top + wanted[1]))
    return done, Frame(own[0], own[1], (larger[0] / own[0], larger[1] / own[1]), -left, -top)


def filling(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[int, int]:
    """The smallest size of the same proportions that covers `wanted`; fractions are dropped, as torchvision does."""
    width, height = size
    if wanted[0] * height >= wanted[1] * width:
        return wanted[0], max(wanted[1], wanted[0] * height // width)
    return max(wanted[0], wanted[1] * width // height), wanted[1]


def drawn(picture: Any, answer: Mapping[str, Any]) -> Any:
    """The picture with what was found in it: boxes and points with their names, regions in colour, or a line of classes."""
    from PIL import Image, ImageDraw, ImageFont

    kind = answer["kind"]
    if kind == "picture":
        return Image.fromarray(answer["pixels"])
    done = picture.copy()
    side = max(done.size)
    letters = max(12, side // 36)
    font = ImageFont.load_default(letters)
    if kind == "regions":
        mask = Image.fromarray(answer["mask"]).resize(done.size, Image.Resampling.NEAREST)
        palette = np.zeros((256, 3), np.uint8)
        for region in answer["regions"]:
            palette[region["class"]] = _colour(region["class"])
        over = Image.fromarray(palette[np.asarray(mask)])
        veil = Image.fromarray(np.where(np.asarray(mask) > 0, 140, 0).astype(np.uint8))
        done = Image.composite(over, done, veil)
    pen = ImageDraw.Draw(done)
    if kind == "boxes":
        thick = max(2, side // 250)
        for found in reversed(answer["boxes"]):
            colour = _colour(found["class"])
            pen.rectangle(found["box"], outline=colour, width=thick)
            for x, y in found.get("points", ()):
                pen.ellipse((x - thick, y - thick, x + thick, y + thick), fill=colour)
        for found in reversed(answer["boxes"]):
            label = f"{found['label']} {found['share']:.0%}".strip()
            _label(pen, font, (found["box"][0], found["box"][1]), label, _colour(found["class"]), done.size)
    elif kind == "regions":
        for row, region in enumerate(answer["regions"][:8]):
            label = f"{region['label']} {region['share']:.0%}"
            _label(pen, font, (4, 4 + row * letters * 1.5), label, _colour(region["class"]), done.size, below=True)
    elif answer.get("top"):
        best = answer["top"][0]
        label = f"{best['label'] or 'class ' + str(best['class'])} {best['share']:.1%}"
        _label(pen, font, (4, done.size[1] - letters * 1.6), label, (20, 20, 20), done.size, below=True)
    return done


def _colour(number: int) -> tuple[int, int, int]:
    return COLOURS[number % len(COLOURS)]


def _label(
    pen: Any, font: Any, at: tuple[float, float], text: str, colour: tuple[int, int, int], size: tuple[int, int],
    below: bool = False,
) -> None:  # fmt: skip
    """A text on its colour, above the point or, where there is no room, below it, and within the picture."""
    x0, y0, x1, y1 = pen.textbbox((0, 0), text, font=font)
    width, height = x1 - x0 + 6, y1 - y0 + 6
    x = min(max(0, at[0]), max(0, size[0] - width))
    y = at[1] if below or at[1] < height else at[1] - height
    y = min(max(0, y), max(0, size[1] - height))
    pen.rectangle((x, y, x + width, y + height), fill=colour)
    pen.text((x + 3 - x0, y + 3 - y0), text, fill=(255, 255, 255), font=font)
