"""Begins to speak."""

from __future__ import annotations

import gc
import logging
import os
import sys

from cnndsl.lsp.features import looks, names, outlines, texts, writing
from cnndsl.lsp.server import Server


def make_server() -> Server:
    """A server with all its features."""
    server = Server()
    for room in (texts, looks, names, outlines, writing):
        room.register(server)
    return server


def settle() -> None:
    """Lets Python's collector run less often: building networks makes many small objects and few circles of them."""
    gc.set_threshold(50_000, 20, 20)
    gc.freeze()


def serve() -> None:
    """Speaks the protocol on standard input and output until the client leaves."""
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR)
    settle()
    # The protocol has the standard output for itself: whatever else is printed goes to the standard error.
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    make_server().start_io(stdin, stdout)
