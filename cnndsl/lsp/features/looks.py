"""What is shown beside a text: hints at the ends of lines, pages, lenses, mends."""

from __future__ import annotations

from lsprotocol import types

from cnndsl.lsp import convert
from cnndsl.lsp.asked import PATIENCE, place_asked
from cnndsl.lsp.server import Server
from cnndsl.service.hover import hover
from cnndsl.service.lenses import lenses


def register(server: Server) -> None:
    """Gives the server these features."""

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
        if (at := place_asked(server, params)) is None:
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
