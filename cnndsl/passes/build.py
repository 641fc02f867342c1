"""A file's model as a graph: which model, with which values from outside, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Severity, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Source, Span
from cnndsl.ir.graph import Graph
from cnndsl.passes.count import Count
from cnndsl.passes.draft.assembly import Stopped
from cnndsl.passes.draft.name import close as close_graph
from cnndsl.passes.library.library import Library, Unit, no_stray
from cnndsl.passes.values.parameters import settings
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
    statements = Statements(findings, {name: _sizes(name, text) for name, text in inputs.items()})
    raise_errors(findings)
    findings.entrances = statements.assembly.entrances
    try:
        name, departures = _run(unit, model, parameters, statements, stem)
    except Stopped as stopped:
        findings.add(stopped.error)
        raise_errors(findings)
        raise
    for left in statements.inputs:
        names = [wire.source.name for wire in statements.assembly.entrances]
        near = nearest(left, names)
        text = Source("--input", f"{left}=…" if left else "…")
        findings.add(
            fault(
                "unknown-parameter",
                f"no input is called `{left}`" if left else "the network has no input",
                Span(text, 0, len(left)),
                notes=(f"expected one of {', '.join(names)}",) if names else (),
                help=f"did you mean `{near}`?" if near else "leave it out",
            )
        )
    raise_errors(findings)
    assembly = statements.assembly
    graph = close_graph(
        name,
        assembly.root,
        assembly.entrances,
        assembly.drafts,
        departures.listed,
        assembly.frames,
        {u.source.name: u.source.text for u in library.units.values()},
    )
    asserts = tuple((statement, body.place()) for statement, body in statements.asserts)
    return Built(graph, asserts, tuple(in_order(findings.found)))


def _run(
    unit: Unit, model: str | None, parameters: Mapping[str, Any], statements: Statements, stem: str
) -> tuple[str, Departures]:
    end = Span(unit.source, len(unit.source.text), len(unit.source.text))
    if not unit.program.statements:
        raise fault("empty-program", "the text is empty", end, help="write an input and a chain: `input 3×32×32`")
    if unit.one_model:
        if model is not None and model != stem:
            raise fault(
                "unknown-model",
                f"no model is called `{model}`",
                _asked(unit, model),
                notes=(f"the file is one model, `{stem}`",),
                help="leave the name out",
            )
        body = Body(unit.body.scope, statements.assembly.root, None, dict(unit.body.settings), top=True, kind="file")
        _refuse_unknown(parameters, [s.name for s in unit.program.statements if isinstance(s, tree.Param)])
        body.settings |= settings(parameters, unit.body.scope, _types(unit.program.statements))
        Count(unit.program).refuse_too_many(unit.program.statements)
        return stem, statements.depart(unit.program.statements, body, end)
    if not unit.models:
        raise fault(
            "nothing-to-build",
            "the file defines blocks and no model",
            _first_name(unit.program, end),
            help="write a chain, or `model { … }`; `check` accepts a library",
        )
    name, value = _select(unit, model, stem)
    definition = value.definition
    node = definition.node
    own = [p.name for p in node.parameters or ()]
    declared = [s.name for s in node.body if isinstance(s, tree.Param)]
    wide = [s.name for s in unit.program.statements if isinstance(s, tree.Param)]
    _refuse_unknown(parameters, [*own, *declared, *wide])
    types = _types(node.body) | _types(unit.program.statements)
    given = settings({k: v for k, v in parameters.items() if k in own or k in declared}, unit.body.scope, types)
    # A value from outside takes the place of the one the variant gave, wherever that stands.
    taken = [*value.given]
    positional = [g for g in taken if g.name is None]
    named = {g.name: g for g in taken if g.name is not None} | {
        own[i]: replace(g, name=own[i]) for i, g in enumerate(positional) if i < len(own)
    }
    if len(positional) <= len(own):
        value = replace(value, given=tuple((named | given).values()))
    body = Body(
        Scope(definition.scope, definition.scope.source), statements.assembly.root, None, top=True, kind="model"
    )
    if definition.scope is unit.body.scope:
        # A base from another file is counted as it is expanded.
        Count(unit.program).refuse_too_many(node.body)
    body.awaits = next((s.span for s in node.body if isinstance(s, tree.Input)), None)
    statements.chains.calls.bind_parameters(value, body, node.name_span)
    return name, statements.depart(node.body, body, node.name_span)


def _first_name(program: tree.Program, otherwise: Span) -> Span:
    """The name of the first block."""
    return next((s.name_span for s in program.statements if isinstance(s, tree.Block)), otherwise)


def _select(unit: Unit, model: str | None, stem: str) -> tuple[str, BlockValue]:
    if model is not None:
        if model not in unit.models:
            near = nearest(model, unit.models)
            raise fault(
                "unknown-model",
                f"no model is called `{model}`",
                _asked(unit, model),
                notes=(f"the file has {', '.join(unit.models)}",),
                help=f"did you mean `{near}`?" if near else "take one of these",
            )
        return model, unit.models[model]
    if stem in unit.models:
        return stem, unit.models[stem]
    complete = complete_models(unit)
    name = complete[-1] if complete else list(unit.models)[-1]
    return name, unit.models[name]


def _asked(unit: Unit, model: str) -> Span:
    """The model's name in `FILE:NAME`, which is where it was asked for."""
    text = Source("the command line", f"{unit.source.name}:{model}")
    return Span(text, len(text.text) - len(model), len(text.text))


def complete_models(unit: Unit) -> list[str]:
    """The file's models that need no argument, in order."""
    return [name for name, value in unit.models.items() if not _lacking(value)]


def _lacking(value: BlockValue) -> list[str]:
    """Parameters that neither an argument nor a default gives."""
    parameters = value.definition.node.parameters or ()
    positional = sum(1 for g in value.given if g.name is None)
    named = {g.name for g in value.given}
    return [p.name for i, p in enumerate(parameters) if i >= positional and p.name not in named and p.default is None]


def _types(statements: tuple[tree.Statement, ...]) -> dict[str, str]:
    return {s.name: s.type for s in statements if isinstance(s, tree.Param)}


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


def _sizes(name: str, text: str) -> tuple[int, ...]:
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
