"""A text and what is known of it: its tree, its names, and its models, each built when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import cnndsl.ops  # noqa: F401  (fills the registry of layers)
from cnndsl.analyses.budget import IN_ASSERTS, Figures
from cnndsl.analyses.document import Summary
from cnndsl.analyses.lints import lint, without_allowed
from cnndsl.analyses.summary import summarize
from cnndsl.diagnostics.errors import CnnError, Diagnostic, Severity
from cnndsl.diagnostics.source import Source, Span
from cnndsl.habits.retell import retold
from cnndsl.ir.graph import Graph
from cnndsl.latency.figure import seconds_here
from cnndsl.passes.build import sketch
from cnndsl.passes.check_asserts import check_asserts
from cnndsl.passes.choose_model import complete_models
from cnndsl.passes.draft.flow import Flow, Wire
from cnndsl.passes.library.library import Library, Unit, is_one_model, no_stray
from cnndsl.passes.library.sources import UsedFile, on_disk
from cnndsl.passes.text_lints import lint_text
from cnndsl.passes.walk.findings import Findings
from cnndsl.pipeline import batched
from cnndsl.service.bindings import bind
from cnndsl.service.bound import Bindings
from cnndsl.service.reach import reached
from cnndsl.syntax import tree
from cnndsl.syntax.parser import parse
from cnndsl.syntax.tolerant.parse import parse_tolerant

MOST_MISTAKES = 3
"""Each mistake of a text that cannot be parsed costs another reading of it."""
MOST_NOTED = 64
"""Of what one element or name has met in rounds and calls, so much is kept."""


@dataclass(eq=False)
class Seen:
    """What a walk has met in one text: flows by element, values by name."""

    source: Source
    flows: dict[tuple[int, int], list[tuple[Flow | None, Flow | None]]] = field(default_factory=dict)
    values: dict[int, list[Any]] = field(default_factory=dict)
    counts: dict[tuple[int, int], int] = field(default_factory=dict)

    def named(self, span: Span, value: Any) -> None:
        """Keeps the values of a name by the offset of its definition."""
        if span.source is self.source or span.source == self.source:
            noted = self.values.setdefault(span.start, [])
            if len(noted) < MOST_NOTED:
                noted.append(value)

    def passed(self, span: Span, arrived: Flow | None, left: Flow | None) -> None:
        """Keeps what came to an element and left it."""
        if span.source is self.source or span.source == self.source:
            key = span.start, span.end
            self.counts[key] = self.counts.get(key, 0) + 1
            noted = self.flows.setdefault(key, [])
            if len(noted) < MOST_NOTED:
                noted.append((arrived, left))


@dataclass(eq=False)
class Checked:
    """One model: its graph as far as it goes, what a walk met, and what is wrong with it."""

    graph: Graph | None
    whole: bool
    seen: Seen
    entrances: list[Wire]
    found: tuple[Diagnostic, ...]

    @cached_property
    def summary(self) -> Summary | None:
        """All figures of the graph."""
        return summarize(self.graph) if self.graph is not None else None


class Analysis:
    """What is known of one state of a text. Everything is worked out once, when it is first asked for.

    `unsaved` are texts of other files as they are being edited; `cancelled` is asked while a model is built, and ends
    it with `Cancelled`; `timer` tells the seconds that a network takes, where an `assert` asks for them."""

    def __init__(
        self,
        source: Source,
        path: Path | None = None,
        unsaved: Mapping[Path, str] | None = None,
        cancelled: Callable[[], bool] | None = None,
        timer: Callable[[Graph], float] = seconds_here,
    ) -> None:
        self.source = source
        self.path = path
        self.stem = path.stem if path else Path(source.name).stem or "network"
        self.unsaved = unsaved or {}
        self.cancelled = cancelled
        self._timer = timer
        self.used: dict[str, Unit] = {}
        """The files that were read for it, by name."""
        self._checked: dict[str | None, Checked] = {}

    @cached_property
    def _read(self) -> tuple[tree.Program, tuple[Diagnostic, ...]]:
        try:
            return parse(self.source, most=MOST_MISTAKES), ()
        except CnnError as error:
            return parse_tolerant(self.source).program, error.diagnostics

    @property
    def program(self) -> tree.Program:
        """The tree, with holes where the text is unfinished."""
        return self._read[0]

    @property
    def misread(self) -> tuple[Diagnostic, ...]:
        """What the text itself gets wrong; () for one that can be parsed."""
        return self._read[1]

    @cached_property
    def bindings(self) -> Bindings:
        """Its names."""
        return bind(self.program)

    @cached_property
    def text_lints(self) -> tuple[Diagnostic, ...]:
        """Warnings that follow from the tree alone."""
        return () if self.misread else tuple(lint_text(self.program))

    # -- models

    @cached_property
    def _outside(self) -> tuple[Unit | None, Findings]:
        """The file with its file-wide names, and what is wrong with those."""
        findings = Findings()
        findings.cancelled = self.cancelled
        library = self._library(findings)
        try:
            unit = library.load(self.source, self.path, {})
            findings.found += no_stray(unit)
        except CnnError as error:
            findings.add(error)
            return None, findings
        finally:
            self.used = library.units
        return unit, findings

    def _library(self, findings: Findings) -> Library:
        return Library(findings, self._found, self._tree)

    def _tree(self, source: Source) -> tree.Program:
        return self.program if source == self.source else _tree_of(source)

    def _found(self, written: str, user: str, path: Path | None, span: Span) -> UsedFile:
        """A file that lies beside one, with its text where that is not saved."""
        file = on_disk(written, user, path, span)
        kept = self.unsaved.get(file.path) if file.path is not None else None
        return file if kept is None else replace(file, text=Source(file.name, kept))

    @cached_property
    def models(self) -> tuple[str | None, ...]:
        """What can be built of the file, its default last asked for by nobody first: the names of its models that need no
        argument, or None for a file that is itself one; () for a library."""
        unit, _ = self._outside
        if unit is None:
            return ()
        if unit.models:
            return tuple(complete_models(unit)) or (list(unit.models)[-1],)
        library = bool(unit.program.statements) and not is_one_model(unit.program)
        return () if library else (None,)

    @cached_property
    def default(self) -> str | None:
        """The model that stands for the file while nobody looks at another: the one called as it is, else the first."""
        if self.stem in self.models:
            return self.stem
        return self.models[0] if self.models else None

    def model_at(self, offset: int) -> str | None:
        """The model whose text holds an offset, if it can be built; in a block the first one that reaches the block; else
        the default."""
        here = next((s for s in self.program.statements if s.span.start <= offset <= s.span.end), None)
        if isinstance(here, tree.Model | tree.Variant | tree.Block):
            if here.name in self.models:
                return here.name
            order = [self.default, *(model for model in self.models if model != self.default)]
            return next((model for model in order if here.name in self.reached.get(model or "", ())), self.default)
        return self.default

    @cached_property
    def reached(self) -> dict[str, set[str]]:
        """The blocks and models that each definition of the file calls or is given, theirs included."""
        return reached(self.program, self.bindings)

    def checked(self, model: str | None) -> Checked:
        """One model, built as far as it goes. Raises `Cancelled`."""
        if model not in self._checked:
            self._checked[model] = self._check(model)
        return self._checked[model]

    def known(self) -> Iterable[Checked]:
        """The models that have been built so far, the default first."""
        first = [self._checked[self.default]] if self.default in self._checked else []
        return [*first, *(c for name, c in list(self._checked.items()) if name != self.default)]

    @property
    def built(self) -> tuple[str | None, ...]:
        """The names of the models that have been built so far."""
        return tuple(self._checked)

    def _check(self, model: str | None) -> Checked:
        findings = Findings()
        findings.cancelled = self.cancelled
        seen = findings.recorder = Seen(self.source)
        library = self._library(findings)
        try:
            unit = library.load(self.source, self.path, {})
            made = sketch(unit, library, model, self.stem)
        except CnnError as error:
            return Checked(None, False, seen, [], () if self.misread else retold(error).diagnostics)
        finally:
            self.used |= library.units
        checked = Checked(made.graph, made.whole and not self.misread, seen, findings.entrances, ())
        if not self.misread:
            checked.found = self._judged(checked, made.found, made.asserts, findings)
        return checked

    def _judged(
        self,
        checked: Checked,
        found: tuple[Diagnostic, ...],
        asserts: tuple[tuple[tree.Assert, Any], ...],
        findings: Findings,
    ) -> tuple[Diagnostic, ...]:
        if not checked.whole or checked.graph is None:
            return batched(retold(CnnError(found)), findings).diagnostics
        if asserts and checked.summary is not None:
            broken = tuple(check_asserts(asserts, Figures(checked.graph, IN_ASSERTS, self._timer)))
            if broken:
                return retold(CnnError((*found, *broken))).diagnostics
        return (*found, *lint(checked.graph))

    def diagnostics(self, models: Iterable[str | None]) -> tuple[Diagnostic, ...]:
        """What is wrong with the text, as far as these models tell it, in the words of `cnndsl check`."""
        if self.misread:
            return self.misread
        unit, findings = self._outside
        outside = tuple(findings.found)
        if unit is None or any(d.severity is Severity.ERROR for d in outside):
            return retold(CnnError(outside)).diagnostics
        found: list[Diagnostic] = []
        for model in models:
            found += self.checked(model).found
        # What is wrong is told before what is worth a thought.
        if not any(d.severity is Severity.ERROR for d in found):
            found = [*outside, *self.text_lints, *found]
        each = {(d.id, d.span.source.name if d.span else "", d.span.start if d.span else 0): d for d in reversed(found)}
        ordered = sorted(without_allowed(each.values()), key=lambda d: d.span.start if d.span else 0)
        return tuple(ordered)


@lru_cache(maxsize=64)
def _tree_of(source: Source) -> tree.Program:
    """The tree of a file that is used. One that is wrong has its own editor: here it gives what it can."""
    try:
        return parse(source)
    except CnnError:
        return parse_tolerant(source).program
