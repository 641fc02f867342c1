"""Serves a preview on this machine alone."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.preview.application import Preview
from cnndsl.preview.follow import Followed, Settings


def serve(
    file: str,
    settings: Settings,
    *,
    port: int = 0,
    editor: tuple[str, ...] = (),
    photo: Path | None = None,
    tell: Callable[[str], None],
) -> None:
    """Serves until interrupted; `tell` is given the address once there is one. `port` 0 takes any that is free. Raises
    `MissingPart` for a port that is taken."""
    preview = Preview(Followed(file, settings), editor=editor, photo=photo)
    config = uvicorn.Config(
        preview.application(),
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=1,
        lifespan="on",
        ws="none",
    )
    # Building networks makes many small objects and few circles of them.
    gc.set_threshold(50_000, 20, 20)
    with socket.socket() as listening:
        if sys.platform != "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            # From here on a browser that comes too early waits.
            listening.listen()
        except OSError as error:
            raise MissingPart(f"port {port}: {error.strerror}", "leave --port out, or give another one") from None
        tell(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        uvicorn.Server(config).run(sockets=[listening])
