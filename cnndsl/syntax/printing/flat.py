"""What a part of a chain or of a statement reads on one line."""

from __future__ import annotations

from cnndsl.diagnostics.source import Source
from cnndsl.syntax import tree
from cnndsl.syntax.printing.flat_values import FlatValues
from cnndsl.syntax.printing.words import items, label, tap, targets

# As much as the grammar reads of a size behind `tokens`.
_MOST_SIZE = 66


class Flat(FlatValues):
    """Texts of nodes on one line, those of chains and statements too."""

    def __init__(self, source: Source, comments: tuple[tree.Comment, ...]) -> None:
        super().__init__(source, comments)
        self._wholes: dict[int, tree.Chain] = {}
        self.writers |= {
            tree.Chain: self._chain,
            tree.Collected: self._collected,
            tree.Departure: self._departure,
            tree.Element: self._element,
            tree.Group: self._group,
            tree.Imported: lambda node: f"{node.name} as {node.alias}" if node.alias else node.name,
            tree.Invocation: self._call,
            tree.Merge: self._merge,
            tree.Pick: self._pick,
            tree.Tensors: self._bracketed,
            tree.This: lambda node: node.name,
        }

    def branches(self, merge: tree.Merge) -> tuple[tree.Node, ...]:
        """The branches as they are written."""
        chain = merge.branches[0]
        return (
            merge.branches
            if merge.each is None or not isinstance(chain, tree.Chain)
            else (self._whole(chain, merge.each),)
        )

    def collected(self, node: tree.Collected) -> tree.Chain:
        """The chain of a tuple as it is written."""
        return self._whole(node.chain, node.each)

    def _whole(self, chain: tree.Chain, each: tree.Each) -> tree.Chain:
        """The chain with the `for` that makes many of it behind its last element."""
        if id(chain) not in self._wholes:
            *others, last = chain.elements
            whole = tree.Element(last.span, last.label, last.primary, each, last.tap, last.condition)
            self._wholes[id(chain)] = tree.Chain(chain.span, (*others, whole))
        return self._wholes[id(chain)]

    def size(self, node: tree.Node) -> str:
        """The first size behind `tokens`, which the grammar reads only as long as it is short."""
        text = self.write(node)
        return text if text is not None and len(text) <= _MOST_SIZE else node.span.text

    def _pick(self, node: tree.Pick) -> str | None:
        index = self.brackets(items(node))
        return None if index is None else node.name + index

    def _group(self, node: tree.Group) -> str | None:
        chain = node.chain
        if self.broken(node.span.start, chain.span.start) or self.broken(chain.span.end, node.span.end):
            return None
        text = self(chain)
        return None if text is None else f"[{text}]"

    def _collected(self, node: tree.Collected) -> str | None:
        chain = self.collected(node)
        if self.broken(node.span.start, chain.span.start) or self.broken(chain.span.end, node.span.end):
            return None
        text = self(chain)
        return None if text is None else f"({text})"

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
            text += f" as {tap(node.tap)}"
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
