"""Files and what they define: models, blocks, what they `use` from each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Source, Span
from cnndsl.ir.op import find
from cnndsl.passes.draft.flow import LOST, LostValue
from cnndsl.passes.draft.name import Names
from cnndsl.passes.library.sources import Finder, on_disk, used_file
from cnndsl.passes.values.evaluate import with_arguments
from cnndsl.passes.values.kinds import kind
from cnndsl.passes.values.parameters import settings, types
from cnndsl.passes.values.scope import BlockValue, Definition, Formula, Scope
from cnndsl.passes.values.visible import is_layer
from cnndsl.passes.walk.body import Body
from cnndsl.passes.walk.declare import define
from cnndsl.passes.walk.findings import Findings
from cnndsl.passes.walk.statements import Statements
from cnndsl.syntax import tree
from cnndsl.syntax.parser import parse


@dataclass(eq=False)
class Unit:
    """One file: its tree, its names, its models in order."""

    program: tree.Program
    path: Path | None
    body: Body
    models: dict[str, BlockValue] = field(default_factory=dict)
    _itself: Definition | None = None

    @cached_property
    def one_model(self) -> bool:
        """Whether the file is itself a model, having no `model` in it."""
        return is_one_model(self.program)

    def itself(self, name: str) -> Definition:
        """A file that is one model, as the model of this name that other files use."""
        if self._itself is None:
            start = Span(self.source, 0, 0)
            body = tuple(s for s in self.program.statements if not isinstance(s, tree.Use))
            self._itself = Definition(tree.Model(start, name, start, None, body), self.body.scope)
        return self._itself

    @property
    def source(self) -> Source:
        return self.program.source


Parse = Callable[[Source], tree.Program]


class Library:
    """Reads each file once. Nothing outside a file's own project is read.

    `find` finds the files that lie beside one, `parse` gives the tree of a text: an old revision has files of its own, and an
    editor texts that are not saved, and trees with holes."""

    def __init__(self, findings: Findings, find: Finder = on_disk, parse: Parse | None = None) -> None:
        self.findings = findings
        self._find = find
        self.parse = parse or _parsed
        self.units: dict[str, Unit] = {}
        self._open: list[str] = []

    def load(self, source: Source, path: Path | None, outside: Mapping[str, Any]) -> Unit:
        """A file with its file-wide names worked out; `outside` has values for its `param`s. Raises CnnError for a text
        that cannot be read at all."""
        program = self.parse(source)
        body = Body(Scope(None, source), Names(), None, kind="file")
        unit = Unit(program, path, body)
        self.units[source.name] = unit
        define(program.statements, body, self.findings)
        self._open.append(source.name)
        statements = Statements(self.findings, {})
        for statement in program.statements:
            try:
                if isinstance(statement, tree.Param) and statement.name in outside:
                    given = {statement.name: outside[statement.name]}
                    body.settings |= settings(given, body.scope, types((statement,)))
                self._statement(statement, unit, statements)
            except CnnError as error:
                self.findings.add(error)
                self._lose(statement, unit)
            except LostValue:
                self._lose(statement, unit)
        self._open.pop()
        return unit

    def _lose(self, statement: tree.Statement, unit: Unit) -> None:
        names: tuple[str, ...] = ()
        if isinstance(statement, tree.Use):
            names = tuple(item.alias or item.name for item in statement.imported)
        elif isinstance(statement, tree.Let | tree.Param | tree.Variant):
            names = (statement.name,)
        unit.body.scope.names |= dict.fromkeys(names, LOST)

    def _statement(self, statement: tree.Statement, unit: Unit, statements: Statements) -> None:
        scope = unit.body.scope
        if isinstance(statement, tree.Use):
            self._use(statement, unit)
        elif isinstance(statement, tree.Model):
            definition = scope.names.get(statement.name)
            if isinstance(definition, Definition) and definition.node is statement:
                unit.models[statement.name] = BlockValue(definition, ())
        elif isinstance(statement, tree.Variant):
            scope.names[statement.name] = unit.models[statement.name] = self._variant(statement, unit)
        elif isinstance(statement, tree.Let | tree.Param | tree.Default) and not unit.one_model:
            # In a file that is one model they belong to that model.
            statements.file_wide(statement, unit.body)

    def _variant(self, statement: tree.Variant, unit: Unit) -> BlockValue:
        scope = unit.body.scope
        if not statement.base:
            raise LostValue
        _refuse_layer(statement.name, "model", statement.name_span)
        if statement.name in scope.names:
            raise fault(
                "duplicate-name",
                f"`{statement.name}` is defined twice",
                statement.name_span,
                "the second one",
                help="give one of them another name",
            )
        found = scope.names.get(statement.base)
        base = BlockValue(found, ()) if isinstance(found, Definition) else found
        if not isinstance(base, BlockValue) or not isinstance(base.definition.node, tree.Model):
            close = nearest(statement.base, [name for name in unit.models if name != statement.name])
            raise fault(
                "unknown-model",
                f"no model is called `{statement.base}`",
                statement.base_span,
                help=f"did you mean `{close}`?" if close else f"write it: `model {statement.base} {{ … }}`",
            )
        made = with_arguments(base, statement.arguments or (), unit.body.place())
        assert isinstance(made, BlockValue)
        return _replaced(made, sum(given.name is None for given in base.given), statement)

    # -- use

    def _use(self, statement: tree.Use, unit: Unit) -> None:
        if not statement.origin and not statement.is_file:
            # A hole: nobody has said yet what is used.
            raise LostValue
        other = self._origin(statement, unit)
        for item in statement.imported:
            if not item.name:
                continue
            found = other.body.scope.names.get(item.name)
            if found is None and other.one_model and item.name == _stem(statement):
                found = other.itself(item.name)
            if found is LOST:
                unit.body.scope.names[item.alias or item.name] = LOST
                continue
            if not isinstance(found, Definition | BlockValue | Formula):
                defined = [
                    n for n, v in other.body.scope.names.items() if isinstance(v, Definition | BlockValue | Formula)
                ]
                defined += [_stem(statement)] if other.one_model else []
                close = nearest(item.name, defined)
                raise fault(
                    "unknown-name",
                    f"`{statement.origin}` defines no block or model `{item.name}`",
                    item.span,
                    notes=(f"it defines {', '.join(defined[:20])}",) if defined else ("it defines none",),
                    help=f"did you mean `{close}`?" if close else "use one that it defines",
                )
            name = item.alias or item.name
            _refuse_layer(name, "block", item.span)
            present = unit.body.scope.names.get(name)
            if present is not None and present is not found:
                raise fault(
                    "duplicate-name",
                    f"`{name}` is defined twice",
                    item.span,
                    f"found {kind(present) if not isinstance(present, Definition) else 'a block'} of that name",
                    help=f"rename it: `use {item.name} as …`",
                )
            unit.body.scope.names[name] = found

    def _origin(self, statement: tree.Use, unit: Unit) -> Unit:
        """The file that a `use` names, read once. Raises CnnError, for files that use each other in a circle too."""
        origin = used_file(statement, unit.source.name, unit.path, self._find)
        if origin.name in self._open:
            chain = " → ".join([*self._open[self._open.index(origin.name) :], origin.name])
            raise fault(
                "use-cycle",
                "files use each other in a circle",
                statement.origin_span,
                notes=(chain,),
                help="move what both need into a third file",
            )
        if origin.name in self.units:
            return self.units[origin.name]
        return self.load(origin.read(), origin.path, {})


@lru_cache(maxsize=64)
def _parsed(source: Source) -> tree.Program:
    """A text's tree: the same text is built at many sizes when valid ones are looked for."""
    return parse(source)


