"""What helps in writing: completion, signatures, layout."""

from __future__ import annotations

from lsprotocol import types

from cnndsl.lsp import convert
from cnndsl.lsp.asked import place_asked
from cnndsl.lsp.server import Server
from cnndsl.service.completion import completions
from cnndsl.service.outline.layout import formatting, typed
from cnndsl.service.signature import signature


def register(server: Server) -> None:
    """Gives the server these features."""

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[".", "(", "=", '"']))
    def complete(params: types.CompletionParams) -> list[types.CompletionItem]:
        if (at := place_asked(server, params)) is None:
            return []
        item = server.asked("text_document", "completion", "completion_item", "snippet_support")
        return [convert.completion(one, at[0], snippets=bool(item)) for one in completions(at[0].current(), at[1])]

    @server.feature(
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        types.SignatureHelpOptions(trigger_characters=["(", ","], retrigger_characters=["=", ")"]),
    )
    def signature_help(params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        found = signature(at[0].current(), at[1]) if (at := place_asked(server, params)) is not None else None
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
        if (at := place_asked(server, params)) is None:
            return []
        return [convert.text_edit(edit, at[0].lines) for edit in typed(at[0].source, at[1], params.ch)]
