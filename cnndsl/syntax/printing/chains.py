"""Chains: the author's lines, each begun with its arrow; groups and merges with their contents indented."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from cnndsl.syntax import tree
from cnndsl.syntax.printing.flat import Flat
from cnndsl.syntax.printing.page import INDENT, Page
from cnndsl.syntax.printing.values import Values
from cnndsl.syntax.printing.words import items, label, tap, targets


class Chains(Values):
    """Lays out chains and what they are made of."""

    def __init__(self, page: Page, flat: Flat) -> None:
        super().__init__(page, flat)
        self.broken |= {
            tree.Collected: self._collected,
            tree.Element: self._element,
            tree.Group: self._group,
            tree.Invocation: self._call,
            tree.Merge: self._merge,
            tree.Pick: self._pick,
            tree.Tensors: self._bracketed,
        }

    def chain(self, elements: Sequence[tree.Element], arrow: int, behind: int | None = None) -> None:
        """Elements with arrows between; lines begin at `arrow`, or at `behind` once the first element took several."""
        page, several = self.page, False
        for i, element in enumerate(elements):
            if i:
                page.indent = arrow
                broke = page.gap(elements[i - 1].span.end, element.span.start)
                if broke or several or not self.room(element, len(" → ")):
                    page.break_line()
                page.put(" → ")
            else:
                page.comments(element.span.start)
            number = page.number
            page.indent = arrow + INDENT
            self.emit(element)
            several = page.number != number
            if i == 0 and several and behind is not None:
                arrow = behind
        page.indent = arrow

    def head(self, node: tree.Node) -> int:
        if not isinstance(node, tree.Element):
            return super().head(node)
        text = self.flat(node.primary)
        before = 0 if node.label is None else len(label(node.label)) + 2
        return before + (self.head(node.primary) if text is None else len(text))

    def _element(self, node: tree.Element, _tail: int) -> None:
        page = self.page
        if node.label is not None:
            page.put(f"{label(node.label)}: ")
            page.last = node.label.span.end
        self.emit(node.primary)
        end = node.primary.span.end
        if isinstance(node.repeat, tree.Times):
            page.put("×")
            self.emit(node.repeat.count)
        elif node.repeat is not None:
            self.phrase(f"for {targets(node.repeat.targets)} in", node.repeat.values, end)
        if node.tap is not None:
            page.put(" as")
            page.comments(node.tap.span.start)
            page.put(f" {tap(node.tap)}")
            page.last = max(page.last, node.tap.span.end)
        if node.condition is not None:
            self._condition(node.condition, page.last)

    def _condition(self, node: tree.Condition, end: int) -> None:
        self.phrase("if", node.value, end)
        if node.otherwise is not None:
            self.phrase("else", node.otherwise, node.value.span.end)
        elif node.nothing:
            self.page.put(" else")
            self.page.comments(node.span.end - len("none"))
            self.page.put(" none")

    def _pick(self, node: tree.Pick, tail: int) -> None:
        self.page.put(node.name)
        self.brackets(items(node), tail)

    def _group(self, node: tree.Group, _tail: int) -> None:
        self._indented("[", "]", node.span.start + 1, node.span.end, lambda base: self._contents(node.chain, base))

    def _collected(self, node: tree.Collected, _tail: int) -> None:
        chain = self.flat.collected(node)
        self._indented("(", ")", node.span.start + 1, node.span.end, lambda base: self._contents(chain, base))

    def _merge(self, node: tree.Merge, _tail: int) -> None:
        page, end = self.page, node.name_span.end
        page.put(node.name)
        if node.arguments is not None:
            arguments = self.flat.arguments(node.arguments, end)
            self.brackets(arguments, 1)
            end = arguments.end
        self._indented("{", "}", end, node.span.end, lambda base: self._branches(node, base))

    def _indented(self, opener: str, closer: str, start: int, end: int, contents: Callable[[int], None]) -> None:
        page, outer = self.page, self.page.indent
        base = page.open(opener, start)
        contents(base)
        page.indent = base + INDENT
        page.close(closer, base, end - 1)
        page.indent = outer

    def _contents(self, branch: tree.Node, base: int) -> None:
        self.page.comments(branch.span.start)
        self.page.break_line()
        self._branch(branch, base)

    def _branch(self, branch: tree.Node, base: int) -> None:
        if isinstance(branch, tree.Chain):
            self.chain(branch.elements, base + INDENT)
        else:
            self.emit(branch)

    def _branches(self, node: tree.Merge, base: int) -> None:
        page, branches = self.page, self.flat.branches(node)
        self._contents(branches[0], base)
        for before, branch in pairwise(branches):
            page.indent = base + INDENT
            page.gap(before.span.end, branch.span.start)
            # The bar stands in the margin, so that all branches begin at one column.
            page.indent = base
            page.break_line()
            page.put("| ")
            page.margin = base + INDENT
            self._branch(branch, base)