def _refuse_layer(name: str, what: str, span: Span) -> None:
    if is_layer(name) or find(name) is not None:
        raise fault("shadows-layer", f"`{name}` is a layer and cannot be a {what}", span, help=f"call it `My{name}`")


def _replaced(made: BlockValue, before: int, variant: tree.Variant) -> BlockValue:
    """A model in which what the variant gives by name takes the place of the first `before` arguments, which have none."""
    own = [parameter.name for parameter in made.definition.node.parameters or ()][:before]
    again = {a.name for a in variant.arguments or () if a.name in own}
    later = {given.name: given for given in made.given if given.name in again}
    order = iter(own)
    first = [
        replace(later[name], name=None) if given.name is None and (name := next(order, "")) in later else given
        for given in made.given
        if given.name not in again
    ]
    return replace(made, given=tuple(first))


def _stem(statement: tree.Use) -> str:
    """The name of a file as a model: without its folders and ending."""
    return Path(statement.origin).stem if statement.is_file else statement.origin


def is_one_model(program: tree.Program) -> bool:
    """Whether a file without `model` is itself one: it has a chain, an input or an output."""
    models = any(isinstance(s, tree.Model | tree.Variant) for s in program.statements)
    return not models and any(isinstance(s, tree.ChainStatement | tree.Input | tree.Output) for s in program.statements)


def no_stray(unit: Unit) -> list[Diagnostic]:
    """In a file of models or blocks: chains, inputs and the like that belong to none of them."""
    if is_one_model(unit.program):
        return []
    stray = (tree.ChainStatement, tree.Input, tree.Output, tree.Bind, tree.Share, tree.Assert)
    return [
        Diagnostic(
            "stray-statement",
            "this stands in no model or block",
            (Label(s.span),),
            help="move it into a `model { … }`",
        )
        for s in unit.program.statements
        if isinstance(s, stray)
    ]
