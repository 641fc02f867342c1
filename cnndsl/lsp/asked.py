"""Where a client asks: places are clipped to the text, so that none of them raises."""

from __future__ import annotations

from typing import Any

from cnndsl.lsp.document import Document
from cnndsl.lsp.server import Server

PATIENCE = 0.3
"""Seconds for which a question waits for what is being worked out; then it is answered from what is known."""


def place_asked(server: Server, params: Any) -> tuple[Document, int] | None:
    """The text and offset that a client asks about; None for one that is not open."""
    document = server.documents.get(params.text_document.uri)
    if document is None:
        return None
    return document, document.lines.offset(params.position)
