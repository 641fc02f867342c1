"""What a value reads on one line."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

from cnndsl.diagnostics.source import Source
from cnndsl.syntax import tree
from cnndsl.syntax.printing.page import WIDTH
from cnndsl.syntax.printing.words import Brackets, dots, items, quoted, sign, targets

# Behind the last thing in a bracket: spaces, a comma, comments, the bracket.
_CLOSER = re.compile(r"(?:[ \t\r\n\f,]|#[^\n]*\n)*[)\]}]")


class FlatValues:
    """Texts of nodes on one line; None where there is none.

    That is so where a comment stands inside, where the author broke the line inside of a bracket, and where
    it would be longer than a line is.
    """

    def __init__(self, source: Source, comments: tuple[tree.Comment, ...]) -> None:
        self.text = source.text
        self._starts = [comment.span.start for comment in comments]
        # By identity, with the node itself so that no other takes its place.
        self._known: dict[int, tuple[tree.Node, str | None]] = {}
        self.writers: dict[type[tree.Node], Callable[[Any], str | None]] = {
            tree.Argument: self._argument,
            tree.Attribute: self._attribute,
            tree.Call: self._call,
            tree.Choice: self._choice,
            tree.Comprehension: self._comprehension,
            tree.Constant: lambda node: {True: "true", False: "false", None: "none"}[node.value],
            tree.Index: self._index,
            tree.ListValue: self._bracketed,
            tree.Name: lambda node: node.name,
            tree.Number: lambda node: node.text,
            tree.Operation: self._operation,
            tree.Parameter: self._parameter,
            tree.Parenthesised: self._bracketed,
            tree.Preset: self._call,
            tree.Range: self._range,
            tree.Text: lambda node: quoted(node.value),
            tree.TupleValue: self._bracketed,
            tree.Unary: self._unary,
        }

    def __call__(self, node: tree.Node) -> str | None:
        known = self._known.get(id(node))
        if known is None:
            text = None if self.commented(node.span.start, node.span.end) else self.write(node)
            known = node, text if text is None or len(text) <= WIDTH else None
            self._known[id(node)] = known
        return known[1]

    def write(self, node: tree.Node) -> str | None:
        """The node's text, however long it is itself."""
        return self.writers[type(node)](node)

    def commented(self, start: int, end: int) -> bool:
        """Whether a comment stands between two offsets."""
        at = bisect_left(self._starts, start)
        return at < len(self._starts) and self._starts[at] < end

    def broken(self, start: int, end: int) -> bool:
        """Whether the author broke the line between two offsets."""
        return self.text.find("\n", start, end) >= 0

    def closer(self, offset: int) -> int:
        """The offset behind the bracket that closes after `offset`, behind which there are no more things in it."""
        found = _CLOSER.match(self.text, offset)
        assert found is not None
        return found.end()

    def arguments(self, nodes: Sequence[tree.Node], start: int) -> Brackets:
        """The round brackets that open right at `start`."""
        end = self.closer(nodes[-1].span.end if nodes else start + 1)
        return Brackets("(", nodes, ")", start, end)

    def brackets(self, brackets: Brackets) -> str | None:
        """Brackets and what is in them, unless a line was broken between those."""
        if not brackets.nodes:
            inside = self.commented(brackets.start, brackets.end)
            return None if inside else brackets.opener + brackets.closer
        texts = []
        end = brackets.start
        for node in brackets.nodes:
            text = self(node)
            if text is None or self.broken(end, node.span.start):
                return None
            texts.append(text)
            end = node.span.end
        if self.broken(end, brackets.end):
            return None
        comma = "," if brackets.comma == "always" else ""
        return f"{brackets.opener}{', '.join(texts)}{comma}{brackets.closer}"

    def _bracketed(self, node: Any) -> str | None:
        return self.brackets(items(node))

    def _argument(self, node: tree.Argument) -> str | None:
        value = self(node.value)
        return value if value is None or node.name is None else f"{node.name}={value}"

    def _attribute(self, node: tree.Attribute) -> str | None:
        of = self(node.of)
        return None if of is None else f"{of}.{node.name}"

    def _index(self, node: tree.Index) -> str | None:
        of, index = self(node.of), self.brackets(items(node))
        return None if of is None or index is None else of + index

    def _call(self, node: tree.Call | tree.Invocation | tree.Preset) -> str | None:
        if node.arguments is None:
            return node.name
        arguments = self.brackets(Brackets("(", node.arguments, ")", node.name_span.end, node.span.end))
        return None if arguments is None else node.name + arguments

    def _unary(self, node: tree.Unary) -> str | None:
        operand = self(node.operand)
        return None if operand is None else sign(node) + operand

    def _operation(self, node: tree.Operation) -> str | None:
        text = self(node.first)
        if text is None:
            return None
        texts = [text]
        for operator, operand in node.rest:
            text = self(operand)
            if text is None:
                return None
            texts += [operator, text]
        return " ".join(texts)

    def _range(self, node: tree.Range) -> str | None:
        first, last = self(node.first), "" if node.last is None else self(node.last)
        return None if first is None or last is None else first + dots(node) + last

    def _choice(self, node: tree.Choice) -> str | None:
        then, condition, otherwise = self(node.then), self(node.condition), self(node.otherwise)
        if then is None or condition is None or otherwise is None:
            return None
        return f"{then} if {condition} else {otherwise}"

    def _comprehension(self, node: tree.Comprehension) -> str | None:
        end = (node.condition or node.values).span.end
        if self.broken(node.span.start, node.item.span.start) or self.broken(end, node.span.end):
            return None
        item, values = self(node.item), self(node.values)
        if item is None or values is None:
            return None
        text = f"{item} for {targets(node.targets)} in {values}"
        if node.condition is not None:
            condition = self(node.condition)
            if condition is None:
                return None
            text += f" if {condition}"
        return f"[{text}]"

    def _parameter(self, node: tree.Parameter) -> str | None:
        if node.default is None:
            return node.name
        default = self(node.default)
        return None if default is None else f"{node.name}={default}"
