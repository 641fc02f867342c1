"""Guards `drawing/figures/tikz.py`: what TeX gets is a document, text in it is text, and TeX sets it where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cnndsl.backends.drawing.draw import draw_figure
from cnndsl.backends.drawing.figures.canvas import Figure, Group, Picture, Text
from cnndsl.backends.drawing.figures.tikz import tikz, written
from cnndsl.backends.drawing.figures.volumes import volumes
from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import load
from tests.backends.drawing.networks import Net

NASTY = '\\input{/etc/passwd} 100% $x_1^2$ #&~<>|" {é} 漢 ×\n\\end{document}'


def nasty() -> Figure:
    net = Net(3, 8, 8)
    with net.frame("block", NASTY, NASTY):
        net.conv("conv", "image", 4, 3)
    return volumes(net.graph(name=NASTY))


def test_every_text_of_the_figure_stands_in_the_document() -> None:
    text = tikz(volumes(load("unet").graph)).decode()
    for name in ("down1", "bottom", r"64$\times$568$\times$568", "MaxPool2x2"):
        assert f"{{\\sffamily {name}}};" in text
    assert text.count(r"\begin{tikzpicture}") == text.count(r"\end{tikzpicture}") == 1
    used, defined = set(re.findall(r"=(cnndsl\d+)", text)), set(re.findall(r"definecolor\{(\w+)\}", text))
    assert used == defined
    assert tikz(volumes(load("unet").graph)).decode() == text


def test_text_of_a_program_is_no_command_of_tex() -> None:
    body = tikz(nasty()).decode()
    lines = [line for line in body.splitlines() if not line.lstrip().startswith("%")]
    assert not [line for line in lines if "\\input{" in line]
    assert [line for line in lines if "end{document}" in line][-1] == r"\end{document}"
    assert written("a_b%{") == r"a\_b\%\{"


def test_a_photograph_is_refused() -> None:
    figure = Figure("t", "d", 9, 9, "#ffffff", (Group((Picture(0, 0, 9, 9, b""), Text(0, 0, "a", "#000000"))),))
    with pytest.raises(CnnError, match="unknown-format"):
        tikz(figure)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX on this machine")
@pytest.mark.parametrize("name", ["lenet5", "unet", "nasty"])
def test_tex_makes_a_page_of_it(name: str, tmp_path: Path) -> None:
    draw_figure(lambda: nasty() if name == "nasty" else volumes(load(name).graph), tmp_path / "net.tex")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "net.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "net.pdf").read_bytes().startswith(b"%PDF")
