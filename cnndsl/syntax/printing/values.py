"""Values on one line where they fit, else broken inside of their brackets or before their operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cnndsl.syntax import tree
from cnndsl.syntax.printing.flat import Flat
from cnndsl.syntax.printing.page import INDENT, WIDTH, Page
from cnndsl.syntax.printing.words import Brackets, dots, items, sign, targets

Broken = Callable[[Any, int], None]
_BRACKETED = (tree.ListValue, tree.TupleValue, tree.Comprehension, tree.Parenthesised, tree.Call)


class Values:
    """Lays out values, and is the base of what lays out chains and statements.

    `tail` is how many characters will stand behind a node on its last line, whatever is in it.
    """

    def __init__(self, page: Page, flat: Flat) -> None:
        self.page = page
        self.flat = flat
        self.broken: dict[type[tree.Node], Broken] = {
            tree.Argument: self._named,
            tree.Attribute: self._attribute,
            tree.Call: self._call,
            tree.Choice: self._choice,
            tree.Comprehension: self._comprehension,
            tree.Index: self._index,
            tree.ListValue: self._bracketed,
            tree.Operation: self._operation,
            tree.Parameter: self._named,
            tree.Parenthesised: self._bracketed,
            tree.Preset: self._call,
            tree.Range: self._range,
            tree.TupleValue: self._bracketed,
            tree.Unary: self._unary,
        }

    def emit(self, node: tree.Node, tail: int = 0) -> None:
        """Writes a node, after the comments before it."""
        page = self.page
        page.comments(node.span.start)
        page.last = max(page.last, node.span.start)
        text = self.flat(node)
        if text is not None and page.column + len(text) + tail <= WIDTH:
            page.put(text)
        elif type(node) in self.broken:
            self.broken[type(node)](node, tail)
        else:
            page.put(text or self.flat.write(node) or "")
        page.last = max(page.last, node.span.end)

    def room(self, node: tree.Node, extra: int) -> bool:
        """Whether a node, or its first line where it has several, fits behind `extra` characters more."""
        text = self.flat(node)
        width = self.head(node) if text is None else len(text)
        return self.page.column + extra + width <= WIDTH

    def head(self, node: tree.Node) -> int:
        """About how long the first line of a node is at least, that does not fit on one."""
        if isinstance(node, tree.Choice | tree.Operation | tree.Range):
            first = node.then if isinstance(node, tree.Choice) else node.first
            text = self.flat(first)
            return self.head(first) if text is None else len(text)
        if isinstance(node, tree.Argument | tree.Parameter) and node.name is not None:
            return len(node.name) + 2
        name = getattr(node, "name", None)
        return 1 if name is None else len(name) + 1

    def listed(self, nodes: Sequence[tree.Node], last: int = 1) -> None:
        """Nodes with commas between: the author's lines, and more where those are too long.

        `last` is the tail of the last one.
        """
        page, several = self.page, False
        for i, node in enumerate(nodes):
            tail = 1 if i + 1 < len(nodes) else last
            if i:
                page.put(",")
                broke = page.gap(nodes[i - 1].span.end, node.span.start)
                if broke or several or not self.room(node, 1 + tail):
                    page.break_line()
                page.put(" ")
            else:
                page.comments(node.span.start)
            number = page.number
            self.emit(node, tail)
            several = page.number != number

    def brackets(self, brackets: Brackets, tail: int) -> None:
        """Brackets: on one line, around what is itself in brackets, or with lines of their own for what is inside."""
        page, nodes = self.page, brackets.nodes
        text = None if self.flat.commented(brackets.start, brackets.end) else self.flat.brackets(brackets)
        if text is not None and page.column + len(text) + tail <= WIDTH:
            page.put(text)
        elif self._hugs(brackets):
            page.put(brackets.opener)
            self.emit(nodes[0], tail + 1)
            page.put(brackets.closer)
        else:
            outer = page.indent
            base = page.open(brackets.opener, brackets.start)
            if nodes:
                page.comments(nodes[0].span.start)
                page.break_line()
            self.listed(nodes)
            if nodes and brackets.comma != "never":
                page.put(",")
            page.close(brackets.closer, base, brackets.end - 1)
            page.indent = outer

    def _hugs(self, brackets: Brackets) -> bool:
        """Whether the only thing in brackets is in brackets too, and the author broke no line between the two."""
        if len(brackets.nodes) != 1 or brackets.comma == "always":
            return False
        node = brackets.nodes[0]
        inner = node.value if isinstance(node, tree.Argument) else node
        broken = self.flat.broken
        return (
            isinstance(inner, _BRACKETED)
            and not broken(brackets.start, inner.span.start)
            and not broken(inner.span.end, brackets.end)
        )

    def phrase(self, connector: str, node: tree.Node, end: int, tail: int = 0) -> None:
        """` connector node`, on a new line where it does not fit; what stands before it ends at `end`."""
        page = self.page
        broke = page.gap(end, node.span.start)
        page.blank = False
        if not self.room(node, len(connector) + 2 + tail) or (broke and self.flat(node) is None):
            page.break_line()
        page.put(f" {connector} ")
        self.emit(node, tail)

    # -- what does not fit on a line

    def _named(self, node: tree.Argument | tree.Parameter, tail: int) -> None:
        value = node.value if isinstance(node, tree.Argument) else node.default
        if node.name is not None:
            self.page.put(node.name if value is None else f"{node.name}=")
        if value is not None:
            self.emit(value, tail)

    def _attribute(self, node: tree.Attribute, tail: int) -> None:
        self.emit(node.of, tail + 1 + len(node.name))
        self.page.put(".")
        self.page.comments(node.name_span.start)
        self.page.put(node.name)

    def _index(self, node: tree.Index, tail: int) -> None:
        self.emit(node.of, tail)
        self.brackets(items(node), tail)

    def _call(self, node: tree.Call | tree.Preset | tree.Invocation, tail: int) -> None:
        self.page.put(node.name)
        if node.arguments is not None:
            self.brackets(Brackets("(", node.arguments, ")", node.name_span.end, node.span.end), tail)

    def _bracketed(self, node: Any, tail: int) -> None:
        self.brackets(items(node), tail)

    def _unary(self, node: tree.Unary, tail: int) -> None:
        self.page.put(sign(node))
        self.emit(node.operand, tail)

    def _operation(self, node: tree.Operation, tail: int) -> None:
        self.emit(node.first)
        end = node.first.span.end
        for i, (operator, operand) in enumerate(node.rest, 1):
            self.phrase(operator, operand, end, tail if i == len(node.rest) else 0)
            end = operand.span.end

    def _range(self, node: tree.Range, tail: int) -> None:
        self.emit(node.first)
        self.page.put(dots(node))
        if node.last is not None:
            self.emit(node.last, tail)

    def _choice(self, node: tree.Choice, tail: int) -> None:
        self.emit(node.then)
        self.phrase("if", node.condition, node.then.span.end)
        self.phrase("else", node.otherwise, node.condition.span.end, tail)

    def _comprehension(self, node: tree.Comprehension, _tail: int) -> None:
        page, outer = self.page, self.page.indent
        base = page.open("[", node.span.start + 1)
        page.comments(node.item.span.start)
        page.break_line()
        page.indent = base + 2 * INDENT
        self.emit(node.item)
        page.indent = base + INDENT
        self.phrase(f"for {targets(node.targets)} in", node.values, node.item.span.end)
        if node.condition is not None:
            self.phrase("if", node.condition, node.values.span.end)
        page.close("]", base, node.span.end - 1)
        page.indent = outer
