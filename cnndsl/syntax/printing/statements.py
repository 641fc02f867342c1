"""Statements, one below the other, with the blank lines and comments between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cnndsl.diagnostics.source import Span
from cnndsl.syntax import tree
from cnndsl.syntax.printing.chains import Chains
from cnndsl.syntax.printing.flat import Flat
from cnndsl.syntax.printing.page import INDENT, WIDTH, Page
from cnndsl.syntax.printing.words import Brackets, quoted


class Statements(Chains):
    """Lays out programs and the bodies of blocks and models."""

    def __init__(self, page: Page, flat: Flat) -> None:
        super().__init__(page, flat)
        self.broken |= {tree.Departure: self._departure, tree.Imported: self._imported}
        self.writers: dict[type[tree.Node], Callable[[Any], None]] = {
            tree.Assert: self._assert,
            tree.Bind: self._bind,
            tree.Block: self._block,
            tree.ChainStatement: self._chain_statement,
            tree.Default: self._default,
            tree.Function: self._function,
            tree.Input: self._input,
            tree.Let: self._let,
            tree.Model: self._model,
            tree.Output: self._output,
            tree.Param: self._param,
            tree.Share: self._share,
            tree.Use: self._use,
            tree.Variant: self._variant,
        }

    def statements(self, statements: Sequence[tree.Statement], indent: int) -> None:
        """Statements from the present place on, each on a line of its own."""
        page = self.page
        for statement in statements:
            page.indent = indent
            page.gap(page.last, statement.span.start)
            page.break_line()
            page.indent = indent + INDENT
            page.last = statement.span.start
            self.writers[type(statement)](statement)
            page.last = max(page.last, statement.span.end)
        page.indent = indent

    def _word(self, word: str, span: Span) -> None:
        """A word that stands at a known place, after the comments before it."""
        self.page.comments(span.start)
        self.page.put(word)
        self.page.last = max(self.page.last, span.end)

    def _input(self, node: tree.Input) -> None:
        page = self.page
        page.put("input " if node.name is None else f"input {node.name}: ")
        if node.tokens:
            page.put("tokens ")
        for i, size in enumerate(node.dimensions):
            if i:
                page.put("×")
            if i == 0 and node.tokens:
                page.put(self.flat.size(size))
            else:
                self.emit(size)
        if node.dtype is not None:
            page.put(f" of {node.dtype}")

    def _output(self, node: tree.Output) -> None:
        self.page.put("output ")
        self.listed(node.departures)

    def _departure(self, node: tree.Departure, tail: int) -> None:
        self.emit(node.tensor)
        if node.condition is not None:
            self.phrase("if", node.condition, node.tensor.span.end, tail)

    def _param(self, node: tree.Param) -> None:
        self.page.put("param ")
        if node.type is None or node.type_span is None:
            self._word(node.name, node.name_span)
        else:
            self._word(f"{node.name}:", node.name_span)
            self.page.put(" ")
            self._word(node.type, node.type_span)
        if node.value is not None:
            self.page.put(" = ")
            self.emit(node.value)

    def _let(self, node: tree.Let) -> None:
        self.page.put("let ")
        self._word(node.name, node.name_span)
        self.page.put(" = ")
        self.emit(node.value)

    def _function(self, node: tree.Function) -> None:
        self.page.put("fn ")
        self._word(node.name, node.name_span)
        brackets = self.flat.arguments(node.parameters, node.name_span.end)
        self.brackets(brackets, len(" = "))
        self.page.last = max(self.page.last, brackets.end)
        self.page.put(" = ")
        self.emit(node.value)

    def _default(self, node: tree.Default) -> None:
        self.page.put("default ")
        self.listed(node.presets)

    def _block(self, node: tree.Block) -> None:
        names = [*node.takes[:-1], f"{node.takes[-1]}[]" if node.gathers else node.takes[-1]] if node.takes else []
        taken = f" takes {', '.join(names)}" if names else ""
        self._head("block ", node, len(taken))
        for i, name in enumerate(names):
            self.page.put("," if i else " takes")
            if self.page.column + len(name) + 3 > WIDTH:
                self.page.break_line()
            self.page.put(f" {name}")
        self._body(node)

    def _model(self, node: tree.Model) -> None:
        self._head("model ", node, 0)
        self._body(node)

    def _head(self, word: str, node: tree.Block | tree.Model, tail: int) -> None:
        self.page.put(word)
        self._word(node.name, node.name_span)
        if node.parameters is not None:
            brackets = self.flat.arguments(node.parameters, node.name_span.end)
            self.brackets(brackets, tail + len(" {"))
            self.page.last = max(self.page.last, brackets.end)

    def _body(self, node: tree.Block | tree.Model) -> None:
        page, base = self.page, self.page.indent - INDENT
        if not node.body and not self.flat.commented(page.last, node.span.end):
            page.put(" { }")
            return
        page.open(" {", page.last)
        self.statements(node.body, base + INDENT)
        page.close("}", base, node.span.end - 1)

    def _variant(self, node: tree.Variant) -> None:
        self.page.put("model ")
        self._word(node.name, node.name_span)
        self.page.put(" = ")
        self._word(node.base, node.base_span)
        if node.arguments is not None:
            self.brackets(Brackets("(", node.arguments, ")", node.base_span.end, node.span.end), 0)

    def _bind(self, node: tree.Bind) -> None:
        page = self.page
        if node.together:
            page.put("(")
        for i, (name, span) in enumerate(zip(node.names, node.name_spans, strict=True)):
            if i:
                page.put(",")
                page.comments(span.start)
                if page.column + len(name) + 2 > WIDTH:
                    page.break_line()
                page.put(" ")
            self._word(name, span)
        page.put(") = " if node.together else " = ")
        self._named_chain(node.chain)

    def _share(self, node: tree.Share) -> None:
        self.page.put("share ")
        self._word(node.name, node.name_span)
        self.page.put(" = ")
        self._named_chain(node.chain)

    def _named_chain(self, chain: tree.Chain) -> None:
        # Arrows stand further in than the name, unless a bracket closed below it.
        indent = self.page.indent
        self.chain(chain.elements, indent, behind=indent - INDENT)

    def _use(self, node: tree.Use) -> None:
        self.page.put("use ")
        origin = quoted(node.origin) if node.is_file else node.origin
        self.listed(node.imported, len(f" from {origin}"))
        self.page.put(" from ")
        self._word(origin, node.origin_span)

    def _imported(self, node: tree.Imported, _tail: int) -> None:
        self.page.put(f"{node.name} as {node.alias}" if node.alias else node.name)

    def _assert(self, node: tree.Assert) -> None:
        self.page.put("assert ")
        self.emit(node.value)

    def _chain_statement(self, node: tree.ChainStatement) -> None:
        indent = self.page.indent - INDENT
        self.chain(node.chain.elements, indent)
