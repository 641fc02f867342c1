"""A static server such as the playground is put on: it compresses with brotli, and counts what it sends."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

KEPT = Path(__file__).resolve().parents[2] / "build" / "playground-parts" / "brotli"
SMALL = 300


@cache
def squeezed(path: Path) -> bytes:
    """A file with brotli, kept by what it holds."""
    import brotli

    content = path.read_bytes()
    kept = KEPT / f"{sha256(content).hexdigest()[:32]}.br"
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(brotli.compress(content, quality=11, lgwin=24))
    return kept.read_bytes()


class _Answers(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm"}  # noqa: RUF012
    sent: dict[str, int]

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return
        packed = path.stat().st_size > SMALL and "br" in self.headers.get("Accept-Encoding", "")
        content = squeezed(path) if packed else path.read_bytes()
        self.sent[path.name] = len(content)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if packed:
            self.send_header("Content-Encoding", "br")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, dict[str, int], ThreadingHTTPServer]]:
    """The address of a folder, the bytes that were sent of each file, and the server."""
    for file in folder.rglob("*"):
        if file.is_file() and file.stat().st_size > SMALL:
            squeezed(file)
    sent: dict[str, int] = {}
    handler = functools.partial(type("Answers", (_Answers,), {"sent": sent}), directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", sent, server
    finally:
        server.shutdown()
        server.server_close()
