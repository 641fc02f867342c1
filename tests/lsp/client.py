"""A client of the language server, as editors are: pygls' own, over standard input and output."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient


class Client(LanguageClient):
    """Speaks with `cnndsl lsp` and keeps what the server tells."""

    def __init__(self) -> None:
        super().__init__("tests", "1")
        self.told: dict[str, list[types.Diagnostic]] = {}
        self.versions: dict[str, int | None] = {}
        self.news = asyncio.Event()
        self.registered: list[str] = []

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
        def diagnostics(params: types.PublishDiagnosticsParams) -> None:
            self.told[params.uri] = list(params.diagnostics)
            self.versions[params.uri] = params.version
            self.news.set()

        @self.feature(types.WORKSPACE_INLAY_HINT_REFRESH)  # type: ignore[untyped-decorator]
        def hints_refresh(_: Any) -> None:
            return None

        @self.feature(types.WORKSPACE_CODE_LENS_REFRESH)  # type: ignore[untyped-decorator]
        def lens_refresh(_: Any) -> None:
            return None

        @self.feature(types.CLIENT_REGISTER_CAPABILITY)  # type: ignore[untyped-decorator]
        def register(params: types.RegistrationParams) -> None:
            self.registered += [registration.method for registration in params.registrations]

    async def begin(
        self, folders: Sequence[Path] = (), encoding: str = "utf-16", options: dict[str, Any] | None = None
    ) -> types.InitializeResult:
        """Starts the server and shakes hands."""
        await self.start_io(sys.executable, "-W", "error", "-m", "cnndsl", "lsp", "--stdio")
        made = await self.initialize_async(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(
                    general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind(encoding)]),
                    text_document=types.TextDocumentClientCapabilities(
                        publish_diagnostics=types.PublishDiagnosticsClientCapabilities(related_information=True),
                        completion=types.CompletionClientCapabilities(
                            completion_item=types.ClientCompletionItemOptions(snippet_support=True)
                        ),
                    ),
                    workspace=types.WorkspaceClientCapabilities(
                        inlay_hint=types.InlayHintWorkspaceClientCapabilities(refresh_support=True),
                        did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(
                            dynamic_registration=True
                        ),
                    ),
                ),
                workspace_folders=[types.WorkspaceFolder(uri=f.as_uri(), name=f.name) for f in folders],
                initialization_options=options,
            )
        )
        self.initialized(types.InitializedParams())
        return made

    def open(self, uri: str, text: str) -> None:
        item = types.TextDocumentItem(uri=uri, language_id="cnn", version=1, text=text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def change(self, uri: str, version: int, text: str) -> None:
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(uri=uri, version=version),
                content_changes=[types.TextDocumentContentChangeWholeDocument(text=text)],
            )
        )

    async def heard(self, uri: str, version: int) -> list[types.Diagnostic]:
        """What is told of a version of a text."""
        while self.versions.get(uri) != version:
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), 60)
        return self.told[uri]

    async def hints(self, uri: str) -> list[tuple[int, str]]:
        """The hints of a text: line, from 0, and label."""
        whole = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=9999, character=0))
        found = await self.text_document_inlay_hint_async(
            types.InlayHintParams(text_document=types.TextDocumentIdentifier(uri=uri), range=whole)
        )
        return [(hint.position.line, str(hint.label)) for hint in found or []]

    async def end(self) -> None:
        await self.shutdown_async(None)
        self.exit(None)
        await self.stop()  # type: ignore[no-untyped-call]


def at(uri: str, line: int, character: int) -> dict[str, Any]:
    """What questions about a place begin with."""
    return {
        "text_document": types.TextDocumentIdentifier(uri=uri),
        "position": types.Position(line=line, character=character),
    }
