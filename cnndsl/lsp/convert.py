"""The service's answers as types of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from lsprotocol import types

from cnndsl.lsp.addresses import uri_of
from cnndsl.lsp.document import Document
from cnndsl.lsp.positions import Lines
from cnndsl.service.answers import Call, Completion, Edit, Fact, Outline, Place, Problem

LinesOf = Callable[[Path | str], Lines]
"""The lines of another file, as it is being edited or as it lies on disk."""

_COMPLETION = {
    "keyword": types.CompletionItemKind.Keyword, "layer": types.CompletionItemKind.Method, "merge": types.CompletionItemKind.Operator,
    "block": types.CompletionItemKind.Class, "model": types.CompletionItemKind.Class, "function": types.CompletionItemKind.Function,
    "value": types.CompletionItemKind.Variable, "tensor": types.CompletionItemKind.Variable,
    "argument": types.CompletionItemKind.Property, "word": types.CompletionItemKind.EnumMember,
    "network": types.CompletionItemKind.Module, "file": types.CompletionItemKind.File,
}  # fmt: skip
_ORDER = (
    "argument",
    "word",
    "tensor",
    "value",
    "block",
    "model",
    "keyword",
    "merge",
    "layer",
    "function",
    "network",
    "file",
)
SYMBOLS = {
    "block": types.SymbolKind.Class, "model": types.SymbolKind.Module, "function": types.SymbolKind.Function,
    "value": types.SymbolKind.Constant, "parameter": types.SymbolKind.Property, "share": types.SymbolKind.Object,
    "tensor": types.SymbolKind.Variable, "input": types.SymbolKind.Field,
}  # fmt: skip


def location(place: Place, document: Document, lines_of: LinesOf) -> types.Location:
    """A place in this text or another file."""
    if place.file is None:
        return types.Location(uri=document.uri, range=document.lines.range(place.start, place.end))
    return types.Location(uri=uri_of(place.file), range=lines_of(place.file).range(place.start, place.end))


def diagnostic(problem: Problem, document: Document, lines_of: LinesOf, *, related: bool) -> types.Diagnostic:
    """A problem; its explaining places only for clients that show them, else in the message."""
    said = [problem.message, *([problem.found] if problem.found else []), *problem.notes]
    said += [f"help: {problem.help}"] if problem.help else []
    places = [
        types.DiagnosticRelatedInformation(location=location(r.place, document, lines_of), message=r.text)
        for r in problem.remarks
    ]
    if not related:
        said += [f"{r.text} (line {document.lines.position(r.place.start).line + 1})" for r in problem.remarks]
    unused = problem.id in ("unused-name", "unused-default")
    return types.Diagnostic(
        range=document.lines.range(problem.place.start, max(problem.place.end, problem.place.start)),
        message="\n".join(said),
        severity=types.DiagnosticSeverity.Error if problem.severity == "error" else types.DiagnosticSeverity.Warning,
        code=problem.id,
        code_description=types.CodeDescription(href=uri_of(f"docs/errors/{problem.id}.md")),
        source="cnndsl",
        tags=[types.DiagnosticTag.Unnecessary] if unused else None,
        related_information=places if related and places else None,
    )


def text_edit(edit: Edit, lines: Lines) -> types.TextEdit:
    return types.TextEdit(range=lines.range(edit.start, edit.end), new_text=edit.text)


def workspace_edit(edits: Iterable[Edit], document: Document, lines_of: LinesOf) -> types.WorkspaceEdit:
    """Edits in this text and in others."""
    changes: dict[str, list[types.TextEdit]] = {}
    for edit in edits:
        uri = document.uri if edit.file is None else uri_of(edit.file)
        lines = document.lines if edit.file is None else lines_of(edit.file)
        changes.setdefault(uri, []).append(text_edit(edit, lines))
    return types.WorkspaceEdit(changes=changes)


def inlay(fact: Fact, document: Document, columns: tuple[str, ...]) -> types.InlayHint:
    """A fact at the end of its line; `~` before one that is from before the last edits."""
    text = fact.text(columns)
    return types.InlayHint(
        position=document.lines.position(fact.offset),
        label=f"~ {text}" if fact.stale and not document.sound else text,
        padding_left=True,
        tooltip=fact.text(("shape", "rf", "params", "macs"))
        + ("\nas it was before the last edits" if fact.stale else ""),
    )


def completion(item: Completion, document: Document, *, snippets: bool) -> types.CompletionItem:
    """What could be written; without stops for clients that know none."""
    text, snippet = item.text, item.snippet
    if snippet and not snippets:
        text, snippet = _plain(item), False
    return types.CompletionItem(
        label=item.label,
        kind=_COMPLETION[item.kind],
        detail=item.detail or None,
        documentation=item.doc or None,
        sort_text=f"{_ORDER.index(item.kind):02}{item.label}",
        filter_text=item.label,
        insert_text_format=types.InsertTextFormat.Snippet if snippet else types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(range=document.lines.range(item.place.start, item.place.end), new_text=text),
    )


def _plain(item: Completion) -> str:
    return item.label if item.kind != "argument" else item.text


def symbol(outline: Outline, lines: Lines) -> types.DocumentSymbol:
    """A definition with those inside of it."""
    name_place, place = outline.name_place, outline.place
    return types.DocumentSymbol(
        name=outline.name,
        kind=SYMBOLS[outline.kind],
        detail=outline.detail or None,
        range=lines.range(min(place.start, name_place.start), max(place.end, name_place.end)),
        selection_range=lines.range(name_place.start, name_place.end),
        children=[symbol(child, lines) for child in outline.children],
    )


def call_item(call: Call, document: Document) -> types.CallHierarchyItem:
    """A block or model of this text."""
    return types.CallHierarchyItem(
        name=call.name,
        kind=SYMBOLS[call.kind],
        uri=document.uri,
        range=document.lines.range(call.place.start, call.place.end),
        selection_range=document.lines.range(call.name_place.start, call.name_place.end),
    )
