"""What a client may tell and ask, a function each. Places that the client names are clipped to the text: none of them raises."""

from __future__ import annotations

from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from cnndsl.lsp import convert
from cnndsl.lsp.addresses import SCHEME, text_of, uri_of
from cnndsl.lsp.document import Document
from cnndsl.lsp.server import Server
from cnndsl.service.answers import MODIFIERS, TOKEN_KINDS, Coloured, Place
from cnndsl.service.completion import completions
from cnndsl.service.hover import hover
from cnndsl.service.lenses import lenses
from cnndsl.service.names import calls
from cnndsl.service.names.definition import definition, highlights, references
from cnndsl.service.names.rename import CannotRename, renamable, rename
from cnndsl.service.outline.colours import colours
from cnndsl.service.outline.folding import folds
from cnndsl.service.outline.layout import formatting, typed
from cnndsl.service.outline.links import links
from cnndsl.service.outline.symbols import symbols
from cnndsl.service.signature import signature

PATIENCE = 0.3
"""Seconds for which a question waits for what is being worked out; then it is answered from what is known."""
MOST_SYMBOLS = 500
_LEGEND = types.SemanticTokensLegend(token_types=list(TOKEN_KINDS), token_modifiers=list(MODIFIERS))
_WATCH = types.RegistrationParams(
    registrations=[
        types.Registration(
            id="cnndsl-files",
            method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
            register_options=types.DidChangeWatchedFilesRegistrationOptions(
                watchers=[types.FileSystemWatcher(glob_pattern="**/*.cnn")]
            ),
        )
    ]
)


def make_server() -> Server:
    """A server with all its features."""
    server = Server()
    for register in (_texts, _looks, _names, _outlines, _writes):
        register(server)
    return server


def _texts(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.set_columns(params.initialization_options)

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        watched = server.asked("workspace", "did_change_watched_files", "dynamic_registration")
        if watched:
            server.client_register_capability(_WATCH)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.open(params.text_document)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        server.edit(params.text_document.uri, params.text_document.version, list(params.content_changes))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.close(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(_: types.DidSaveTextDocumentParams) -> None:
        # What was saved is what was told before.
        return

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_files(params: types.DidChangeWatchedFilesParams) -> None:
        server.files_changed([change.uri for change in params.changes])

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        server.set_columns(params.settings)
        server.refresh()

    @server.feature(
        types.WORKSPACE_TEXT_DOCUMENT_CONTENT, types.TextDocumentContentRegistrationOptions(schemes=[SCHEME])
    )
    def content(params: types.TextDocumentContentParams) -> types.TextDocumentContentResult:
        return types.TextDocumentContentResult(text=text_of(params.uri) or "")


def _at(server: Server, params: Any) -> tuple[Document, int] | None:
    """The text and offset that a client asks about; None for one that is not open."""
    document = server.documents.get(params.text_document.uri)
    if document is None:
        return None
    return document, document.lines.offset(params.position)


def _looks(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def inlay_hints(params: types.InlayHintParams) -> list[types.InlayHint]:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return []
        await document.known(PATIENCE)
        start, end = document.lines.offset(params.range.start), document.lines.offset(params.range.end)
        shown = [fact for fact in document.facts if start <= fact.offset <= end and fact.text(server.columns)]
        return [convert.inlay(fact, document, server.columns) for fact in shown]

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def show_hover(params: types.HoverParams) -> types.Hover | None:
        if (at := _at(server, params)) is None:
            return None
        document, offset = at
        page = hover(await document.known(PATIENCE), offset)
        if page is None:
            return None
        return types.Hover(
            contents=types.MarkupContent(kind=types.MarkupKind.Markdown, value=page.text),
            range=document.lines.range(page.place.start, page.place.end),
        )

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def code_lenses(params: types.CodeLensParams) -> list[types.CodeLens]:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return []
        analysis = await document.known(PATIENCE)
        return [
            types.CodeLens(
                range=document.lines.range(lens.place.start, lens.place.end),
                command=types.Command(title=lens.text, command=""),
            )
            for lens in lenses(analysis, analysis.built)
        ]

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]),
    )
    async def code_actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return []
        await document.known(PATIENCE)
        start, end = document.lines.offset(params.range.start), document.lines.offset(params.range.end)
        related = bool(server.asked("text_document", "publish_diagnostics", "related_information"))
        here = [
            p
            for p in document.problems
            if p.edits and p.place.start <= end and start <= max(p.place.end, p.place.start)
        ]
        return [
            types.CodeAction(
                title=problem.title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[convert.diagnostic(problem, document, server.lines_of, related=related)],
                is_preferred=len(here) == 1,
                edit=convert.workspace_edit(problem.edits, document, server.lines_of),
            )
            for problem in here
        ]


