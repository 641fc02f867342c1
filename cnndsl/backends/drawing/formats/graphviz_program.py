"""DOT text → SVG, PNG or PDF, painted by the Graphviz that this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import Literal, get_args

from cnndsl.backends.drawing.formats.svg import tidy
from cnndsl.diagnostics.errors import CnnError, MissingPart, fault
from cnndsl.diagnostics.extras import how_to_install

Format = Literal["svg", "png", "pdf"]
FORMATS: tuple[Format, ...] = get_args(Format)

DPI = {"png": "144"}
"""Dots per inch; twice the screen's, so that text is crisp. SVG and PDF have none."""

# Graphviz in a wheel can crash, so it runs in a process of its own. `-P` keeps modules of the working directory out.
_CHILD = """
import sys
import pygraphviz
form, dpi = sys.argv[1:]
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
if dpi:
    graph.graph_attr["dpi"] = dpi
sys.stdout.buffer.write(graph.draw(format=form, prog="dot"))
"""


def render(dot_text: str, format: Format, *, timeout: float = 120.0, description: str = "") -> bytes:
    """The picture of a text in DOT as the content of a file: `format` is `"svg"`, `"png"` or `"pdf"`. An SVG carries
    `description` for readers who cannot see it.

    Graphviz is looked for in this order: the program that `$CNNDSL_DOT` names, `dot` on the PATH, the Graphviz inside pygraphviz. Raises
    `MissingPart` when none of them works, `CnnError` (diagram-too-large) when drawing takes more than `timeout` seconds.
    """
    if format not in FORMATS:
        raise ValueError(f"no format {format!r}; there are {', '.join(FORMATS)}")
    failures = []
    for command in _commands(format):
        content, failure = _run(command, dot_text, format, timeout)
        if content is not None:
            return tidy(content, description) if format == "svg" else content
        failures.append(f"{command[0]}: {failure}")
    if failures:
        raise MissingPart(f"cannot draw {format}: {'; '.join(failures)}", _HELP)
    raise MissingPart(f"cannot draw {format}: no Graphviz found", _HELP)


_HELP = f"{how_to_install('draw')}, or install Graphviz, or write .dot or .mmd"


def _commands(format: Format) -> list[list[str]]:
    """The ways to draw that this machine may have, best first."""
    dpi = DPI.get(format, "")
    commands = []
    program = os.environ.get("CNNDSL_DOT") or shutil.which("dot")
    if program:
        commands.append([program, f"-T{format}", *([f"-Gdpi={dpi}"] if dpi else [])])
    if sys.executable and find_spec("pygraphviz") is not None:
        commands.append([sys.executable, "-P", "-c", _CHILD, format, dpi])
    return commands


def _run(command: list[str], dot_text: str, format: Format, timeout: float) -> tuple[bytes | None, str]:
    """The output, or None and why there is none."""
    try:
        done = subprocess.run(command, input=dot_text.encode(), capture_output=True, timeout=timeout, check=False)
    except OSError as error:
        return None, error.strerror or str(error)
    except subprocess.TimeoutExpired:
        raise _too_large(timeout) from None
    if done.returncode != 0:
        return None, _reason(done.stderr) or f"exit status {done.returncode}"
    # Graphviz answers "memory exhausted" with an empty picture and status 0.
    if not done.stdout.startswith(_STARTS[format]) or (
        format == "svg" and b'class="node"' not in done.stdout and "->" in dot_text
    ):
        return None, _reason(done.stderr) or "an empty picture"
    return done.stdout, ""


_STARTS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


def _reason(stderr: bytes) -> str:
    """The last line that says something; Fontconfig's warnings about the machine's own files do not."""
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines()]
    said = [line for line in lines if line and not line.startswith("Fontconfig")]
    return said[-1] if said else ""


def _too_large(seconds: float) -> CnnError:
    return fault(
        "diagram-too-large",
        f"Graphviz did not lay the diagram out in {seconds:g} seconds",
        help="draw less of it with `depth`, or write .dot or .mmd",
    )
