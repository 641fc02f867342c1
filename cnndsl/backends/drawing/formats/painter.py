"""DOT text → SVG again and again: where Graphviz is inside of pygraphviz, its process is kept, which saves a start of Python each time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from threading import Timer

from cnndsl.backends.drawing.formats.graphviz_program import render
from cnndsl.backends.drawing.formats.svg import tidy

_CHILD = """
import sys
import pygraphviz
source, out = sys.stdin.buffer, sys.stdout.buffer
while head := source.read(8):
    graph = pygraphviz.AGraph(string=source.read(int.from_bytes(head, "big")).decode())
    picture = graph.draw(format="svg", prog="dot")
    graph.close()
    out.write(len(picture).to_bytes(8, "big") + picture)
    out.flush()
"""


class Painter:
    """Paints pictures one after the other, the same ones as `render`. Not for several threads at once."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def svg(self, dot_text: str, description: str = "", *, timeout: float = 20.0) -> str:
        """The picture as an SVG document. Raises what `render` raises."""
        picture = self._painted(dot_text.encode(), timeout)
        if picture is not None and b'class="node"' in picture:
            return tidy(picture, description).decode()
        # No child, or one that died of this text: a program of its own says why.
        return render(dot_text, "svg", timeout=timeout, description=description).decode()

    def close(self) -> None:
        """Ends the process."""
        if self._child is not None:
            for stream in (self._child.stdin, self._child.stdout):
                if stream is not None:
                    stream.close()
            self._child.kill()
            self._child.wait()
            self._child = None

    def _painted(self, text: bytes, timeout: float) -> bytes | None:
        child = self._running()
        if child is None:
            return None
        assert child.stdin is not None
        assert child.stdout is not None
        clock = Timer(timeout, child.kill)
        clock.start()
        try:
            child.stdin.write(len(text).to_bytes(8, "big") + text)
            child.stdin.flush()
            size = int.from_bytes(child.stdout.read(8), "big")
            picture = child.stdout.read(size)
        except OSError:
            picture, size = b"", 1
        finally:
            clock.cancel()
        if not picture or len(picture) < size:
            self.close()
            return None
        return picture

    def _running(self) -> subprocess.Popen[bytes] | None:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        other = os.environ.get("CNNDSL_DOT") or shutil.which("dot")
        if other or not sys.executable or find_spec("pygraphviz") is None:
            return None
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self._child