def _names(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def go_to_definition(params: types.DefinitionParams) -> types.Location | None:
        if (at := _at(server, params)) is None:
            return None
        place = definition(await at[0].known(PATIENCE), at[1])
        return convert.location(place, at[0], server.lines_of) if place is not None else None

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def find_references(params: types.ReferenceParams) -> list[types.Location]:
        if (at := _at(server, params)) is None:
            return []
        places = references(at[0].current(), at[1], declaration=params.context.include_declaration)
        return [convert.location(place, at[0], server.lines_of) for place in places]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlight(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        if (at := _at(server, params)) is None:
            return []
        document = at[0]
        document.focus = at[1]
        kinds = types.DocumentHighlightKind
        return [
            types.DocumentHighlight(
                range=document.lines.range(place.start, place.end), kind=kinds.Write if written else kinds.Read
            )
            for place, written in highlights(document.current(), at[1])
        ]

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare_rename(params: types.PrepareRenameParams) -> types.Range | None:
        place = renamable(at[0].current(), at[1]) if (at := _at(server, params)) is not None else None
        return at[0].lines.range(place.start, place.end) if at is not None and place is not None else None

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename_everywhere(params: types.RenameParams) -> types.WorkspaceEdit | None:
        if (at := _at(server, params)) is None:
            return None
        document, offset = at
        neighbours = {d.path: d.text for d in server.documents.values() if d.path is not None and d is not document}
        if document.path is not None and document.path.parent.is_dir():
            for path in sorted(document.path.parent.glob("*.cnn"))[:MOST_SYMBOLS]:
                if path != document.path and path not in neighbours:
                    neighbours[path] = server.lines_of(path).text
        try:
            edits = rename(document.current(), offset, params.new_name, neighbours)
        except CannotRename as reason:
            raise JsonRpcInvalidParams(str(reason)) from None
        return convert.workspace_edit(edits, document, server.lines_of)

    @server.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    def prepare_calls(params: types.CallHierarchyPrepareParams) -> list[types.CallHierarchyItem]:
        call = calls.call_at(at[0].current(), at[1]) if (at := _at(server, params)) is not None else None
        return [convert.call_item(call, at[0])] if at is not None and call is not None else []

    @server.feature(types.CALL_HIERARCHY_INCOMING_CALLS)
    def incoming(params: types.CallHierarchyIncomingCallsParams) -> list[types.CallHierarchyIncomingCall]:
        document = server.documents.get(params.item.uri)
        return [
            types.CallHierarchyIncomingCall(
                from_=convert.call_item(call, document), from_ranges=_ranges(call.calls, document)
            )
            for call in (calls.incoming(document.current(), params.item.name) if document is not None else ())
            if document is not None
        ]

    @server.feature(types.CALL_HIERARCHY_OUTGOING_CALLS)
    def outgoing(params: types.CallHierarchyOutgoingCallsParams) -> list[types.CallHierarchyOutgoingCall]:
        document = server.documents.get(params.item.uri)
        return [
            types.CallHierarchyOutgoingCall(
                to=convert.call_item(call, document), from_ranges=_ranges(call.calls, document)
            )
            for call in (calls.outgoing(document.current(), params.item.name) if document is not None else ())
            if document is not None
        ]


def _ranges(places: tuple[Place, ...], document: Document) -> list[types.Range]:
    return [document.lines.range(place.start, place.end) for place in places]


def _outlines(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def document_symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return []
        return [convert.symbol(outline, document.lines) for outline in symbols(document.current().program)]

    @server.feature(types.WORKSPACE_SYMBOL)
    def workspace_symbols(params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
        wanted = params.query.lower()
        found = [
            types.WorkspaceSymbol(
                name=outline.name,
                kind=convert.SYMBOLS[outline.kind],
                location=types.Location(
                    uri=document.uri, range=document.lines.range(outline.name_place.start, outline.name_place.end)
                ),
            )
            for document in server.documents.values()
            for outline in symbols(document.current().program)
            if wanted in outline.name.lower()
        ]
        return found[:MOST_SYMBOLS]

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    def folding(params: types.FoldingRangeParams) -> list[types.FoldingRange]:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return []
        line = document.lines.position
        found = folds(document.source, document.current().program)
        return [
            types.FoldingRange(
                start_line=line(fold.start).line,
                # The line of a closing bracket stays to be seen.
                end_line=line(fold.end).line - (fold.kind == "region"),
                kind=types.FoldingRangeKind(fold.kind),
            )
            for fold in found
        ]

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, _LEGEND)
    def semantic_tokens(params: types.SemanticTokensParams) -> types.SemanticTokens:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return types.SemanticTokens(data=[])
        return types.SemanticTokens(data=_tokens(document, colours(document.current())))

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    async def document_links(params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return []
        return [
            types.DocumentLink(
                range=document.lines.range(link.place.start, link.place.end),
                target=link.target if isinstance(link.target, str) and "://" in link.target else uri_of(link.target),
                tooltip=link.tip,
            )
            for link in links(document.current())
        ]


def _tokens(document: Document, found: tuple[Coloured, ...]) -> list[int]:
    """Coloured words in the numbers of the protocol: each relative to the one before."""
    data: list[int] = []
    line = column = 0
    for word in found:
        start, end = document.lines.position(word.start), document.lines.position(word.end)
        if end.line != start.line or end.character == start.character:
            continue
        data += [
            start.line - line,
            start.character - (column if start.line == line else 0),
            end.character - start.character,
        ]
        data += [TOKEN_KINDS.index(word.kind), sum(1 << MODIFIERS.index(modifier) for modifier in word.modifiers)]
        line, column = start.line, start.character
    return data


def _writes(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[".", "(", "=", '"']))
    def complete(params: types.CompletionParams) -> list[types.CompletionItem]:
        if (at := _at(server, params)) is None:
            return []
        item = server.asked("text_document", "completion", "completion_item", "snippet_support")
        return [convert.completion(one, at[0], snippets=bool(item)) for one in completions(at[0].current(), at[1])]

    @server.feature(
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        types.SignatureHelpOptions(trigger_characters=["(", ","], retrigger_characters=["=", ")"]),
    )
    def signature_help(params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        found = signature(at[0].current(), at[1]) if (at := _at(server, params)) is not None else None
        if found is None:
            return None
        one = types.SignatureInformation(
            label=found.label,
            documentation=found.doc or None,
            parameters=[
                types.ParameterInformation(label=text, documentation=doc or None) for text, doc in found.arguments
            ],
        )
        return types.SignatureHelp(signatures=[one], active_signature=0, active_parameter=found.active)

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def format_document(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return []
        return [convert.text_edit(edit, document.lines) for edit in formatting(document.source)]

    @server.feature(
        types.TEXT_DOCUMENT_ON_TYPE_FORMATTING,
        types.DocumentOnTypeFormattingOptions(first_trigger_character=">", more_trigger_character=["\n"]),
    )
    def format_typed(params: types.DocumentOnTypeFormattingParams) -> list[types.TextEdit]:
        if (at := _at(server, params)) is None:
            return []
        return [convert.text_edit(edit, at[0].lines) for edit in typed(at[0].source, at[1], params.ch)]
