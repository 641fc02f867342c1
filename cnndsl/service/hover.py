"""What stands at a place, as a page: a layer with the shapes that go through it, a name with what it stands for."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from cnndsl.analyses.document import NodeReport
from cnndsl.diagnostics.source import Span
from cnndsl.ir.op import Op, find
from cnndsl.ir.written import show
from cnndsl.passes.draft.flow import Lost, Wire
from cnndsl.passes.values.functions import FUNCTIONS
from cnndsl.passes.values.kinds import kind
from cnndsl.passes.values.layer_value import LayerValue
from cnndsl.passes.values.scope import BlockValue
from cnndsl.passes.values.visible import split_word
from cnndsl.reference.explanation import arguments_of, layer
from cnndsl.reference.notions import notion
from cnndsl.service.analysis import Analysis, Checked
from cnndsl.service.answers import Hover, Place, short
from cnndsl.service.bound import Symbol
from cnndsl.service.facts import field_text
from cnndsl.service.names.definition import imported, named
from cnndsl.service.places import path_at, word_at
from cnndsl.syntax import tree

MOST_CALLS_SHOWN = 8


def hover(analysis: Analysis, offset: int) -> Hover | None:
    """The page for an offset; figures are those of the models that have been built."""
    found = named(analysis, offset)
    path = path_at(analysis.program, offset)
    if found is not None:
        place = Place(found.at.start, found.at.end)
        return Hover(
            place, "\n\n".join(filter(None, (_symbol(analysis, found.symbol), _passing(analysis, path, place))))
        )
    word = word_at(analysis.source.text, offset)
    if word is None:
        return None
    text = analysis.source.text[word.start : word.end]
    page = _argument(path, word, text) or _word(text)
    if page is None:
        return _label(analysis, path)
    return Hover(word, "\n\n".join(filter(None, (_passing(analysis, path, word), page))))


def documentation(analysis: Analysis, node: tree.Node) -> str:
    """The comments directly above a definition."""
    lines: list[str] = []
    source = analysis.source
    own = {source.line_and_column(c.span.start)[0]: c.text for c in analysis.program.comments}
    line = source.line_and_column(node.span.start)[0] - 1
    while line in own and source.line(line).lstrip().startswith("#"):
        lines.insert(0, own[line].lstrip("#").strip())
        line -= 1
    return "\n".join(lines)


def _word(text: str) -> str | None:
    split = split_word(text)
    op = split[0] if split else find(text)
    if op is not None:
        return layer(op, heading="###")
    if text in FUNCTIONS:
        return f"`{FUNCTIONS[text].usage}`: {FUNCTIONS[text].doc}."
    return notion(text)


def _argument(path: list[tree.Node], word: Place, text: str) -> str | None:
    """The name of an argument of a layer."""
    if len(path) < 2:
        return None
    for call, argument in pairwise(path):
        if isinstance(argument, tree.Argument) and argument.name == text and argument.span.start == word.start:
            op = op_of(getattr(call, "name", ""))
            return argument_page(op, text) if op is not None else None
    return None


def op_of(word: str) -> type[Op] | None:
    """The layer or merge of a word."""
    split = split_word(word)
    return split[0] if split else find(word)


def argument_page(op: type[Op], name: str) -> str | None:
    """What a layer's file says of an argument."""
    for argument in arguments_of(op):
        if argument.name == name:
            default = f" = {argument.default}" if argument.default else ""
            said = f", {argument.kind}" if argument.kind else ""
            return f"`{op.word}`: **{name}**{default}{said}\n\n{argument.doc}"
    return None


def _symbol(analysis: Analysis, symbol: Symbol) -> str:
    node = symbol.node
    if symbol.kind == "imported":
        statement, item = node
        target = imported(analysis, symbol)
        return f"```cnn\nuse {item.name} from {statement.origin}\n```" + ("" if target else "\n\nnot found")
    heads = {tree.Block: "block", tree.Model: "model"}
    if isinstance(node, tree.Block | tree.Model):
        if symbol.kind in ("block", "model"):
            head = node.span.text.partition("{")[0].strip()
            return "\n\n".join(filter(None, (f"```cnn\n{head}\n```", documentation(analysis, node))))
        return f"`{symbol.name}`: what `{heads[type(node)]} {node.name}` takes{_values(analysis, symbol)}"
    if isinstance(node, tree.Variant | tree.Function | tree.Let | tree.Param):
        head = " ".join(node.span.text.split())
        said = "\n\n".join(filter(None, (f"```cnn\n{head}\n```", documentation(analysis, node))))
        return said + _values(analysis, symbol)
    if isinstance(node, tree.Parameter):
        return f"```cnn\n{node.span.text}\n```{_owner(symbol)}{_values(analysis, symbol)}"
    word = {"share": "share", "input": "input", "loop": "for"}.get(symbol.kind, symbol.kind)
    return f"{word} `{symbol.name}`{_values(analysis, symbol)}"


