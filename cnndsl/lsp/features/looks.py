"""What is shown beside a text: hints at the ends of lines, pages, lenses, mends."""

from __future__ import annotations

import asyncio

from lsprotocol import types

from cnndsl.lsp import convert
from cnndsl.lsp.asked import PATIENCE, place_asked
from cnndsl.lsp.server import Server
from cnndsl.service.hover import hover
from cnndsl.service.lenses import lenses
from cnndsl.service.sizes import SIZED, sizes

SIZES = "cnndsl.sizes"
"""The command that looks for sizes of the input: a search, which takes up to a second, and so is asked for."""


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
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return None
        analysis = await document.known(PATIENCE)
        # The text may have changed while it was waited for.
        at = place_asked(server, params)
        page = hover(analysis, at[1]) if at is not None and analysis.source.text == document.text else None
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
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    )
    async def code_actions(params: types.CodeActionParams) -> list[types.Command | types.CodeAction]:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return []
        await document.known(PATIENCE)
        start, end = document.lines.offset(params.range.start), document.lines.offset(params.range.end)
        related = bool(server.asked("text_document", "publish_diagnostics", "related_information"))
        there = [p for p in document.problems if p.place.start <= end and start <= max(p.place.end, p.place.start)]
        here = [problem for problem in there if problem.edits]
        search = types.Command(title="Which input sizes would do?", command=SIZES, arguments=[document.uri])
        asks = [search] if any(problem.id in SIZED for problem in there) else []
        mends = [
            types.CodeAction(
                title=problem.title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[convert.diagnostic(problem, document, server.lines_of, related=related)],
                is_preferred=len(here) == 1,
                edit=convert.workspace_edit(problem.edits, document, server.lines_of),
            )
            for problem in here
        ]
        return [*mends, *asks]

    @server.command(SIZES)
    async def search_sizes(uri: str) -> str | None:
        """Looks for sizes of the input that could be built, and shows them."""
        document = server.documents.get(uri)
        if document is None:
            return None
        analysis = document.current()
        model = analysis.model_at(document.focus)
        found = await asyncio.get_running_loop().run_in_executor(server.worker, sizes, analysis, model)
        said = found or "no size of the input was found that could be built"
        server.window_show_message(types.ShowMessageParams(type=types.MessageType.Info, message=said))
        return said
