"""The text of a `forward`: which steps share a line, and what the values between them are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cnndsl.backends.pytorch.expression import (
    Call,
    Expression,
    Member,
    Operation,
    Value,
    children,
    everywhere,
    substituted,
)
from cnndsl.backends.pytorch.writing.layout import identifier, is_identifier, lines, numbered, text, unused
from cnndsl.backends.pytorch.writing.template import Assignment, Template

NESTED = 3
"""The most calls around each other on one line."""
LONG_LIVED = 5
"""A value that is read more than once, for the last time more than so many lines on, gets a name of its own."""
WIDEST_WRAP, WIDEST_OPERAND = 90, 32


@dataclass
class _Line:
    expression: Expression
    results: tuple[int, ...]
    training: bool
    position: int
    tail: bool = False
    """Whether it runs only in some instances of the class."""


class Forward:
    """The body of a class's `forward`. `inputs` are the arguments' names, `member` says how submodules are called."""

    def __init__(
        self, template: Template, inputs: Sequence[str], member: Callable[[Member], str], *, keep_inputs: bool
    ) -> None:
        self.template = template
        self.member = member
        self.names = dict(enumerate(inputs))
        self.kept = set(inputs) - {"x"} if keep_inputs else set()
        self.wanted: dict[int, str] = {}
        """Names for the values that leave the network under one."""
        self.uses = Counter(value for step in template.steps for value in _values_read(step.expression))
        self.uses.update(template.results)
        self.lines = self._joined()

    def _speak(self, part: Value | Member) -> str:
        return self.member(part) if isinstance(part, Member) else self.names[part.number]

    # -- which steps share a line

    def _joined(self) -> list[_Line]:
        kept_lines: dict[int, _Line] = {}
        by_result: dict[int, int] = {}
        for position, step in enumerate(self.template.steps):
            inlined: dict[int, Expression] = {}
            for value in _values_read(step.expression):
                maker = kept_lines.get(by_result.get(value, -1))
                if maker is not None and maker.tail == self._in_tail(position) and self._fits(maker, step, value):
                    inlined[value] = maker.expression
                    del kept_lines[by_result[value]]
            expression = _with(step.expression, inlined)
            tail = self._in_tail(position)
            kept_lines[position] = _Line(expression, step.results, step.training, position, tail)
            by_result.update(dict.fromkeys(step.results, position))
        return list(kept_lines.values())

    def _in_tail(self, position: int) -> bool:
        return position >= len(self.template.steps) - self.template.tail

    def _fits(self, maker: _Line, step: Assignment, value: int) -> bool:
        if self.uses[value] != 1 or len(maker.results) != 1 or maker.training != step.training:
            return False
        width = len(text(maker.expression, self._rough))
        if step.wraps and isinstance(step.expression, Call):
            return _depth(maker.expression) < NESTED and width <= WIDEST_WRAP
        function = isinstance(step.expression, Operation) or not isinstance(
            getattr(step.expression, "function", None), Member
        )
        return (
            function
            and width <= WIDEST_OPERAND
            and isinstance(maker.expression, Call)
            and _depth(maker.expression) == 1
        )

    def _rough(self, part: Value | Member) -> str:
        return self.member(part) if isinstance(part, Member) else "out"

    # -- names

    def text(self, indent: int, *, outputs: Sequence[tuple[str, int, bool]] | None = None) -> list[str]:
        """The lines. `outputs`, for the whole network, are names, values, and whether only training returns them."""
        last = {value: index for index, line in enumerate(self.lines) for value in _values_read(line.expression)}
        last.update(dict.fromkeys(self.template.results, len(self.lines)))
        written: list[str] = []
        inside = 0
        results = self.template.results
        for index, line in enumerate(self.lines):
            if line.training and not inside:
                written.append(f"{' ' * indent}if self.training:")
                inside = 4
            if line.tail and not inside:
                written.append(f"{' ' * indent}if self.{self.template.flag}:")
                inside = 4
            ends = index == len(self.lines) - 1 and not inside and line.results == results and len(results) == 1
            if ends and (outputs is None or len(outputs) == 1):
                return [*written, *lines("return ", line.expression, "", indent, self._speak)]
            # The names on the right are those before the assignment.
            before = dict(self.names)
            self._assign(index, line, last)
            if line.tail and line.results == results:
                # Under the name of what leaves where the tail does not run.
                assert self.template.early_result is not None
                self.names[results[0]] = before[self.template.early_result]
            after, self.names = self.names, before
            target = ", ".join(after[result] for result in line.results)
            written += lines(f"{target} = ", line.expression, "", indent + inside, self._speak)
            self.names = after
        return [*written, *self._returned(indent, outputs)]

    def _returned(self, indent: int, outputs: Sequence[tuple[str, int, bool]] | None) -> list[str]:
        pad = " " * indent
        if outputs is None:
            return [f"{pad}return {', '.join(self.names[value] for value in self.template.results)}"]
        always = [(name, value) for name, value, training in outputs if not training]
        if len(always) == len(outputs):
            return [f"{pad}return {self._gathered(always)}"]
        everything = [(name, value) for name, value, _ in outputs]
        opened = [] if any(line.training for line in self.lines) else [f"{pad}if self.training:"]
        return [*opened, f"{pad}    return {self._gathered(everything)}", f"{pad}return {self._gathered(always)}"]

    def _gathered(self, outputs: Sequence[tuple[str, int]]) -> str:
        if len(outputs) == 1:
            return self.names[outputs[0][1]]
        return "{" + ", ".join(f'"{name}": {self.names[value]}' for name, value in outputs) + "}"

    def _assign(self, index: int, line: _Line, last: dict[int, int]) -> None:
        read = list(dict.fromkeys(_values_read(line.expression)))
        live = {self.names[v] for v in self.names if last.get(v, -1) > index}
        dying = [self.names[v] for v in read if last[v] == index]
        for result in line.results:
            name = self._name(line, result, index, last, live, dying)
            self.names[result] = name
            live.add(name)

    def _name(
        self, line: _Line, result: int, index: int, last: dict[int, int], live: set[str], dying: list[str]
    ) -> str:
        if self.wanted.get(result, "self") not in live | self.kept | {"self"}:
            return self.wanted[result]
        label = self._label(line.expression)
        tap = self.uses[result] > 1 and last.get(result, index) - index > LONG_LIVED
        if tap or len(line.results) > 1:
            return (
                unused(label, live | self.kept)
                if tap and label
                else numbered("skip" if tap else "part", live | self.kept)
            )
        again = next((name for name in dying if name not in live | self.kept and name in ("x", "out", "y", "z")), None)
        if again:
            return again
        alone = label and result != self.template.early_result and "x" in live and self._read_by_merge(result)
        choices = [label] if alone and label else []
        for name in [*choices, "x", "out", "y", "z"]:
            if name not in live | self.kept:
                return name
        return numbered("v", live | self.kept)

    def _label(self, expression: Expression) -> str | None:
        while isinstance(expression, Call) and isinstance(expression.function, Member):
            path = expression.function.path
            first = expression.arguments[0][1] if expression.arguments else None
            if isinstance(first, Value) or not isinstance(first, Call):
                return identifier(path[0]) if path and is_identifier(path[0]) else None
            expression = first
        return None

    def _read_by_merge(self, result: int) -> bool:
        readers = [line for line in self.lines if result in _values_read(line.expression)]
        return len(readers) == 1 and len(set(_values_read(readers[0].expression))) > 1


def _with(expression: Expression, inlined: dict[int, Expression]) -> Expression:
    return substituted(expression, lambda part: inlined.get(part.number) if isinstance(part, Value) else None)


def _values_read(expression: Expression) -> list[int]:
    """The numbers of the values that an expression reads, in order and as often as it reads them."""
    return [part.number for part in everywhere(expression) if isinstance(part, Value)]


def _depth(expression: Expression) -> int:
    """How many calls stand around each other."""
    inside = max((_depth(part) for part in children(expression)), default=0)
    return inside + isinstance(expression, Call)