def _owner(symbol: Symbol) -> str:
    return f"\n\nparameter of `{symbol.parent.name}`" if symbol.parent is not None else ""


def _values(analysis: Analysis, symbol: Symbol) -> str:
    """The values that a name has had in the models built so far, in order, each once."""
    for checked in analysis.known():
        said: dict[str, None] = {}
        for span in symbol.definitions:
            said |= dict.fromkeys(map(value_text, checked.seen.values.get(span.start, ())))
        shown = [text for text in said if text]
        if shown:
            more = ", …" if len(shown) > MOST_CALLS_SHOWN else ""
            return f"\n\n= {', '.join(f'`{text}`' for text in shown[:MOST_CALLS_SHOWN])}{more}"
    return ""


def value_text(value: Any) -> str:
    """A value in a few words; a tensor as its shape."""
    if isinstance(value, Wire):
        return str(value.type)
    if isinstance(value, Lost):
        return ""
    if isinstance(value, tuple) and value and all(isinstance(part, Wire) for part in value):
        return f"({', '.join(str(part.type) for part in value)})"
    if isinstance(value, LayerValue | BlockValue):
        return str(value)
    if isinstance(value, bool | int | float | str) or (isinstance(value, list) and len(str(value)) < 200):
        try:
            return show(value)
        except (TypeError, ValueError):
            return kind(value)
    return ""


def _passing(analysis: Analysis, path: list[tree.Node], place: Place) -> str:
    """The shapes, parameters and work of the element whose word stands at a place."""
    element = next((node for node in reversed(path) if isinstance(node, tree.Element)), None)
    primary = element.primary if element is not None else None
    begins = getattr(primary, "name_span", None)
    if element is None or not isinstance(begins, Span) or begins.start != place.start:
        return ""
    for checked in analysis.known():
        noted = checked.seen.flows.get((element.span.start, element.span.end))
        if noted:
            return _table(noted, checked, element, analysis)
    return ""


def _table(noted: list[Any], checked: Checked, element: tree.Element, analysis: Analysis) -> str:
    rows: dict[str, int] = {}
    for arrived, left in noted:
        before, after = value_text(arrived), value_text(left)
        if after:
            row = f"`{before}` → `{after}`" if before else f"`{after}`"
            rows[row] = rows.get(row, 0) + 1
    lines = [f"{row}{f' ({count}×)' if count > 1 else ''}" for row, count in list(rows.items())[:MOST_CALLS_SHOWN]]
    if len(rows) > MOST_CALLS_SHOWN:
        lines.append("…")
    reports = _reports(checked, element, analysis)
    if reports:
        params, macs = sum(r.params for r in reports), sum(r.macs for r in reports)
        fields = dict.fromkeys(filter(None, (field_text(r.receptive_field) for r in reports)))
        figures = [f"{short(params)} parameters" if params else "", f"{short(macs)} MACs" if macs else ""]
        figures += [f"receptive field {' … '.join(list(fields)[:: max(len(fields) - 1, 1)])}"] if fields else []
        lines.append(", ".join(filter(None, figures)))
    return "  \n".join(filter(None, lines))


def _reports(checked: Checked, element: tree.Element, analysis: Analysis) -> list[NodeReport]:
    """The nodes that the element itself makes."""
    if checked.graph is None or checked.summary is None:
        return []
    wanted = element.primary.span.place.range
    return [
        report
        for node, report in zip(checked.graph.nodes, checked.summary.nodes, strict=True)
        if node.place is not None and node.place.file == analysis.source.name and node.place.range == wanted
    ]


def _label(analysis: Analysis, path: list[tree.Node]) -> Hover | None:
    """A label: the keys of its weights."""
    label = next((node for node in reversed(path) if isinstance(node, tree.Label)), None)
    element = next((node for node in reversed(path) if isinstance(node, tree.Element)), None)
    if label is None or element is None:
        return None
    place = Place(label.span.start, label.span.end)
    for checked in analysis.known():
        names = [report.name for report in _reports(checked, element, analysis)]
        graph = checked.graph
        if graph is None or not names:
            continue
        keys = [e for e in graph.weights if e.node in set(names)]
        shown = [f"`{e.key}` {'×'.join(map(str, e.weight.shape)) or 'a number'}" for e in keys[:MOST_CALLS_SHOWN]]
        more = ["…"] if len(keys) > MOST_CALLS_SHOWN else []
        return Hover(place, f"label `{label.span.text}`\n\n" + "  \n".join([*shown, *more]))
    return Hover(place, f"label `{label.span.text}`") if re.match(r"\S", label.span.text) else None
