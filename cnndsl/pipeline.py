"""From a text to a graph: the page to read first.

    read      a path, `-` or a built-in name           → Source    (cnndsl.passes.read_program)
    parse     the text                                 → tree      (cnndsl.syntax)
    gather    the tree, and the files that it uses     → Unit      (cnndsl.passes.library)
    walk      the bodies, from the model that is meant → drafts    (cnndsl.passes.walk, .values, .draft)
    close     drafts, once every one has its name      → Graph     (cnndsl.passes.draft.name)

`walk` is an interpreter and one single walk: it works out values, turns words into layers and infers their shapes as it
goes, because a program may ask for `in.channels` anywhere. `gather` walks too, over what stands outside all models.
Analyses and back ends take the graph from here.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cnndsl.ops  # noqa: F401  (fills the registry of layers)
from cnndsl.analyses.valid_sizes import AxisRule, Fits, common_rule
from cnndsl.analyses.valid_sizes import valid_sizes as rules_of
from cnndsl.diagnostics.errors import CnnError, Diagnostic, Fix, fault
from cnndsl.diagnostics.source import Source
from cnndsl.disk.files import is_file
from cnndsl.ir.graph import Graph
from cnndsl.passes.build import Built, build, in_order, raise_errors
from cnndsl.passes.choose_model import complete_models
from cnndsl.passes.library.library import Library, is_one_model, no_stray
from cnndsl.passes.read_program import Origin, read_program
from cnndsl.passes.walk.findings import Findings

STEPS_OF_TRIALS = 20_000
"""How many elements of chains are walked in search of sizes that would do, before an error is told without them: about a
second."""


@dataclass(frozen=True)
class Loaded:
    """A network and what is worth a warning in it."""

    graph: Graph
    warnings: tuple[Diagnostic, ...]
    broken: tuple[Diagnostic, ...] = ()
    """The asserts that do not hold, where a network over its budget was asked for."""


def load(
    file: str,
    parameters: Mapping[str, Any] | None = None,
    inputs: Mapping[str, str] | None = None,
    *,
    over_budget: bool = False,
) -> Loaded:
    """The network a file describes. `parameters` are values for `param`s and for the model's own, `inputs` sizes such as
    `{"": "3x192x192"}` ("" is the first input). A `.json` file is a network that `compile --to ir` wrote, and a run's folder holds one. Raises CnnError
    with everything that is wrong; with `over_budget`, asserts that do not hold are not among it, and are told as `broken`."""
    built = built_file(file)
    if built is not None:
        from cnndsl.passes.read_graph import read_graph_file

        return Loaded(read_graph_file(built, altered=bool(parameters or inputs)), ())
    return load_origin(read_program(file), parameters or {}, inputs or {}, over_budget=over_budget)


def built_file(file: str) -> Path | None:
    """Where the graph lies, if it has been built before: in a `.json` file, or in the folder of a run."""
    path = Path(file)
    if file.endswith(".json") and is_file(path):
        return path
    run = path / "graph.json"
    return run if is_file(path / "run.json") and is_file(run) else None


def parse_text(
    text: str,
    name: str = "<text>",
    parameters: Mapping[str, Any] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> Loaded:
    """The network a text describes."""
    return load_origin(Origin(Source(name, text), None, "network", None), parameters or {}, inputs or {})


def load_origin(
    origin: Origin,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, str],
    *,
    over_budget: bool = False,
    advise: bool = True,
) -> Loaded:
    """The network of a program that has been read. Without `advise` an error comes without the sizes that would do, whose search
    takes up to a second."""
    findings = Findings()
    with _no_collection():
        try:
            return _load(origin, parameters, inputs, findings, over_budget=over_budget)
        except CnnError as error:
            told = batched(_retold(error), findings)
            raise (_advised(told, origin, parameters, inputs, findings) if advise else told) from None


def load_plainly(origin: Origin, parameters: Mapping[str, Any], inputs: Mapping[str, str]) -> Loaded:
    """The same, its errors without the advice that takes trials: for who builds many variants of one program."""
    with _no_collection():
        return _load(origin, parameters, inputs, Findings())


def _load(
    origin: Origin,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, str],
    findings: Findings,
    *,
    over_budget: bool = False,
) -> Loaded:
    library = Library(findings, origin.find)
    unit = library.load(origin.source, origin.path, parameters)
    model = origin.model or (origin.stem if origin.stem in unit.models else None)
    built = build(unit, library, model, parameters, inputs, origin.stem)
    broken = _broken(built) if built.asserts else ()
    if broken and not over_budget:
        raise CnnError([*built.warnings, *broken])
    return Loaded(built.graph, _kept(built.warnings), broken)


def _kept(warnings: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """The warnings that no line allows."""
    if not warnings:
        return ()
    from cnndsl.analyses.lints import without_allowed

    return tuple(without_allowed(warnings))


def models(origin: Origin) -> list[str]:
    """The models of a program that need no argument, in order; of one that is itself a model, its own name. Raises CnnError."""
    findings = Findings()
    with _no_collection():
        unit = Library(findings, origin.find).load(origin.source, origin.path, {})
        raise_errors(findings)
    return [origin.stem] if unit.one_model else complete_models(unit)


def valid_sizes(
    origin: Origin, parameters: Mapping[str, Any] | None = None, inputs: Mapping[str, str] | None = None
) -> list[AxisRule]:
    """Which sizes each axis of each input may have, found by trial. Raises CnnError for a network that is wrong as it is."""
    graph = load_origin(origin, parameters or {}, inputs or {}).graph
    with _no_collection():
        return rules_of(graph, _fits(origin, parameters or {}, inputs or {}))


def _fits(origin: Origin, parameters: Mapping[str, Any], inputs: Mapping[str, str]) -> Fits:
    def fits(name: str, shape: tuple[int, ...]) -> tuple[bool, int]:
        findings = Findings()
        try:
            _load(origin, parameters, {**inputs, name: "x".join(map(str, shape))}, findings)
        except CnnError:
            return False, findings.steps
        return True, findings.steps

    return fits


def _retold(error: CnnError) -> CnnError:
    # Only wrong programs pay for the tables of foreign words.
    from cnndsl.habits.retell import retold

    return retold(error)


def batched(error: CnnError, findings: Findings) -> CnnError:
    """The error, told at the input where that begins with a batch axis: `input 1×3×224×224`."""
    guilty = next((d for d in error.diagnostics if d.id == "wrong-rank" and "`window` has" in d.message), None)
    for wire in findings.entrances if guilty else ():
        shape, span = wire.type.shape, wire.source.span
        if len(shape) > 2 and shape[1] <= 4 < min(shape[2:]):
            sizes = "×".join(map(str, shape[1:]))
            head = f"{wire.source.name}: " if f"{wire.source.name}:" in span.text else ""
            fix = Fix(span, f"input {head}{sizes}")
            told = fault(
                "wrong-rank",
                "an input has no batch axis: every network takes any number of examples",
                span,
                f"expected `{sizes}`, found `{'×'.join(map(str, shape))}`",
                help=f"write `{fix.text}`",
                fixes=(fix,),
            )
            return CnnError([*told.diagnostics, *(d for d in error.diagnostics if d.id != "wrong-rank")])
    return error


def _advised(
    error: CnnError, origin: Origin, parameters: Mapping[str, Any], inputs: Mapping[str, str], findings: Findings
) -> CnnError:
    """The error, and where it is a matter of the input's size, the sizes that would do."""
    sized = [d for d in error.diagnostics if d.id in ("shape-mismatch", "window-too-large")]
    if not sized or not findings.entrances:
        return error
    given = {key: text for key, text in inputs.items() if key}
    entered = findings.entrances[0]
    name, found = entered.source.name, entered.type
    rule = common_rule(name, found, _fits(origin, parameters, given), STEPS_OF_TRIALS)
    if rule is None:
        return error
    below, above = rule.nearest(max(found.size))
    note = f"sizes of `{name}` that can be built: {rule}; near {max(found.size)}: {below}" + (
        f" and {above}" if above != below else ""
    )
    return CnnError(replace(d, notes=(*d.notes, note)) if d is sized[0] else d for d in error.diagnostics)


