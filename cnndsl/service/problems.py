"""What is wrong with a text, as plain data with the edits that mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from cnndsl.diagnostics.errors import Diagnostic
from cnndsl.diagnostics.source import Span
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Edit, Place, Problem, Remark
from cnndsl.service.places import located, place_of
from cnndsl.syntax import tree
from cnndsl.syntax.tolerant.parse import missing_brackets

_SHAPE = re.compile(r"\d+(?:×\d+)*")
_MOST_STRIDE = 32
_PARAM = re.compile(r"param[ \t]+[A-Za-z_][A-Za-z0-9_]*[ \t]*(:?)[ \t]*(=[ \t]*([^\n#]+))?")


def problems(analysis: Analysis, models: Iterable[str | None]) -> tuple[Problem, ...]:
    """What `cnndsl check` says of the text, as far as these models tell it; what is wrong in a file that is used is told at
    the `use`."""
    return tuple(_problem(diagnostic, analysis) for diagnostic in analysis.diagnostics(models))


def _problem(diagnostic: Diagnostic, analysis: Analysis) -> Problem:
    first = diagnostic.span
    here = first is not None and located(first.source, analysis) is None
    labels = diagnostic.labels[1:] if here else diagnostic.labels
    remarks = tuple(Remark(place_of(label.span, analysis), label.text or "here") for label in labels)
    return Problem(
        diagnostic.id,
        "warning" if diagnostic.severity == "warning" else "error",
        diagnostic.message,
        place_of(first, analysis) if first is not None and here else _used(first, analysis),
        diagnostic.labels[0].text if here else "",
        remarks,
        diagnostic.notes,
        diagnostic.help,
        tuple(_edits(diagnostic, analysis)) if here else (),
    )


def _used(span: Span | None, analysis: Analysis) -> Place:
    """The `use` that brings in a text, for what is wrong in that."""
    name = span.source.name if span is not None else ""
    unit = analysis.used.get(name)
    for statement in analysis.program.statements:
        if isinstance(statement, tree.Use):
            asked = Path(statement.origin).name if statement.is_file else f"{statement.origin}.cnn"
            if unit is None or Path(name).name == asked:
                return Place(statement.origin_span.start, statement.origin_span.end)
    return Place(0, 0)


def _edits(diagnostic: Diagnostic, analysis: Analysis) -> Iterator[Edit]:
    if diagnostic.fixes:
        yield from (Edit(fix.span.start, fix.span.end, fix.text) for fix in diagnostic.fixes)
        return
    span = diagnostic.span
    if span is None:
        return
    match diagnostic.id:
        case "unclosed-bracket":
            yield from (Edit(at, at, text) for at, text in missing_brackets(analysis.source))
        case "syntax" if diagnostic.message.endswith("closes nothing"):
            yield Edit(span.start, span.end, "")
        case "syntax":
            yield from _type(span)
        case "unterminated-string":
            yield Edit(span.start + len(span.text.rstrip()), span.end, '"')
        case "shape-mismatch":
            yield from _projection(diagnostic)
        case "unused-name":
            yield from _unused(span, analysis)


def _projection(diagnostic: Diagnostic) -> Iterator[Edit]:
    """A shortcut that is `id` becomes the 1×1 convolution whose result has the other branch's shape, if there is one."""
    shapes = [_sizes(label.text) for label in diagnostic.labels]
    for label, mine, other in zip(diagnostic.labels, shapes, reversed(shapes), strict=True):
        if len(shapes) != 2 or label.span.text != "id" or len(mine) < 2 or len(mine) != len(other):
            continue
        for stride in range(1, _MOST_STRIDE):
            if all((size - 1) // stride + 1 == wanted for size, wanted in zip(mine[1:], other[1:], strict=True)):
                arguments = f"{other[0]}, stride={stride}" if stride > 1 else str(other[0])
                yield Edit(label.span.start, label.span.end, f"Conv1x1({arguments})")
                return


def _sizes(text: str) -> tuple[int, ...]:
    """The shape with which a label begins."""
    found = _SHAPE.match(text)
    return tuple(map(int, found[0].split("×"))) if found else ()


def _type(span: Span) -> Iterator[Edit]:
    """The type that a `param` lacks: that of its default, which needs none, or `int`."""
    text = span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)]
    found = _PARAM.fullmatch(line.split("#")[0].strip())
    if found is None:
        return
    colon = line.find(":")
    if found[1] and found[2]:
        # `param x: = 3` has the type of its default.
        yield Edit(start + colon, start + line.index("=", colon), " ")
    elif found[1]:
        yield Edit(start + colon, start + len(line.rstrip()), ": int")
    elif not found[2]:
        yield Edit(start + len(line.rstrip()), start + len(line.rstrip()), ": int")


def _unused(span: Span, analysis: Analysis) -> Iterator[Edit]:
    """What nobody uses is taken out, where that leaves the network as it is: weights keep their names."""
    symbol = analysis.bindings.at.get(span.start)
    if symbol is None or symbol.uses:
        return
    node, text = symbol.node, analysis.source.text
    if isinstance(node, tree.Let | tree.Function | tree.Block) and symbol.kind in ("value", "function", "block"):
        yield Edit(*_lines(node.span, text), "")
    elif isinstance(node, tree.Tap) and not node.together:
        start = len(text[: node.span.start].rstrip()) - 2
        if text[start : start + 2] == "as":
            yield Edit(len(text[:start].rstrip()), node.span.end, "")
    elif isinstance(node, tree.Tap | tree.Bind | tree.Targets) and len(symbol.definitions) == 1:
        if not (isinstance(node, tree.Bind) and not node.together):
            yield Edit(span.start, span.start + len(symbol.name), "_")
    elif isinstance(node, tuple):
        yield from _import(node[0], node[1], text)


def _import(statement: tree.Use, item: tree.Imported, text: str) -> Iterator[Edit]:
    if len(statement.imported) == 1:
        yield Edit(*_lines(statement.span, text), "")
        return
    index = statement.imported.index(item)
    if index:
        yield Edit(statement.imported[index - 1].span.end, item.span.end, "")
    else:
        yield Edit(item.span.start, statement.imported[1].span.start, "")


def _lines(span: Span, text: str) -> tuple[int, int]:
    """A range with its line, where nothing else stands on it."""
    start, end = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.end)
    end = len(text) if end < 0 else end + 1
    alone = not text[start : span.start].strip() and not text[span.end : end].strip()
    return (start, end) if alone else (span.start, span.end)
