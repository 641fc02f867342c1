"""Names bound to their definitions, from the tree alone: also in blocks that nothing calls and in branches not taken.

A walk would meet only what is built, and a rename that goes by it would break the rest; scopes are lexical, so the tree
tells all of it. `tests/service/test_bindings.py` holds the result against the walk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cnndsl.diagnostics.source import Span
from cnndsl.service.bound import Bindings, Kind, Symbol
from cnndsl.service.nodes import head, nodes_in, parts
from cnndsl.syntax import tree


@dataclass(eq=False)
class _Scope:
    parent: _Scope | None
    owner: tree.Block | tree.Model | tree.Function | None
    names: dict[str, Symbol] = field(default_factory=dict)

    def find(self, name: str) -> Symbol | None:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None


def bind(program: tree.Program) -> Bindings:
    """The names of a program."""
    return _Binder(program).run()


class _Binder:
    def __init__(self, program: tree.Program) -> None:
        self.program = program
        self.found = Bindings()
        self.pending: list[tuple[_Scope, str, tree.Argument]] = []

    def run(self) -> Bindings:
        text = self.program.source.text
        top = self._scope(None, Span(self.program.source, 0, len(text)), None)
        self.found.top = top.names
        self._body(self.program.statements, top)
        for scope, callee, argument in self.pending:
            self._argument(scope, callee, argument)
        return self.found

    def _scope(self, parent: _Scope | None, span: Span, owner: Any) -> _Scope:
        scope = _Scope(parent, owner if owner is not None else parent.owner if parent else None)
        self.found.visible_in.append((span, scope.names))
        return scope

    def _set(self, scope: _Scope, name: str, span: Span | None, kind: Kind, node: Any) -> None:
        if name in ("", "_") or span is None:
            return
        symbol = scope.names.get(name)
        if symbol is None:
            symbol = scope.names[name] = Symbol(name, kind, node, parent=scope.owner)
            self.found.symbols.append(symbol)
        symbol.definitions.append(span)
        self.found.at[span.start] = symbol

    def _use(self, scope: _Scope, name: str, span: Span) -> Symbol | None:
        symbol = scope.find(name) if name else None
        if symbol is not None:
            symbol.uses.append(span)
            self.found.at[span.start] = symbol
        return symbol

    # -- statements

    def _body(self, statements: tuple[tree.Statement, ...], scope: _Scope) -> None:
        for statement in statements:
            # Known wherever in the body they stand.
            if isinstance(statement, tree.Block | tree.Model | tree.Function):
                sort: dict[type, Kind] = {tree.Block: "block", tree.Model: "model", tree.Function: "function"}
                self._set(scope, statement.name, statement.name_span, sort[type(statement)], statement)
            elif isinstance(statement, tree.Variant):
                self._set(scope, statement.name, statement.name_span, "model", statement)
        # A body sees what stands around it, also below: names first, then what speaks of them.
        inner: list[tuple[tree.Block | tree.Model | tree.Function, _Scope]] = []
        for statement in statements:
            if isinstance(statement, tree.Block | tree.Model | tree.Function):
                own = self._scope(scope, statement.span, statement)
                inner.append((statement, own))
            else:
                self._statement(statement, scope)
        for statement, own in inner:
            self._definition(statement, own)

    def _definition(self, node: tree.Block | tree.Model | tree.Function, scope: _Scope) -> None:
        for parameter in node.parameters or ():
            if parameter.default is not None:
                self._value(parameter.default, scope)
            self._set(scope, parameter.name, head(parameter), "parameter", parameter)
        if isinstance(node, tree.Function):
            self._value(node.value, scope)
            return
        if isinstance(node, tree.Block):
            for name, span in zip(node.takes, node.take_spans, strict=True):
                self._set(scope, name, span, "tensor", node)
        self._body(node.body, scope)

    def _statement(self, statement: tree.Statement, scope: _Scope) -> None:
        match statement:
            case tree.Use():
                for item in statement.imported:
                    name, span = (item.alias, item.alias_span) if item.alias else (item.name, item.name_span)
                    self._set(scope, name, span, "imported", (statement, item))
            case tree.Let():
                self._value(statement.value, scope)
                self._set(scope, statement.name, statement.name_span, "value", statement)
            case tree.Param():
                self._value(statement.value, scope)
                self._set(scope, statement.name, statement.name_span, "setting", statement)
            case tree.Input():
                self._value(statement.dimensions, scope)
                self._set(scope, statement.name or "", statement.name_span, "input", statement)
            case tree.Share():
                self._chain(statement.chain, scope)
                self._set(scope, statement.name, statement.name_span, "share", statement)
            case tree.Bind():
                self._chain(statement.chain, scope)
                for name, span in zip(statement.names, statement.name_spans, strict=True):
                    self._set(scope, name, span, "tensor", statement)
            case tree.ChainStatement():
                self._chain(statement.chain, scope)
            case tree.Variant():
                self._use(scope, statement.base, statement.base_span)
                self._arguments(statement.base, statement.arguments, scope)
            case tree.Default():
                for preset in statement.presets:
                    self._use(scope, preset.name, preset.name_span)
                    self._arguments(preset.name, preset.arguments, scope)
            case _:
                self._value(statement, scope)

    # -- chains

    def _chain(self, chain: tree.Chain, scope: _Scope) -> None:
        for element in chain.elements:
            self._element(element, scope)

    def _element(self, element: tree.Element, scope: _Scope) -> None:
        if element.condition is not None:
            self._value(element.condition.value, scope)
        inner = scope
        if element.repeat is not None:
            # What is gathered belongs to the body around the repeat.
            self._gathered(element.primary, scope)
            inner = self._scope(scope, element.span, None)
            if isinstance(element.repeat, tree.Each):
                self._each(element.repeat, scope, inner)
            else:
                self._value(element.repeat.count, scope)
        if element.label is not None:
            self._value(element.label.parts, inner)
        self._primary(element.primary, inner)
        if element.condition is not None and element.condition.otherwise is not None:
            self._primary(element.condition.otherwise, inner)
        if element.tap is not None:
            self._tap(element.tap, scope)

    def _tap(self, tap: tree.Tap, scope: _Scope) -> None:
        for name, span in zip(tap.names, tap.name_spans, strict=True):
            known = scope.find(name) if tap.gathers else None
            if known is not None and span in known.definitions:
                continue
            self._set(scope, name, span, "tensor", tap)

    def _gathered(self, part: Any, scope: _Scope) -> None:
        """The names that the rounds of a repeat gather, in the scope around it."""
        for node in nodes_in(part, stop_at_repeats=True):
            if isinstance(node, tree.Tap) and node.gathers:
                self._set(scope, node.names[0], node.name_spans[0], "tensor", node)

    def _each(self, each: tree.Each, outer: _Scope, inner: _Scope) -> None:
        self._value(each.values, outer)
        self._targets(each.targets, inner)

    def _targets(self, targets: tree.Targets, scope: _Scope) -> None:
        for name, span in zip(targets.names, targets.name_spans, strict=True):
            if isinstance(name, str):
                self._set(scope, name, span, "loop", targets)
            else:
                self._targets(name, scope)

    def _primary(self, primary: tree.Primary, scope: _Scope) -> None:
        match primary:
            case tree.Invocation():
                self._use(scope, primary.name, primary.name_span)
                self._arguments(primary.name, primary.arguments, scope)
            case tree.Pick():
                self._use(scope, primary.name, head(primary))
                self._value(primary.index, scope)
            case tree.Group():
                self._chain(primary.chain, scope)
            case tree.Merge():
                self._arguments(primary.name, primary.arguments, scope)
                inner = scope
                if primary.each is not None:
                    self._gathered(primary.branches, scope)
                    inner = self._scope(scope, primary.span, None)
                    self._each(primary.each, scope, inner)
                for branch in primary.branches:
                    if isinstance(branch, tree.Chain):
                        self._chain(branch, inner)
            case tree.Collected():
                self._gathered(primary.chain, scope)
                inner = self._scope(scope, primary.span, None)
                self._each(primary.each, scope, inner)
                self._chain(primary.chain, inner)
            case tree.Tensors():
                for item in primary.items:
                    self._primary(item, scope)

    # -- values

    def _arguments(self, callee: str, arguments: tuple[tree.Argument, ...] | None, scope: _Scope) -> None:
        for argument in arguments or ():
            self._value(argument.value, scope)
            if argument.name is not None:
                self.pending.append((scope, callee, argument))

    def _argument(self, scope: _Scope, callee: str, argument: tree.Argument) -> None:
        """An argument with its name is a use of the parameter of that name."""
        symbol = scope.find(callee)
        name = argument.name or ""
        node = symbol.node if symbol is not None else None
        while isinstance(node, tree.Variant):
            base = self.found.top.get(node.base)
            node = base.node if base is not None else None
        if isinstance(node, tree.Block | tree.Model):
            for owned in self.found.symbols:
                if owned.parent is node and owned.name == name and owned.kind in ("parameter", "setting"):
                    owned.uses.append(head(argument))
                    self.found.at[argument.span.start] = owned
                    return
        elif symbol is not None:
            self.found.unresolved.append((name, head(argument)))

    def _value(self, value: Any, scope: _Scope) -> None:
        if isinstance(value, tuple):
            for item in value:
                self._value(item, scope)
        elif isinstance(value, tree.Name):
            self._use(scope, value.name, value.span)
        elif isinstance(value, tree.Call):
            self._use(scope, value.name, value.name_span)
            self._arguments(value.name, value.arguments, scope)
        elif isinstance(value, tree.Comprehension):
            self._value(value.values, scope)
            inner = self._scope(scope, value.span, None)
            self._targets(value.targets, inner)
            self._value(value.item, inner)
            self._value(value.condition, inner)
        elif isinstance(value, tree.Invocation | tree.Pick | tree.This | tree.Tensors):
            self._primary(value, scope)
        elif isinstance(value, tree.Node):
            for part in parts(value):
                self._value(part, scope)
