"""Statements, from the pieces that the parser read."""

from __future__ import annotations

import re
from typing import Any

from lark import Token

from cnndsl.diagnostics.source import Span
from cnndsl.syntax import tree
from cnndsl.syntax.build.places import Children, Places
from cnndsl.syntax.build.values import unquoted
from cnndsl.syntax.vocabulary import RESERVED


class Statements(Places):
    """Callbacks of the rules for statements."""

    def program(self, c: Children) -> tuple[tree.Statement, ...]:
        return tuple(c)

    def input(self, c: Children) -> tree.Input:
        names = self._only(c, "LABEL")
        joined = self._only(c, "DIMENSIONS")
        dimensions: list[tree.Value] = [*self._joined(joined[0])] if joined else self._nodes(c)
        of = self._only(c, "NAME")
        name, name_span = self._named(names[0]) if names else (None, None)
        return tree.Input(
            self._span(c),
            name,
            name_span,
            bool(self._only(c, "TOKENS")),
            tuple(dimensions),
            str(of[-1]) if of else None,
            self._at(of[-1]) if of else None,
        )

    def _named(self, label: Token) -> tuple[str, Span]:
        """The name before a colon, which the lexer reads as a label. Raises `syntax` and `reserved-name`."""
        name = str(label)[:-1].strip()
        at = self._at(label)
        span = Span(at.source, at.start, at.start + len(name))
        if name in RESERVED:
            self._refuse(
                "reserved-name", f"`{name}` is a word of the language and cannot be a name", span, f"call it `{name}_`"
            )
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            self._refuse("syntax", f"`{name}` is no name", span, "write letters, digits and `_`, a letter first")
        return name, span

    def _joined(self, token: Token) -> list[tree.Number]:
        start = self._at(token).start
        made = []
        for match in re.finditer("[0-9]+", token):
            span = Span(self.source, start + match.start(), start + match.end())
            made.append(tree.Number(span, self._number(match[0], span), match[0]))
        return made

    def output(self, c: Children) -> tree.Output:
        return tree.Output(self._span(c), tuple(self._nodes(c)))

    def departure(self, c: Children) -> tree.Departure:
        return tree.Departure(self._span(c), c[0], c[2] if len(c) > 1 else None)

    def param(self, c: Children) -> tree.Param:
        label, kind = c[1], c[2]
        if label.type == "NAME":
            return tree.Param(self._span(c), str(label), self._at(label), None, None, c[3])
        name, span = self._named(label)
        return tree.Param(
            self._span(c),
            name,
            span,
            str(kind),
            self._at(kind),
            c[4] if len(c) > 3 else None,
        )

    def type(self, c: Children) -> Token:
        token: Token = c[0]
        return token

    def let(self, c: Children) -> tree.Let:
        return tree.Let(self._span(c), str(c[1]), self._at(c[1]), c[3])

    def function(self, c: Children) -> tree.Function:
        return tree.Function(self._span(c), str(c[1]), self._at(c[1]), c[2], c[4])

    def default(self, c: Children) -> tree.Default:
        return tree.Default(self._span(c), tuple(self._nodes(c)))

    def preset(self, c: Children) -> tree.Preset:
        return tree.Preset(self._span(c), str(c[0]), self._at(c[0]), c[2])

    def parameters(self, c: Children) -> tuple[tree.Parameter, ...]:
        return tuple(self._nodes(c))

    def parameter(self, c: Children) -> tree.Parameter:
        return tree.Parameter(self._span(c), str(c[0]), c[2] if len(c) > 1 else None)

    def body(self, c: Children) -> Children:
        return c

    def block(self, c: Children) -> tree.Block:
        body = c[-1]
        taken = [x for x in c if isinstance(x, list) and x is not body]
        takes = [x[0] for x in taken]
        for early in taken[:-1]:
            if len(early) > 1:
                self._refuse(
                    "syntax",
                    f"`{early[0]}[]` takes all tensors that are left, and more names follow it",
                    self._at(early[0]),
                    "put it last",
                )
        span = self._span([c[0], body[-1]])
        return tree.Block(
            span,
            str(c[1]),
            self._at(c[1]),
            self._arguments(c),
            tuple(map(str, takes)),
            tuple(map(self._at, takes)),
            bool(taken) and len(taken[-1]) > 1,
            tuple(body[1:-1]),
        )

    def taken(self, c: Children) -> Children:
        return c

    def model(self, c: Children) -> tree.Model:
        body = c[-1]
        span = self._span([c[0], body[-1]])
        return tree.Model(span, str(c[1]), self._at(c[1]), self._arguments(c), tuple(body[1:-1]))

    def variant(self, c: Children) -> tree.Variant:
        return tree.Variant(self._span(c), str(c[1]), self._at(c[1]), str(c[3]), self._at(c[3]), self._arguments(c))

    def bind(self, c: Children) -> tree.Bind:
        target, chain = c[0], c[2]
        span = self._at(target).to(chain.span)
        if isinstance(target, Token):
            return tree.Bind(span, (str(target),), (self._at(target),), False, chain)
        names = tuple(item.name for item in target.items)
        return tree.Bind(span, names, tuple(item.span for item in target.items), True, chain)

    def target(self, c: Children) -> Any:
        target = c[0]
        if isinstance(target, tree.Tensors):
            for item in target.items:
                if not isinstance(item, tree.Invocation):
                    self._refuse("syntax", "only names can be bound", item.span, "write names: `(a, b) = …`")
        return target

    def share(self, c: Children) -> tree.Share:
        return tree.Share(self._span(c), str(c[1]), self._at(c[1]), c[3])

    def use(self, c: Children) -> tree.Use:
        origin = c[-1]
        is_file = origin.type == "STRING"
        text = unquoted(origin) if is_file else str(origin)
        return tree.Use(self._span(c), tuple(self._nodes(c)), text, self._at(origin), is_file)

    def imported(self, c: Children) -> tree.Imported:
        alias = c[2] if len(c) > 1 else None
        at = None if alias is None else self._at(alias)
        return tree.Imported(self._span(c), str(c[0]), self._at(c[0]), None if alias is None else str(alias), at)

    def origin(self, c: Children) -> Token:
        token: Token = c[0]
        return token

    def assertion(self, c: Children) -> tree.Assert:
        return tree.Assert(self._span(c), c[1])

    def chain_statement(self, c: Children) -> tree.ChainStatement:
        return tree.ChainStatement(self._span(c), c[0])
