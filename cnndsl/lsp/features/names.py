"""Names: where they are defined, who speaks of them, another name, calls."""

from __future__ import annotations

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from cnndsl.lsp import convert
from cnndsl.lsp.asked import PATIENCE, place_asked
from cnndsl.lsp.document import Document
from cnndsl.lsp.server import Server
from cnndsl.service.answers import Place
from cnndsl.service.names import calls
from cnndsl.service.names.definition import definition, highlights, references
from cnndsl.service.names.rename import CannotRename, renamable, rename

MOST_NEIGHBOURS = 500
"""So many files beside one are searched for uses of a name."""


def register(server: Server) -> None:
    """Gives the server these features."""

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def go_to_definition(params: types.DefinitionParams) -> types.Location | None:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return None
        analysis = await document.known(PATIENCE)
        at = place_asked(server, params)
        place = definition(analysis, at[1]) if at is not None and analysis.source.text == document.text else None
        return convert.location(place, document, server.lines_of) if place is not None else None

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def find_references(params: types.ReferenceParams) -> list[types.Location]:
        if (at := place_asked(server, params)) is None:
            return []
        places = references(at[0].current(), at[1], declaration=params.context.include_declaration)
        return [convert.location(place, at[0], server.lines_of) for place in places]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlight(params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        if (at := place_asked(server, params)) is None:
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
        place = renamable(at[0].current(), at[1]) if (at := place_asked(server, params)) is not None else None
        return at[0].lines.range(place.start, place.end) if at is not None and place is not None else None

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename_everywhere(params: types.RenameParams) -> types.WorkspaceEdit | None:
        if (at := place_asked(server, params)) is None:
            return None
        document, offset = at
        neighbours = {d.path: d.text for d in server.documents.values() if d.path is not None and d is not document}
        if document.path is not None and document.path.parent.is_dir():
            for path in sorted(document.path.parent.glob("*.cnn"))[:MOST_NEIGHBOURS]:
                if path != document.path and path not in neighbours:
                    neighbours[path] = server.lines_of(path).text
        try:
            edits = rename(document.current(), offset, params.new_name, neighbours)
        except CannotRename as reason:
            raise JsonRpcInvalidParams(str(reason)) from None
        return convert.workspace_edit(edits, document, server.lines_of)

    @server.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    def prepare_calls(params: types.CallHierarchyPrepareParams) -> list[types.CallHierarchyItem]:
        call = calls.call_at(at[0].current(), at[1]) if (at := place_asked(server, params)) is not None else None
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
