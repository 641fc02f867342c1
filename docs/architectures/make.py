"""Writes the gallery beside this file: the page, and a diagram of one network a family, blocks closed."""

from __future__ import annotations

from pathlib import Path

from cnndsl.backends.drawing.draw import draw
from cnndsl.disk.files import write_atomically
from cnndsl.pipeline import load
from cnndsl.reference.gallery import diagrams, page, rows

here = Path(__file__).parent
found = rows()
write_atomically(here / "README.md", page(found))
for family, name in diagrams(found).items():
    draw(load(name).graph, here / f"{family}.svg", depth=1)
