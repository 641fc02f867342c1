"""A file's model as a graph: which model, with which values from outside, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Severity, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Source, Span
from cnndsl.ir.graph import Graph
from cnndsl.passes.choose_model import chosen, refuse_other_name
from cnndsl.passes.count import Count
from cnndsl.passes.draft.assembly import Stopped
from cnndsl.passes.draft.flow import Wire
from cnndsl.passes.draft.name import close as close_graph
from cnndsl.passes.library.library import Library, Unit, no_stray
from cnndsl.passes.values.layer_value import Given
from cnndsl.passes.values.parameters import settings, types
from cnndsl.passes.values.place import Place
from cnndsl.passes.values.scope import BlockValue, Scope
from cnndsl.passes.walk.body import Body, Departures
from cnndsl.passes.walk.findings import Findings
from cnndsl.passes.walk.statements import Statements
from cnndsl.syntax import tree


@dataclass(frozen=True)
class Built:
    """A network's graph, its budgets still to be checked, and warnings."""

    graph: Graph
    asserts: tuple[tuple[tree.Assert, Place], ...]
    warnings: tuple[Diagnostic, ...]


def raise_errors(findings: Findings) -> None:
    """Raises CnnError if anything found is an error, all of it in order of place."""
    if any(d.severity is Severity.ERROR for d in findings.found):
        raise CnnError(in_order(findings.found))


