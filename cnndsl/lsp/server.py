"""The server: what it is told of texts, and the work that follows from it.

Messages are read in one thread; networks are built in another one, one at a time, and what is built for a text that has
changed since is given up. The model in which somebody types comes first, the others follow when nothing else is to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from cnndsl.lsp.addresses import path_of
from cnndsl.lsp.convert import diagnostic
from cnndsl.lsp.document import Document, changed
from cnndsl.lsp.positions import Lines
from cnndsl.lsp.protocol import Protocol
from cnndsl.passes.walk.findings import Cancelled
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Fact, Problem
from cnndsl.service.facts import facts, kept
from cnndsl.service.problems import problems
from cnndsl.syntax.scan import MOST_BYTES
from cnndsl.version import __version__

logger = logging.getLogger(__name__)
COLUMNS = ("shape", "rf", "params", "macs")
MOST_OTHERS = 64
"""Models of a file that are built besides the one in which somebody types."""


class Server(LanguageServer):
    """A language server for `.cnn` texts."""

    def __init__(self) -> None:
        super().__init__("cnndsl", __version__, types.TextDocumentSyncKind.Full, protocol_cls=Protocol)
        self.documents: dict[str, Document] = {}
        self.columns: tuple[str, ...] = ("shape",)
        self.worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cnndsl")

    # -- texts

    def open(self, item: types.TextDocumentItem) -> None:
        """Takes a text that a client has opened."""
        document = Document(item.uri, item.text, item.version, str(self.workspace.position_encoding or "utf-16"))
        self.documents[item.uri] = document
        document.begin()
        self.study(document)

    def edit(self, uri: str, version: int, changes: list[types.TextDocumentContentChangeEvent]) -> None:
        """Takes changes of a text."""
        document = self.documents.get(uri)
        if document is None:
            return
        before = document.generation
        document.change(changed(document, changes), version)
        if document.generation != before:
            self.study(document)
            self._study_users(document.path)

    def close(self, uri: str) -> None:
        """Forgets a text, and takes back what was told of it."""
        document = self.documents.pop(uri, None)
        if document is not None:
            document.begin()
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))
            self._study_users(document.path)

    def files_changed(self, uris: list[str]) -> None:
        """Builds again what uses files that have changed on disk."""
        for path in {path_of(uri) for uri in uris}:
            self._study_users(path)

    def _study_users(self, path: Path | None) -> None:
        for document in self.documents.values():
            known = document.analysis
            asks = known is None or any(unit.path == path for unit in known.used.values()) or _lacks(document)
            if path is not None and document.path != path and asks:
                document.begin()
                self.study(document)

    def lines_of(self, file: Path | str) -> Lines:
        """The lines of a file that is open or lies on disk; of a built-in one by its name."""
        encoding = str(self.workspace.position_encoding or "utf-16")
        if isinstance(file, Path):
            for document in self.documents.values():
                if document.path == file:
                    return document.lines
            try:
                with file.open("rb") as stream:
                    return Lines(stream.read(MOST_BYTES).decode("utf-8", "replace"), encoding)
            except OSError:
                return Lines("", encoding)
        from cnndsl.disk import shelf

        found = next((source for source in shelf.sources() if source.name == file), None)
        return Lines(found.text if found is not None else "", encoding)

    # -- work

    def study(self, document: Document) -> None:
        """Begins to work out what there is to know of a text."""
        loop = asyncio.get_running_loop()
        generation = document.generation
        unsaved = {d.path: d.text for d in self.documents.values() if d.path is not None and d is not document}

        def cancelled() -> bool:
            return document.generation != generation

        analysis = Analysis(document.source, document.path, unsaved, cancelled)

        def tell(found: tuple[Problem, ...], known: tuple[Fact, ...], *, sound: bool, whole: bool) -> None:
            document_facts = (known, sound, whole)
            loop.call_soon_threadsafe(self._told, document, generation, analysis, found, document_facts)

        self.worker.submit(_worked_out, analysis, document.focus, cancelled, tell)

    def _told(
        self,
        document: Document,
        generation: int,
        analysis: Analysis,
        found: tuple[Problem, ...],
        worked_out: tuple[tuple[Fact, ...], bool, bool],
    ) -> None:
        """Keeps what was worked out, and tells the client, if the text is still the same."""
        if document.generation != generation or self.documents.get(document.uri) is not document:
            return
        known, sound, whole = worked_out
        document.analysis, document.problems, document.sound = analysis, found, sound
        before = document.facts
        document.facts = kept(document.facts, document.text, document.text, known, whole=whole)
        document.settled.set()
        related = bool(self.asked("text_document", "publish_diagnostics", "related_information"))
        told = [diagnostic(problem, document, self.lines_of, related=related) for problem in found]
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=document.uri, diagnostics=told, version=document.version)
        )
        if document.facts != before:
            self.refresh()

    def refresh(self) -> None:
        """Asks the client to ask again for what stands in its lines."""
        if self.asked("workspace", "inlay_hint", "refresh_support"):
            self.workspace_inlay_hint_refresh(None)
        if self.asked("workspace", "code_lens", "refresh_support"):
            self.workspace_code_lens_refresh(None)

    def asked(self, *path: str) -> Any:
        """A capability of the client; None where it says nothing of it."""
        found: Any = self.client_capabilities
        for name in path:
            found = getattr(found, name, None)
        return found

    def set_columns(self, settings: Any) -> None:
        """Takes the figures that lines show from the client's settings: `{"hints": ["shape", "rf"]}`."""
        asked = settings.get("cnndsl", settings) if isinstance(settings, dict) else None
        hints = asked.get("hints") if isinstance(asked, dict) else None
        if isinstance(hints, list):
            self.columns = tuple(column for column in COLUMNS if column in hints)


def _lacks(document: Document) -> bool:
    """Whether a file that the text uses was not found."""
    return any(problem.id in ("file-not-found", "not-utf8") for problem in document.problems)


def _worked_out(analysis: Analysis, focus: int, cancelled: Callable[[], bool], tell: Callable[..., None]) -> None:
    """What there is to know of a text: first of the model in which somebody types, then of all others."""
    try:
        if cancelled():
            return
        first = [analysis.model_at(focus)] if analysis.models else []
        known = facts(analysis, first)
        sound = not analysis.misread and all(analysis.checked(model).whole for model in first)
        tell(problems(analysis, first), known, sound=sound, whole=sound and len(analysis.models) <= len(first))
        others = [model for model in analysis.models if model not in first][:MOST_OTHERS]
        if not others or analysis.misread:
            return
        for model in others:
            if cancelled():
                return
            analysis.checked(model)
        models = [*first, *others]
        known = facts(analysis, models)
        whole = all(analysis.checked(model).whole for model in models)
        tell(problems(analysis, models), known, sound=sound, whole=whole)
    except Cancelled:
        return
    except Exception:
        # A bug of ours must not end the server: the next change tries again.
        logger.exception("while working on %s", analysis.source.name)
