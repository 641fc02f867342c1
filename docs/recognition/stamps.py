"""Tux Paint's stamps as pictures in class folders: python stamps.py STAMPS named|categories FOLDER

STAMPS is the folder of Debian's package tuxpaint-stamps-default, /usr/share/tuxpaint/stamps: cut-out photographs and drawings,
each with a caption. `named` takes the photographs whose caption or file is literally called as a class of ImageNet;
`categories` takes all photographs, by the folder they are in. Each is pasted into the middle of a white square.
"""

import sys
from pathlib import Path

from PIL import Image

import cnndsl

DRAWN = {"cartoon", "symbols", "seasonal"}
"""Folders of drawings."""
OTHER = {"mouse", "drake", "ram", "crane", "bow"}
"""Words that mean something else in ImageNet, where a mouse is a computer's."""
FEWEST = 12
"""Pictures that a category must have."""


def main(stamps: Path, kind: str, folder: Path) -> None:
    photographs = [path for path in sorted(stamps.rglob("*.png")) if not DRAWN & {*path.relative_to(stamps).parts}]
    named = [(path, name(path) if kind == "named" else path.relative_to(stamps).parts[0]) for path in photographs]
    found = [(path, label) for path, label in named if label]
    labels = [label for _, label in found]
    kept = [(path, label) for path, label in found if kind == "named" or labels.count(label) >= FEWEST]
    for number, (path, label) in enumerate(kept):
        (folder / label).mkdir(parents=True, exist_ok=True)
        on_white(path).save(folder / label / f"{number:03}-{path.stem}.png")
    print(f"{len(kept)} pictures of {len({label for _, label in kept})} classes in {folder}")


def name(path: Path) -> str:
    """The class of ImageNet that the picture is called as, or nothing."""
    caption = path.with_suffix(".txt")
    words = caption.read_text("utf-8", "replace").splitlines()[:1] if caption.is_file() else []
    said = [word.strip().rstrip(".!").lower().removeprefix("a ").removeprefix("an ") for word in words]
    said.append(path.stem.lower().replace("_", " ").replace("-", " ").rstrip("0123456789 "))
    return next((word for word in said if word in CLASSES and word not in OTHER), "")


def on_white(path: Path) -> Image.Image:
    picture = Image.open(path).convert("RGBA")
    side = round(1.15 * max(picture.size))
    square = Image.new("RGBA", (side, side), (255, 255, 255, 255))
    square.alpha_composite(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square.convert("RGB")


CLASSES = set(cnndsl.class_names("imagenet"))

if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
