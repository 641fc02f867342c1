"""Our own figures as LaTeX: a document with one TikZ picture, on a page as large as the figure, letters in the document's font."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnndsl.backends.drawing.figures.canvas import Figure, Group, Line, Picture, Polygon, Shape, Text, number
from cnndsl.backends.drawing.words.escape import visible
from cnndsl.diagnostics.errors import fault

SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "×": r"$\times$", "→": r"$\rightarrow$", "–": r"\textendash{}",
    "…": r"\ldots{}", "·": r"$\cdot$", "÷": r"$\div$", "−": r"$-$", "‖": r"$\Vert$",
}  # fmt: skip
"""What TeX takes for more than a letter, and what its usual fonts lack, as TeX writes it."""
ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}


def tikz(figure: Figure) -> bytes:
    r"""The figure as a file for `pdflatex`; in a document of one's own, `\input` takes what stands between
    `\begin{tikzpicture}` and `\end{tikzpicture}`, with the colours before it. Raises `CnnError` (unknown-format) for a figure that holds a
    photograph."""
    shapes = [shape for group in figure.groups for shape in group.shapes]
    if any(isinstance(shape, Picture) for shape in shapes):
        raise fault("unknown-format", "a figure with a photograph cannot be written as .tex", help="write .pdf")
    names: dict[str, str] = {}
    body = [line for group in figure.groups for line in _group(group, names)]
    colours = [rf"\definecolor{{{name}}}{{HTML}}{{{colour[1:].upper()}}}" for colour, name in names.items()]
    lines = [
        f"% {_comment(figure.title)}: made by cnndsl; `pdflatex` makes a PDF of it.",
        r"\documentclass{article}",
        rf"\usepackage[paperwidth={number(figure.width)}bp, paperheight={number(figure.height)}bp, margin=0bp]{{geometry}}",
        r"\usepackage{tikz}",
        r"\usepackage[T1]{fontenc}",
        r"\usepackage[utf8]{inputenc}",
        r"\usepackage{textcomp}",
        r"\pagestyle{empty}\setlength{\parindent}{0pt}\setlength{\topskip}{0pt}",
        r"\begin{document}",
        *colours,
        r"\begin{tikzpicture}[x=1bp, y=-1bp, line join=round, every node/.style={inner sep=0pt}]%",
        rf"\useasboundingbox (0,0) rectangle ({number(figure.width)},{number(figure.height - 1)});",
        *body,
        r"\end{tikzpicture}",
        r"\end{document}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _group(group: Group, names: dict[str, str]) -> Iterator[str]:
    if group.facts:
        yield f"  % {_comment(group.facts)}"
    for shape in group.shapes:
        yield f"  {_drawn(shape, names)}"


def _drawn(shape: Shape, names: dict[str, str]) -> str:
    def colour(text: str) -> str:
        return names.setdefault(text, f"cnndsl{len(names)}")

    match shape:
        case Polygon():
            look = [f"fill={colour(shape.fill)}", f"fill opacity={number(shape.opacity)}"] if shape.fill else []
            if shape.line:
                look += [f"draw={colour(shape.line)}", f"line width={number(shape.width)}bp"]
            return rf"\path[{', '.join(look + _dashes(shape.dashed))}] {_path(shape.points)} -- cycle;"
        case Line():
            strokes = [f"draw={colour(shape.colour)}", f"line width={number(shape.width)}bp", *_dashes(shape.dashed)]
            return rf"\path[{', '.join(strokes)}] {_path(shape.points)};"
        case Text():
            size = rf"\fontsize{{{number(shape.size)}}}{{{number(shape.size * 1.2)}}}\selectfont"
            weight = r"\bfseries" if shape.bold else ""
            place = f"anchor={ANCHORS[shape.anchor]}, text={colour(shape.colour)}, font={size}{weight}"
            return rf"\node[{place}] at ({number(shape.x)},{number(shape.y)}) {{\sffamily {written(shape.text)}}};"
        case Picture():
            raise AssertionError("a figure with a photograph is refused before it is drawn")


def _dashes(dashed: bool) -> list[str]:
    return ["dash pattern=on 3bp off 2bp"] if dashed else []


def _path(points: tuple[tuple[float, float], ...]) -> str:
    return " -- ".join(f"({number(x)},{number(y)})" for x, y in points)


def written(text: str) -> str:
    """Text as TeX sets it, whatever stands in it. A letter that a font of TeX's usual encoding has no shape for is a question mark."""
    return "".join(SIGNS.get(c) or (c if c.isascii() or "\u00c0" <= c <= "\u00ff" else "?") for c in visible(text))


def _comment(text: str) -> str:
    """Text in one line of a comment, where nothing in it can act."""
    return re.sub(r"[^ -~]", "?", " / ".join(text.replace("×", "x").replace("→", "->").split("\n")))