def in_order(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Diagnostics by file and place."""
    return sorted(found, key=lambda d: (d.span.source.name, d.span.start) if d.span else ("", 0))


def build(
    unit: Unit, library: Library, model: str | None, parameters: Mapping[str, Any], inputs: Mapping[str, str], stem: str
) -> Built:
    """The graph of one of the file's models. Raises CnnError with everything that is wrong."""
    findings = library.findings
    findings.found += no_stray(unit)
    statements = Statements(findings, {name: sizes_of(name, text) for name, text in inputs.items()})
    raise_errors(findings)
    findings.entrances = statements.assembly.entrances
    try:
        name, departures = _run(unit, model, parameters, statements, stem)
    except Stopped as stopped:
        findings.add(stopped.error)
        raise_errors(findings)
        raise
    _refuse_inputs_left(statements)
    raise_errors(findings)
    graph = _closed(name, statements, departures.listed, library)
    asserts = tuple((statement, body.place()) for statement, body in statements.asserts)
    return Built(graph, asserts, tuple(in_order(findings.found)))


@dataclass(frozen=True)
class Sketch:
    """What could be made of a model that may be wrong or unfinished."""

    graph: Graph | None
    """The nodes as far as they can be known; None where there are none."""
    whole: bool
    """Whether nothing is missing from it."""
    asserts: tuple[tuple[tree.Assert, Place], ...]
    found: tuple[Diagnostic, ...]
    """What is wrong with it, and its warnings, in order of place."""


def sketch(unit: Unit, library: Library, model: str | None, stem: str) -> Sketch:
    """One of the file's models as far as it can be built. What is wrong is told as `build` raises it. Raises nothing but
    `Cancelled`."""
    findings = library.findings
    findings.found += no_stray(unit)
    statements = Statements(findings, {})
    outside = None if _wrong(findings.found) is None else tuple(in_order(findings.found))
    findings.entrances = statements.assembly.entrances
    name, listed = stem, []
    try:
        name, departures = _run(unit, model, {}, statements, stem)
        listed = departures.listed
    except Stopped as stopped:
        findings.add(stopped.error)
    except CnnError as error:
        # As `build` raises it, alone.
        outside = outside or error.diagnostics
    found = outside or tuple(in_order(findings.found))
    assembly = statements.assembly
    if not assembly.drafts:
        return Sketch(None, False, (), found)
    listed = listed or [(None, Wire(assembly.drafts[-1].type, assembly.drafts[-1]), False)]
    doubled: list[Diagnostic] = []
    graph = _closed(name, statements, listed, library, doubled)
    wrong = _wrong(found)
    if doubled and wrong is None:
        found, wrong = tuple(doubled), doubled[0]
    asserts = tuple((statement, body.place()) for statement, body in statements.asserts)
    return Sketch(graph, wrong is None, () if wrong else asserts, found)


def _wrong(found: Iterable[Diagnostic]) -> Diagnostic | None:
    return next((d for d in found if d.severity is Severity.ERROR), None)


def _closed(
    name: str,
    statements: Statements,
    departures: list[tuple[str | None, Wire, bool]],
    library: Library,
    doubled: list[Diagnostic] | None = None,
) -> Graph:
    assembly = statements.assembly
    texts = {unit.source.name: unit.source.text for unit in library.units.values()}
    return close_graph(
        name, assembly.root, assembly.entrances, assembly.drafts, departures, assembly.frames, texts, doubled
    )


def _refuse_inputs_left(statements: Statements) -> None:
    """Notes `unknown-parameter` for sizes from outside that are of no input."""
    for left in statements.inputs:
        names = [wire.source.name for wire in statements.assembly.entrances]
        near = nearest(left, names)
        text = Source("--input", f"{left}=…" if left else "…")
        statements.findings.add(
            fault(
                "unknown-parameter",
                f"no input is called `{left}`" if left else "the network has no input",
                Span(text, 0, len(left)),
                notes=(f"expected one of {', '.join(names)}",) if names else (),
                help=f"did you mean `{near}`?" if near else "leave it out",
            )
        )


def _run(
    unit: Unit, model: str | None, parameters: Mapping[str, Any], statements: Statements, stem: str
) -> tuple[str, Departures]:
    """The network's name, and what leaves it once its statements have been walked."""
    if not unit.program.statements:
        raise fault(
            "empty-program", "the text is empty", _end(unit), help="write an input and a chain: `input 3×32×32`"
        )
    if unit.one_model:
        refuse_other_name(unit, model, stem)
        return stem, _whole_file(unit, parameters, statements)
    if not unit.models:
        raise fault(
            "nothing-to-build",
            "the file defines blocks and no model",
            next((s.name_span for s in unit.program.statements if isinstance(s, tree.Block)), _end(unit)),
            help="write a chain, or `model { … }`; `check` accepts a library",
        )
    name, value = chosen(unit, model, stem)
    return name, _one_of_them(unit, value, parameters, statements)


def _whole_file(unit: Unit, parameters: Mapping[str, Any], statements: Statements) -> Departures:
    """Walks a file that is itself one model."""
    program = unit.program
    body = Body(unit.body.scope, statements.assembly.root, None, dict(unit.body.settings), top=True, kind="file")
    _refuse_unknown(parameters, [*types(program.statements)])
    body.settings |= settings(parameters, unit.body.scope, types(program.statements))
    Count(program).refuse_too_many(program.statements)
    return statements.depart(program.statements, body, _end(unit))


def _end(unit: Unit) -> Span:
    return Span(unit.source, len(unit.source.text), len(unit.source.text))


def _one_of_them(unit: Unit, value: BlockValue, parameters: Mapping[str, Any], statements: Statements) -> Departures:
    """Walks one model of a file, its arguments from its text or from outside."""
    definition, node = value.definition, value.definition.node
    own = [p.name for p in node.parameters or ()]
    declared, wide = types(node.body), types(unit.program.statements)
    _refuse_unknown(parameters, [*own, *declared, *wide])
    inner = {name: given for name, given in parameters.items() if name in own or name in declared}
    value = _with_outside(value, settings(inner, unit.body.scope, declared | wide), own)
    scope = Scope(definition.scope, definition.scope.source)
    body = Body(scope, statements.assembly.root, None, top=True, kind="model")
    if definition.scope is unit.body.scope:
        # A base from another file is counted as it is expanded.
        Count(unit.program).refuse_too_many(node.body)
    body.awaits = next((s.span for s in node.body if isinstance(s, tree.Input)), None)
    statements.chains.calls.bind_parameters(value, body, node.name_span)
    return statements.depart(node.body, body, node.name_span)


def _with_outside(value: BlockValue, outside: dict[str, Given], own: list[str]) -> BlockValue:
    """A model whose arguments from outside take the place of those its variant gave, wherever these stand. `own` are
    its parameters in order."""
    positional = [given for given in value.given if given.name is None]
    if len(positional) > len(own) or {g.name for g in value.given} & {*own[: len(positional)]}:
        # Too many arguments, or one that is given twice: `bind_parameters` tells which one.
        return value
    named = {name: replace(given, name=name) for name, given in zip(own, positional, strict=False)}
    written = {given.name: given for given in value.given if given.name is not None}
    return replace(value, given=tuple((written | named | outside).values()))


def _refuse_unknown(parameters: Mapping[str, Any], known: list[str]) -> None:
    for name, value in parameters.items():
        if name not in known:
            near = nearest(name, known)
            text = Source("-P", f"{name}={value}")
            raise fault(
                "unknown-parameter",
                f"the network has no parameter `{name}`",
                Span(text, 0, len(name)),
                notes=(f"expected one of {', '.join(known)}",) if known else ("it has none",),
                help=f"did you mean `{near}`?" if near else "leave it out",
            )


def sizes_of(name: str, text: str) -> tuple[int, ...]:
    parts = text.replace("×", "x").split("x")
    if not all(part.isascii() and part.isdigit() and 0 < len(part) <= 10 and 1 <= int(part) <= 2**31 for part in parts):
        source = Source("--input", f"{name}={text}" if name else text)
        raise fault(
            "out-of-range",
            f"`{text}` is no shape",
            Span(source, len(source.text) - len(text), len(source.text)),
            "expected whole numbers from 1 joined by x",
            help="write `--input 3x224x224`",
        )
    return tuple(map(int, parts))
