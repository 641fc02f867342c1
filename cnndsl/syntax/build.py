"""The grammar's rules as tree nodes: called by the parser as it reads, so that no depth of text nests calls."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

from lark import Token

from cnndsl.errors import CnnError, Diagnostic, Label
from cnndsl.source import Source, Span
from cnndsl.syntax import tree
from cnndsl.syntax.scan import MOST_DEPTH

Children = list[Any]

_SUFFIX = {"K": 10**3, "M": 10**6, "G": 10**9}
_PLAIN = {"->": "→", "*": "×", "!=": "≠", "<=": "≤", ">=": "≥"}
_PART = re.compile(r"\{([^{}]*)\}")
# Python refuses to read longer whole numbers, and the language has no use for them.
_MOST_DIGITS = 400


class Builder(threading.local):
    """Callbacks named after the grammar's rules. `source` is the text being read, one a thread."""

    source: Source
    shift: int
    parse_value: Callable[[Source, int, int], tree.Value]

    # -- places

    def _span(self, children: Children) -> Span:
        return self._at(children[0]).to(self._at(children[-1]))

    def _at(self, child: Any) -> Span:
        if isinstance(child, Token):
            assert child.start_pos is not None and child.end_pos is not None
            return Span(self.source, child.start_pos + self.shift, child.end_pos + self.shift)
        span: Span = child.span
        return span

    @staticmethod
    def _only(children: Children, kind: str) -> list[Token]:
        return [c for c in children if isinstance(c, Token) and c.type == kind]

    @staticmethod
    def _nodes(children: Children, kind: Any = tree.Node) -> Children:
        return [c for c in children if isinstance(c, kind)]

    @staticmethod
    def _arguments(children: Children) -> tuple[tree.Argument, ...] | None:
        return next((c for c in children if isinstance(c, tuple)), None)

    # -- statements

    def program(self, c: Children) -> tuple[tree.Statement, ...]:
        return tuple(c)

    def input(self, c: Children) -> tree.Input:
        names = self._only(c, "LABEL")
        joined = self._only(c, "DIMENSIONS")
        dimensions: tuple[tree.Value, ...]
        if joined:
            dimensions = tuple(self._joined(joined[0]))
        else:
            dimensions = tuple(self._nodes(c))
        of = self._only(c, "NAME")
        return tree.Input(
            self._span(c),
            str(names[0])[:-1].strip() if names else None,
            bool(self._only(c, "TOKENS")),
            dimensions,
            str(of[-1]) if of else None,
        )

    def _joined(self, token: Token) -> list[tree.Number]:
        start = self._at(token).start
        return [
            tree.Number(Span(self.source, start + m.start(), start + m.end()), int(m[0][:_MOST_DIGITS]), m[0])
            for m in re.finditer("[0-9]+", token)
        ]

    def output(self, c: Children) -> tree.Output:
        return tree.Output(self._span(c), tuple(self._nodes(c)))

    def departure(self, c: Children) -> tree.Departure:
        return tree.Departure(self._span(c), c[0], c[2] if len(c) > 1 else None)

    def param(self, c: Children) -> tree.Param:
        label, kind = c[1], c[2]
        name = str(label)[:-1].strip()
        span = self._at(label)
        return tree.Param(
            self._span(c),
            name,
            Span(span.source, span.start, span.start + len(name)),
            str(kind),
            self._at(kind),
            c[4] if len(c) > 3 else None,
        )

    def type(self, c: Children) -> Token:
        token: Token = c[0]
        return token

    def let(self, c: Children) -> tree.Let:
        return tree.Let(self._span(c), str(c[1]), self._at(c[1]), c[3])

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
        takes: tuple[str, ...] = ()
        words = [str(t) for t in c if isinstance(t, Token)]
        if "takes" in words:
            takes = tuple(w for w in words[words.index("takes") + 1 :] if w != ",")
        span = self._span([c[0], body[-1]])
        return tree.Block(span, str(c[1]), self._at(c[1]), self._arguments(c), takes, tuple(body[1:-1]))

    def model(self, c: Children) -> tree.Model:
        body = c[-1]
        span = self._span([c[0], body[-1]])
        return tree.Model(span, str(c[1]), self._at(c[1]), self._arguments(c), tuple(body[1:-1]))

    def variant(self, c: Children) -> tree.Variant:
        return tree.Variant(
            self._span(c), str(c[1]), self._at(c[1]), str(c[3]), self._at(c[3]), self._arguments(c)
        )

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
        text = self._unquoted(origin) if is_file else str(origin)
        return tree.Use(self._span(c), tuple(self._nodes(c)), text, self._at(origin), is_file)

    def imported(self, c: Children) -> tree.Imported:
        return tree.Imported(self._span(c), str(c[0]), str(c[2]) if len(c) > 1 else None)

    def origin(self, c: Children) -> Token:
        token: Token = c[0]
        return token

    def assertion(self, c: Children) -> tree.Assert:
        return tree.Assert(self._span(c), c[1])

    def chain_statement(self, c: Children) -> tree.ChainStatement:
        return tree.ChainStatement(self._span(c), c[0])

    # -- chains

    def chain(self, c: Children) -> tree.Chain:
        return tree.Chain(self._span(c), tuple(self._nodes(c)))

    def element(self, c: Children) -> tree.Element:
        label = self._label(c[0]) if isinstance(c[0], Token) and c[0].type == "LABEL" else None
        primary = next(x for x in c if isinstance(x, tree.Primary))
        repeat = next((x for x in c if isinstance(x, tree.Times | tree.Each)), None)
        condition = next((x for x in c if isinstance(x, tree.Condition)), None)
        taps = self._only(c, "NAME")
        tap = taps[0] if taps else None
        return tree.Element(
            self._span(c), label, primary, repeat, str(tap) if tap else None, self._at(tap) if tap else None, condition
        )

    def _label(self, token: Token) -> tree.Label:
        span = self._at(token)
        text = str(token)[:-1].rstrip(" \t")
        parts: list[str | tree.Value] = []
        end = 0
        for match in _PART.finditer(text):
            if match.start() > end:
                parts.append(text[end : match.start()])
            parts.append(self.parse_value(self.source, span.start + match.start(1), span.start + match.end(1)))
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
        branches = self._nodes(c, tree.Chain)
        each = None
        if len(branches) == 1 and isinstance(branches[0].elements[-1].repeat, tree.Each):
            # `cat{ chain for … }`: the `for` makes branches, it does not repeat the last element.
            chain = branches[0]
            last = chain.elements[-1]
            each = last.repeat
            whole = tree.Element(
                last.span, last.label, last.primary, None, last.tap, last.tap_span, last.condition
            )
            branches = [tree.Chain(chain.span, (*chain.elements[:-1], whole))]
        return tree.Merge(
            self._span(c), str(c[0]), self._at(c[0]), self._arguments(c), tuple(branches), each
        )

    def names(self, c: Children) -> tree.Targets:
        parts = tuple(str(x) if isinstance(x, Token) else x for x in c if not (isinstance(x, Token) and x.type == "COMMA"))
        return tree.Targets(self._span(c), parts)

    def nested_names(self, c: Children) -> tree.Targets:
        inner: tree.Targets = c[1]
        return inner

    # -- values

    def arguments(self, c: Children) -> tuple[tree.Argument, ...]:
        return tuple(self._nodes(c))

    def argument(self, c: Children) -> tree.Argument:
        return tree.Argument(self._span(c), str(c[0]) if len(c) > 1 else None, c[-1])

    def number(self, c: Children) -> tree.Number:
        text = str(c[0])
        return tree.Number(self._span(c), self._number(text, self._span(c)), text)

    def _number(self, text: str, span: Span) -> int | float:
        digits = text.replace("_", "")
        if len(digits) > _MOST_DIGITS:
            self._refuse("value-too-large", f"a number of {len(digits)} digits", span, f"write at most {_MOST_DIGITS}")
        scale = _SUFFIX.get(digits[-1], 1)
        digits = digits.rstrip("KMG")
        if re.fullmatch("[0-9]+", digits):
            return int(digits) * scale
        value = float(digits) * scale
        if value == float("inf"):
            self._refuse("value-too-large", f"{text} is more than a double holds", span, "write a smaller number")
        return int(value) if scale > 1 and value.is_integer() else value

    def text(self, c: Children) -> tree.Text:
        return tree.Text(self._span(c), self._unquoted(c[0]))

    @staticmethod
    def _unquoted(token: str) -> str:
        return re.sub(r'\\(["\\])', r"\1", token[1:-1])

    def constant(self, c: Children) -> tree.Constant:
        return tree.Constant(self._span(c), {"true": True, "false": False}.get(str(c[0])))

    def name(self, c: Children) -> tree.Name:
        return tree.Name(self._span(c), str(c[0]))

    def parenthesised(self, c: Children) -> tree.Parenthesised:
        return tree.Parenthesised(self._span(c), c[1])

    def tuple_value(self, c: Children) -> tree.TupleValue:
        return tree.TupleValue(self._span(c), tuple(self._nodes(c)))

    def list_value(self, c: Children) -> tree.ListValue:
        return tree.ListValue(self._span(c), tuple(self._nodes(c)))

    def comprehension(self, c: Children) -> tree.Comprehension:
        return tree.Comprehension(self._span(c), c[1], c[3], c[5], c[7] if len(c) > 7 else None)

    def attribute(self, c: Children) -> tree.Attribute:
        return self._shallow(tree.Attribute(self._span(c), c[0], str(c[2]), self._at(c[2])), "of")

    def index(self, c: Children) -> tree.Index:
        return self._shallow(tree.Index(self._span(c), c[0], c[2]), "of")

    def call(self, c: Children) -> tree.Call:
        return tree.Call(self._span(c), str(c[0]), self._at(c[0]), c[2])

    def unary(self, c: Children) -> tree.Unary:
        return self._shallow(tree.Unary(self._span(c), str(c[0]), c[1]), "operand")

    def range(self, c: Children) -> tree.Range:
        return tree.Range(self._span(c), c[0], c[2])

    def choice(self, c: Children) -> tree.Choice:
        return self._shallow(tree.Choice(self._span(c), c[0], c[2], c[4]), "otherwise")

    def comparator(self, c: Children) -> Token:
        token: Token = c[0]
        return token

    def _operation(self, c: Children) -> tree.Operation:
        rest = tuple((_PLAIN.get(str(op), str(op)), value) for op, value in zip(c[1::2], c[2::2], strict=True))
        return tree.Operation(self._span(c), c[0], rest)

    disjunction = conjunction = comparison = sum = product = _operation

    def power(self, c: Children) -> tree.Operation:
        operation = self._operation(c)
        depth, node = 0, operation
        while isinstance(node, tree.Operation) and node.rest[0][0] == "**":
            depth += 1
            node = node.rest[0][1]  # type: ignore[assignment]
        self._limit(depth, operation.span)
        return operation

    def _shallow(self, node: Any, along: str) -> Any:
        """The node, unless nodes of its kind nest too deep through one field, without a bracket."""
        depth, inner = 0, node
        while hasattr(inner, along):
            depth, inner = depth + 1, getattr(inner, along)
        self._limit(depth, node.span)
        return node

    def _limit(self, depth: int, span: Span) -> None:
        if depth > MOST_DEPTH:
            self._refuse(
                "too-deep", f"values nest deeper than {MOST_DEPTH}", span, "give the inner part a name with `let`"
            )

    def _refuse(self, id: str, message: str, span: Span, help: str) -> None:
        raise CnnError([Diagnostic(id, message, (Label(span),), help=help)])
