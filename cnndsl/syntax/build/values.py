"""Values, from the pieces that the parser read."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TypeVar, cast

from lark import Token

from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Span
from cnndsl.syntax import tree
from cnndsl.syntax.build.places import Children, Places, refuse
from cnndsl.syntax.scan import MOST_DEPTH

Made = TypeVar("Made", bound=tree.Node)

_SUFFIX = {"K": 10**3, "M": 10**6, "G": 10**9}
_PLAIN = {"*": "×", "!=": "≠", "<=": "≤", ">=": "≥"}
# Python refuses to read longer whole numbers, and the language has no use for them.
_MOST_DIGITS = 400


class Values(Places):
    """Callbacks of the rules for values."""

    def arguments(self, c: Children) -> tuple[tree.Argument, ...]:
        return tuple(self._nodes(c))

    def argument(self, c: Children) -> tree.Argument:
        return tree.Argument(self._span(c), str(c[0]) if len(c) > 1 else None, c[-1])

    def number(self, c: Children) -> tree.Number:
        text = str(c[0])
        return tree.Number(self._span(c), self._number(text, self._span(c)), text)

    def _number(self, text: str, span: Span) -> int | float:
        """What digits say; 1 for more of them than are read, in a text that need not be right."""
        try:
            return number(text, span)
        except CnnError:
            if not self.reading.tolerant:
                raise
            return 1

    def text(self, c: Children) -> tree.Text:
        return tree.Text(self._span(c), unquoted(c[0]))

    def constant(self, c: Children) -> tree.Constant:
        return tree.Constant(self._span(c), {"true": True, "false": False}.get(str(c[0])))

    def name(self, c: Children) -> tree.Name:
        return tree.Name(self._span(c), str(c[0]))

    def parenthesised(self, c: Children) -> tree.Parenthesised:
        return self._inside(tree.Parenthesised(self._span(c), c[1]), c[1])

    def tuple_value(self, c: Children) -> tree.TupleValue:
        items = tuple(self._nodes(c))
        return self._inside(tree.TupleValue(self._span(c), items), *items)

    def list_value(self, c: Children) -> tree.ListValue:
        items = tuple(self._nodes(c))
        return self._inside(tree.ListValue(self._span(c), items), *items)

    def comprehension(self, c: Children) -> tree.Comprehension:
        condition = c[7] if len(c) > 7 else None
        made = tree.Comprehension(self._span(c), c[1], c[3], c[5], condition)
        return self._inside(made, c[1], c[5], *([condition] if condition else []))

    def attribute(self, c: Children) -> tree.Attribute:
        return self._deeper(tree.Attribute(self._span(c), c[0], str(c[2]), self._at(c[2])), c[0])

    def index(self, c: Children) -> tree.Index:
        return self._deeper(tree.Index(self._span(c), c[0], c[2]), c[0], c[2])

    def call(self, c: Children) -> tree.Call:
        return self._inside(tree.Call(self._span(c), str(c[0]), self._at(c[0]), c[2]), *(a.value for a in c[2]))

    def unary(self, c: Children) -> tree.Unary:
        return self._deeper(tree.Unary(self._span(c), str(c[0]), c[1]), c[1])

    def range(self, c: Children) -> tree.Range:
        last = c[2] if len(c) > 2 else None
        return self._deeper(tree.Range(self._span(c), c[0], last), *c[::2])

    def choice(self, c: Children) -> tree.Choice:
        return self._deeper(tree.Choice(self._span(c), c[0], c[2], c[4]), *c[::2])

    def comparator(self, c: Children) -> Token:
        token: Token = c[0]
        return token

    def _operation(self, c: Children) -> tree.Operation:
        rest = tuple((_PLAIN.get(str(op), str(op)), value) for op, value in zip(c[1::2], c[2::2], strict=True))
        return self._deeper(tree.Operation(self._span(c), c[0], rest), *c[::2])

    disjunction = conjunction = comparison = sum = product = power = _operation

    def _deeper(self, node: Made, *parts: tree.Value) -> Made:
        """The node, a level above the deepest of its parts. Raises `too-deep`; brackets are counted before parsing."""
        return self._at_depth(node, parts, 1)

    def _inside(self, node: Made, *parts: tree.Value) -> Made:
        """The node of a bracket, as deep as the deepest of its parts."""
        return self._at_depth(node, parts, 0)

    def _at_depth(self, node: Made, parts: tuple[tree.Value, ...], more: int) -> Made:
        depth = more + max((self.reading.depths.get(id(part), 0) for part in parts), default=0)
        if depth > MOST_DEPTH:
            self._refuse(
                "too-deep", f"values nest deeper than {MOST_DEPTH}", node.span, "give the inner part a name with `let`"
            )
            start = Span(node.span.source, node.span.start, node.span.start)
            return cast(Made, tree.Name(start, ""))
        if depth:
            self.reading.depths[id(node)] = depth
        return node


def number(text: str, span: Span) -> int | float:
    """What digits say, with `_` between them or K, M, G behind, or ms, which makes seconds of milliseconds. Raises
    `value-too-large`."""
    digits = text.replace("_", "")
    if len(digits) > _MOST_DIGITS:
        refuse("value-too-large", f"a number of {len(digits)} digits", span, f"write at most {_MOST_DIGITS}")
    if digits.endswith("ms"):
        return float(Fraction(digits.removesuffix("ms")) / 1000)
    scale = _SUFFIX.get(digits[-1], 1)
    digits = digits.rstrip("KMG")
    if re.fullmatch("[0-9]+", digits):
        return int(digits) * scale
    value = float(digits) * scale
    if value == float("inf"):
        refuse("value-too-large", f"{text} is more than a double holds", span, "write a smaller number")
    if scale == 1:
        return value
    if re.fullmatch("[0-9.]+", digits):
        # 1.005K is 1005, and 1.005 × 1000 in doubles is not.
        exact = Fraction(digits) * scale
        return int(exact) if exact.denominator == 1 else float(exact)
    return int(value) if value.is_integer() else value


def unquoted(text: str) -> str:
    """What stands between quotes, its escapes undone."""
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])
