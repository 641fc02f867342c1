"""Chains and their elements, from the pieces that the parser read."""

from __future__ import annotations

import re

from lark import Token

from cnndsl.diagnostics.source import Span
from cnndsl.syntax import tree
from cnndsl.syntax.build.places import Children, Places

_PART = re.compile(r"\{([^{}]*)\}")


class Chains(Places):
    """Callbacks of the rules for chains."""

    def chain(self, c: Children) -> tree.Chain:
        return tree.Chain(self._span(c), tuple(self._nodes(c)))

    def element(self, c: Children) -> tree.Element:
        label = self._label(c[0]) if isinstance(c[0], Token) and c[0].type == "LABEL" else None
        primary = next(x for x in c if isinstance(x, tree.Primary))
        repeat = next((x for x in c if isinstance(x, tree.Times | tree.Each)), None)
        condition = next((x for x in c if isinstance(x, tree.Condition)), None)
        tap = next((x for x in c if isinstance(x, tree.Tap)), None)
        return tree.Element(self._span(c), label, primary, repeat, tap, condition)

    def tap(self, c: Children) -> tree.Tap:
        names = self._only(c, "NAME")
        spans = tuple(map(self._at, names))
        together = c[0].type == "LPAR"
        return tree.Tap(self._span(c), tuple(map(str, names)), spans, together, not together and len(c) > 1)

    def _label(self, token: Token) -> tree.Label:
        span = self._at(token)
        text = str(token)[:-1].rstrip(" \t")
        parts: list[str | tree.Value] = []
        end = 0
        for match in _PART.finditer(text):
            if match.start() > end:
                parts.append(text[end : match.start()])
            parts.append(self.reading.parse_value(self.source, span.start + match.start(1), span.start + match.end(1)))
            end = match.end()
        if end < len(text):
            parts.append(text[end:])
        return tree.Label(Span(self.source, span.start, span.start + len(text)), tuple(parts))

    def times(self, c: Children) -> tree.Times:
        return tree.Times(self._span(c), c[1])

    def each(self, c: Children) -> tree.Each:
        return tree.Each(self._span(c), c[1], c[3])

    def condition(self, c: Children) -> tree.Condition:
        other = c[3] if len(c) > 2 else None
        nothing = isinstance(other, tree.Constant)
        return tree.Condition(self._span(c), c[1], None if nothing else other, nothing)

    def none(self, c: Children) -> tree.Constant:
        return tree.Constant(self._span(c), None)

    def invocation(self, c: Children) -> tree.Invocation:
        return tree.Invocation(self._span(c), str(c[0]), self._at(c[0]), self._arguments(c))

    reference = invocation

    def reference_index(self, c: Children) -> tree.Pick:
        return tree.Pick(self._span(c), str(c[0]), c[2])

    def this(self, c: Children) -> tree.This:
        return tree.This(self._span(c), str(c[0]))

    def group(self, c: Children) -> tree.Group:
        return tree.Group(self._span(c), c[1])

    def tensors(self, c: Children) -> tree.Tensors:
        return tree.Tensors(self._span(c), tuple(self._nodes(c)))

    def merge(self, c: Children) -> tree.Merge:
        branches = self._nodes(c, tree.Chain | tree.Number | tree.Unary)
        each = None
        if len(branches) == 1 and isinstance(branches[0], tree.Chain):
            # `cat{ chain for … }`: the `for` makes branches, it does not repeat the last element.
            chain, each = _apart(branches[0])
            branches = [chain]
        return tree.Merge(self._span(c), str(c[0]), self._at(c[0]), self._arguments(c), tuple(branches), each)

    def collected(self, c: Children) -> tree.Collected | tree.Group:
        chain, each = _apart(c[1])
        if each is None:
            self._refuse(
                "syntax",
                "brackets that hold a chain are square: round ones gather a tuple of tensors, and have a `for`",
                self._span(c),
                "write `[ … ]`, or `(… for x in xs)`",
            )
            return tree.Group(self._span(c), c[1])
        return tree.Collected(self._span(c), chain, each)

    def names(self, c: Children) -> tree.Targets:
        parts = [x for x in c if not (isinstance(x, Token) and x.type == "COMMA")]
        names = tuple(str(x) if isinstance(x, Token) else x for x in parts)
        return tree.Targets(self._span(c), names, tuple(map(self._at, parts)))

    def nested_names(self, c: Children) -> tree.Targets:
        inner: tree.Targets = c[1]
        return inner


def _apart(chain: tree.Chain) -> tuple[tree.Chain, tree.Each | None]:
    """A chain without the `for` of its last element, and that `for`."""
    *before, last = chain.elements
    if not isinstance(last.repeat, tree.Each):
        return chain, None
    whole = tree.Element(last.span, last.label, last.primary, None, last.tap, last.condition)
    return tree.Chain(chain.span, (*before, whole)), last.repeat