def _broken(built: Built) -> tuple[Diagnostic, ...]:
    """The asserts that do not hold."""
    # Only programs with budgets pay for the figures at this point.
    from cnndsl.analyses.budget import IN_ASSERTS, Figures
    from cnndsl.latency.figure import seconds_here
    from cnndsl.passes.check_asserts import check_asserts

    return tuple(check_asserts(built.asserts, Figures(built.graph, IN_ASSERTS, seconds_here)))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Python's collector finds nothing to free in a growing network, and goes through all of it each time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def check(
    file: str, parameters: Mapping[str, Any] | None = None, inputs: Mapping[str, str] | None = None
) -> tuple[Diagnostic, ...]:
    """All that can be said of a file, in order of place: its errors, or if it has none its warnings.

    Every model of the file that needs no argument is built; with `parameters` (values by name) or `inputs` (sizes such as
    `"3x192x192"` by name), the one model they are for. A file of blocks alone is a library, and is accepted. Raises nothing:
    errors are among what is returned."""
    try:
        if built_file(file) is not None:
            return _linted(load(file, parameters, inputs).graph)
        with _no_collection():
            return tuple(_checked(read_program(file), parameters or {}, inputs or {}))
    except CnnError as error:
        return _retold(error).diagnostics


def _linted(graph: Graph) -> tuple[Diagnostic, ...]:
    from cnndsl.analyses.lints import lint, without_allowed

    return tuple(without_allowed(lint(graph)))


def _checked(origin: Origin, parameters: Mapping[str, Any], inputs: Mapping[str, str]) -> list[Diagnostic]:
    from cnndsl.analyses.lints import lint, without_allowed
    from cnndsl.passes.text_lints import lint_text

    findings = Findings()
    unit = Library(findings, origin.find).load(origin.source, origin.path, parameters)
    findings.found += no_stray(unit)
    raise_errors(findings)
    alone = origin.model or (origin.stem if origin.path is None and origin.stem in unit.models else None)
    names: list[str | None] = [alone] if alone or parameters or inputs else [*complete_models(unit)]
    library = not unit.models and bool(unit.program.statements) and not is_one_model(unit.program)
    found = [*findings.found, *lint_text(unit.program)]
    for name in names or ([] if library else [None]):
        loaded = load_origin(replace(origin, model=name), parameters, inputs)
        found += [*loaded.warnings, *lint(loaded.graph)]
    each = {(d.id, d.span.source.name if d.span else "", d.span.start if d.span else 0): d for d in reversed(found)}
    return in_order(without_allowed(each.values()))


def format_text(source: Source) -> str:
    """The canonical text of a program, as `cnndsl fmt` writes it. Raises `CnnError` for one that cannot be parsed."""
    # Only `fmt` prints programs, and every verb pays for what is imported above.
    from cnndsl.syntax import printer

    return printer.format_text(source)
