"""Twelve imported programs to read, beside the hand-written ones and torchvision's Python: writes docs/importing/texts.md.

python -m tests.importing.texts
"""

from __future__ import annotations

import inspect
import io
import sys
import tokenize
from pathlib import Path
from typing import Any

from cnndsl.disk import shelf
from cnndsl.importing.from_torch import import_module
from cnndsl.importing.imported import Imported, lines_of

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "importing" / "texts.md"
NETWORKS = (
    "resnet50",
    "densenet121",
    "inception_v3",
    "efficientnet_b0",
    "mobilenet_v3_small",
    "convnext_tiny",
    "regnet_y_400mf",
    "shufflenet_v2_x1_0",
    "googlenet",
    "unet",
    "retinanet_resnet50_fpn",
    "s3d",
)
"""torchvision's, and a U-Net, which is the built-in one as a PyTorch module."""
_PYTHON = {
    "resnet50": "models/resnet.py",
    "densenet121": "models/densenet.py",
    "inception_v3": "models/inception.py",
    "efficientnet_b0": "models/efficientnet.py",
    "mobilenet_v3_small": "models/mobilenetv3.py",
    "convnext_tiny": "models/convnext.py",
    "regnet_y_400mf": "models/regnet.py",
    "shufflenet_v2_x1_0": "models/shufflenetv2.py",
    "googlenet": "models/googlenet.py",
    "retinanet_resnet50_fpn": "models/detection/retinanet.py",
    "s3d": "models/video/s3d.py",
}
"""Where torchvision has the Python."""


def module_of(name: str) -> tuple[Any, tuple[int, ...], str]:
    """A network without numbers, the size of its input, and where it is from."""
    import torch

    if name == "unet":
        from cnndsl.backends.pytorch.live.module import to_torch
        from cnndsl.pipeline import load

        graph = load("unet").graph
        with torch.device("meta"):
            return to_torch(graph).eval(), graph.inputs[0].type.shape, "the built-in network's module"
    from cnndsl.importing.libraries.named import named
    from tests.oracle import torchvision_models

    torchvision_models()
    found = named(f"torchvision:{name}", {})
    return found.module.to("meta"), found.size, found.origin


def imported(name: str) -> tuple[Imported, int]:
    """The program of a network, and the lines of Python that its library needs for the family; 0 where it has none."""
    module, size, origin = module_of(name)
    python = _python(module) if name != "unet" else 0
    return import_module(module, [(size, "float32")], name, origin), python


def _python(module: Any) -> int:
    """Lines of code in the files that define a network's classes, the families' files alone; comments, documentation and
    tables of published weights aside."""
    files = {sys.modules[type(child).__module__].__file__ for child in module.modules()}
    own = {Path(file) for file in files if file and "torchvision" in file and "models" in file}
    return sum(_code_lines(path.read_text()) for path in own)


def _code_lines(text: str) -> int:
    lines: set[int] = set()
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    previous = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        documentation = token.type == tokenize.STRING and previous in (tokenize.NEWLINE, tokenize.INDENT, tokenize.NL)
        if token.type not in skipped and not documentation:
            lines.update(range(token.start[0], token.end[0] + 1))
        if token.type != tokenize.COMMENT:
            previous = token.type
    return len(lines)


def hand_written(name: str) -> int:
    """The lines of the file that has the built-in network of that name; 0 where there is none."""
    source = shelf.architecture(name)
    return lines_of(source.text) if source is not None else 0


def section(name: str, given: Imported) -> str:
    """A network's part of the page: the program, and where to read the other two."""
    source = shelf.architecture(name)
    beside = [f"by hand in [{Path(source.name).name}](../../architectures/{Path(source.name).name})"] if source else []
    if (python := _PYTHON.get(name)) is not None:
        beside.append(f"in torchvision's `{python}`")
    return f"## {name}\n\nThe same network stands {' and '.join(beside)}.\n\n```text\n{given.text.rstrip()}\n```\n"


def main() -> None:
    rows, parts = [], []
    for name in NETWORKS:
        given, python = imported(name)
        hand = hand_written(name)
        rows.append(f"| [{name}](#{name}) | {given.report.lines} | {hand} | {python or ''} |")
        parts.append(section(name, given))
    head = inspect.cleandoc(
        """
        # Imported programs to read

        Written by `tests/importing/texts.py`. Each is torchvision's network as `cnndsl import` gives it; the U-Net is the built-in
        one after it was a PyTorch module, which tells nothing of blocks. Lines are without comments and blank ones. The
        hand-written file has the whole family with its parameters, and may `use` blocks of others; the Python is that of the
        files that define the network's classes, with the whole family and its published weights.

        | network | imported | hand-written | torchvision's Python |
        |---|---:|---:|---:|
        """
    )
    PAGE.write_text("\n".join([head, *rows, "", *parts]))


if __name__ == "__main__":
    main()
