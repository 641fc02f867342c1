"""What a node reads on one line."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cnndsl.source import Source
from cnndsl.syntax import tree
from cnndsl.syntax.printing.page import WIDTH

_CONTROL = re.compile(r'("(?:[^"\\\n]|\\["\\])*")|[\t\r\f]')
# Behind the last thing in a bracket: spaces, a comma, comments, the bracket.
_CLOSER = re.compile(r"(?:[ \t\r\n\f,]|#[^\n]*)*[)\]}]")
# As much as the grammar reads of a size behind `tokens`.
_MOST_SIZE = 66


@dataclass(frozen=True, slots=True)
class Brackets:
    """Things between two brackets. `start` is before the opening one, `end` behind the closing one."""

    opener: str
    nodes: Sequence[tree.Node]
    closer: str
    start: int
    end: int
    comma: Literal["never", "broken", "always"] = "broken"
    """Whether a comma follows the last one: never, where they stand on lines of their own, always."""


class Flat:
    """Texts of nodes on one line; None where there is none.

    That is so where a comment stands inside, where the author broke the line inside of a bracket, and where
    it would be longer than a line is.
    """

    def __init__(self, source: Source, comments: tuple[tree.Comment, ...]) -> None:
        self.text = source.text
        self._starts = [comment.span.start for comment in comments]
        # By identity, with the node itself so that no other takes its place.
        self._known: dict[int, tuple[tree.Node, str | None]] = {}
        self._branches: dict[int, tuple[tree.Chain, ...]] = {}
        self._writers: dict[type[tree.Node], Callable[[Any], str | None]] = {
            tree.Argument: self._argument,
            tree.Attribute: self._attribute,
            tree.Call: self._call,
            tree.Chain: self._chain,
            tree.Choice: self._choice,
            tree.Comprehension: self._comprehension,
            tree.Constant: lambda node: {True: "true", False: "false", None: "none"}[node.value],
            tree.Departure: self._departure,
            tree.Element: self._element,
            tree.Group: self._group,
            tree.Imported: lambda node: f"{node.name} as {node.alias}" if node.alias else node.name,
            tree.Index: self._index,
            tree.Invocation: self._call,
            tree.ListValue: lambda node: self.brackets(items(node)),
            tree.Merge: self._merge,
            tree.Name: lambda node: node.name,
            tree.Number: lambda node: node.text,
            tree.Operation: self._operation,
            tree.Parameter: self._parameter,
            tree.Parenthesised: lambda node: self.brackets(items(node)),
            tree.Pick: self._pick,
            tree.Preset: self._call,
            tree.Range: self._range,
            tree.Targets: targets,
            tree.Tensors: lambda node: self.brackets(items(node)),
            tree.Text: lambda node: quoted(node.value),
            tree.This: lambda node: node.name,
            tree.TupleValue: lambda node: self.brackets(items(node)),
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
        return self._writers[type(node)](node)

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

    def branches(self, merge: tree.Merge) -> tuple[tree.Chain, ...]:
        """The branches as they are written, the `for` that makes many of one behind its last element."""
        if merge.each is None:
            return merge.branches
        if id(merge) not in self._branches:
            chain = merge.branches[0]
            *others, last = chain.elements
            whole = tree.Element(
                last.span, last.label, last.primary, merge.each, last.tap, last.tap_span, last.condition
            )
            self._branches[id(merge)] = (tree.Chain(chain.span, (*others, whole)),)
        return self._branches[id(merge)]

    def size(self, node: tree.Node) -> str:
        """The first size behind `tokens`, which the grammar reads only as long as it is short."""
        text = self.write(node)
        return text if text is not None and len(text) <= _MOST_SIZE else node.span.text

    # -- values

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
        first, last = self(node.first), self(node.last)
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

    # -- chains

    def _pick(self, node: tree.Pick) -> str | None:
        index = self.brackets(items(node))
        return None if index is None else node.name + index

    def _group(self, node: tree.Group) -> str | None:
        chain = node.chain
        if self.broken(node.span.start, chain.span.start) or self.broken(chain.span.end, node.span.end):
            return None
        text = self(chain)
        return None if text is None else f"[{text}]"

    def _chain(self, node: tree.Chain) -> str | None:
        texts = []
        end = node.span.start
        for element in node.elements:
            text = self(element)
            if text is None or self.broken(end, element.span.start):
                return None
            texts.append(text)
            end = element.span.end
        return " → ".join(texts)

    def _merge(self, node: tree.Merge) -> str | None:
        head: str | None = ""
        end = node.name_span.end
        if node.arguments is not None:
            arguments = self.arguments(node.arguments, end)
            head, end = self.brackets(arguments), arguments.end
        if head is None:
            return None
        texts = []
        for branch in self.branches(node):
            text = self(branch)
            if text is None or self.broken(end, branch.span.start):
                return None
            texts.append(text)
            end = branch.span.end
        return None if self.broken(end, node.span.end) else f"{node.name}{head}{{ {' | '.join(texts)} }}"

    def _element(self, node: tree.Element) -> str | None:
        text = self(node.primary)
        if text is None:
            return None
        if node.label is not None:
            text = f"{label(node.label)}: {text}"
        if node.repeat is not None:
            values = self(node.repeat.count if isinstance(node.repeat, tree.Times) else node.repeat.values)
            if values is None:
                return None
            times = isinstance(node.repeat, tree.Times)
            text += f"×{values}" if times else f" for {targets(node.repeat.targets)} in {values}"  # type: ignore[union-attr]
        if node.tap is not None:
            text += f" as {node.tap}"
        return text if node.condition is None else self._conditional(text, node.condition)

    def _conditional(self, text: str, condition: tree.Condition) -> str | None:
        value = self(condition.value)
        if value is None:
            return None
        text += f" if {value}"
        if condition.otherwise is None:
            return f"{text} else none" if condition.nothing else text
        otherwise = self(condition.otherwise)
        return None if otherwise is None else f"{text} else {otherwise}"

    def _departure(self, node: tree.Departure) -> str | None:
        tensor = self(node.tensor)
        if tensor is None or node.condition is None:
            return tensor
        condition = self(node.condition)
        return None if condition is None else f"{tensor} if {condition}"


Bracketed = tree.Parenthesised | tree.TupleValue | tree.ListValue | tree.Tensors | tree.Index | tree.Pick


def items(node: Bracketed) -> Brackets:
    """The brackets that end a value."""
    start, end = node.span.start, node.span.end
    if isinstance(node, tree.Parenthesised):
        return Brackets("(", (node.value,), ")", start, end, comma="never")
    if isinstance(node, tree.Index):
        return Brackets("[", (node.index,), "]", node.of.span.end, end, comma="never")
    if isinstance(node, tree.Pick):
        return Brackets("[", (node.index,), "]", start + len(node.name), end, comma="never")
    if isinstance(node, tree.ListValue):
        return Brackets("[", node.items, "]", start, end)
    # `(x)` would be no tuple.
    return Brackets("(", node.items, ")", start, end, comma="always" if len(node.items) == 1 else "broken")


def targets(node: tree.Targets) -> str:
    """The names of a `for`."""
    return ", ".join(name if isinstance(name, str) else f"({targets(name)})" for name in node.names)


def sign(node: tree.Unary) -> str:
    return "not " if node.operator == "not" else node.operator


def dots(node: tree.Range) -> str:
    """`..`, with spaces between ends that have spaces themselves."""
    return " .. " if isinstance(node.first, tree.Operation) or isinstance(node.last, tree.Operation) else ".."


def quoted(text: str) -> str:
    """A text between quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def label(node: tree.Label) -> str:
    """A label as it was written, but for tabs."""
    return _CONTROL.sub(lambda match: match[1] or " ", node.span.text)
