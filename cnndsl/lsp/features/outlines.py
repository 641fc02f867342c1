"""What a text is made of: symbols, folds, colours, links."""

from __future__ import annotations

from lsprotocol import types

from cnndsl.lsp import convert
from cnndsl.lsp.addresses import uri_of
from cnndsl.lsp.document import Document
from cnndsl.lsp.server import Server
from cnndsl.service.answers import MODIFIERS, TOKEN_KINDS, Coloured
from cnndsl.service.outline.colours import colours
from cnndsl.service.outline.folding import folds
from cnndsl.service.outline.links import links
from cnndsl.service.outline.symbols import symbols

_LEGEND = types.SemanticTokensLegend(token_types=list(TOKEN_KINDS), token_modifiers=list(MODIFIERS))
MOST_SYMBOLS = 500
"""Of names in a workspace so many are listed, and so many files beside one are searched."""


def register(server: Server) -> None:
    """Gives the server these features."""

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
