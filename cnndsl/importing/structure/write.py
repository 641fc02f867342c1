"""The program's text: elements written as the language has them; line breaks and spaces are the printer's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from cnndsl.diagnostics.source import Source
from cnndsl.importing.structure.elements import (
    Block,
    Call,
    Chain,
    Group,
    Line,
    Output,
    Program,
    Repeat,
    Tensors,
    Use,
)
from cnndsl.importing.structure.levels import is_tuple
from cnndsl.importing.structure.spelling import Spelling
from cnndsl.importing.structure.taps import Names, is_name
from cnndsl.importing.structure.words import defaults_of, number
from cnndsl.importing.trace import UNREAD
from cnndsl.ir.tensor import TensorType
from cnndsl.syntax.printer import format_text


def write(program: Program, head: str = "") -> str:
    """The program's canonical text; `head` is a comment above it."""
    return format_text(Source("imported.cnn", _Writer(program).text(head)))


class _Writer(Spelling):
    def __init__(self, program: Program) -> None:
        self.program = program
        super().__init__({block.name: block for block in program.blocks}, defaults_of(program))
        self.gives: dict[str, Sequence[str]] = {}
        self.takes: dict[str, tuple[str, ...]] = {}
        self.bodies: dict[str, Chain] = {}
        self.named_blocks()

    def text(self, head: str) -> str:
        parts = [f"# {line}" for line in head.splitlines()]
        if self.defaults:
            presets = []
            for word, arguments in self.defaults.items():
                given = ", ".join(f"{name}={self.value(v, name)}" for name, v in arguments.items())
                presets.append(f"{word}({given})")
            parts += ["", f"default {', '.join(presets)}"]
        for block in self.program.blocks:
            parts += ["", self.block(block)]
        parts.append("")
        single = len(self.program.inputs) == 1
        for name, type in self.program.inputs:
            parts.append(f"input {_input(name, type, single)}")
        parts.append("")
        if self.program.drops is not None:
            most, count = self.program.drops
            parts += [f"let drops = linspace(0, {number(most)}, {count})", ""]
        wanted = dict(reversed([(value, label) for label, value in self.program.outputs]))
        last = self.program.body[-1]
        several = isinstance(last, Output)
        names = Names({n for n, _ in self.program.inputs}, wanted if several else {}, self.gives)
        body = names.body(self.program.body)
        if isinstance(last, Output):
            body = self.each_once(body, names)
        parts.append(self.body(body))
        return "\n".join(parts) + "\n"

    def each_once(self, body: Chain, names: Names) -> Chain:
        """The body with a line for each output whose tensor is an input, or another output, too."""
        *rest, last = body
        assert isinstance(last, Output)
        leaving: list[str] = []
        for (label, _), name in zip(self.program.outputs, last.names, strict=True):
            if name in leaving or name == "in" or name in {n for n, _ in self.program.inputs}:
                alias = names.free(label if is_name(label) else "out")
                rest.append(Line(names=(alias,), body=(Use(name=name),)))
                name = alias
            leaving.append(name)
        read = [name for (label, _), name in zip(self.program.outputs, leaving, strict=True) if label != UNREAD]
        return (*rest, replace(last, names=tuple(read)))

    def named_blocks(self) -> None:
        """Gives the tensors of each block their names: its results first, then what enters it, which is called as where it is
        first called."""
        for block in self.program.blocks:
            names = Names((), None, self.gives)
            names.taken |= {p.name for p in block.parameters}
            body = names.body(block.body)
            if isinstance(body[-1], Output):
                self.gives[block.name] = body[-1].names
            self.bodies[block.name] = body
        called: dict[str, tuple[str, ...]] = {}
        top = Names({n for n, _ in self.program.inputs}, None, self.gives).body(self.program.body)
        self.entering(top, called)
        for block in reversed(self.program.blocks):
            if block.takes:
                names = Names({p.name for p in block.parameters}, None, self.gives)
                hints = called.get(block.name, ())
                if is_tuple(block.takes[0]):
                    takes: tuple[str, ...] = (f"{names.known(block.takes[0], 'levels')}[]",)
                else:
                    takes = tuple(
                        names.known(n, h) for n, h in zip(block.takes, hints or _levels(block.takes), strict=True)
                    )
                self.takes[block.name] = takes
                self.bodies[block.name] = names.body(block.body)
            self.entering(self.bodies[block.name], called)

    def entering(self, body: Chain, called: dict[str, tuple[str, ...]]) -> None:
        """Notes what enters the blocks that are called with several tensors."""
        for line in (*(e.body for e in body if isinstance(e, Line)), body):
            for first, call in pairwise(line):
                if isinstance(first, Tensors) and isinstance(call, Call):
                    called.setdefault(call.block, first.names)

    def block(self, block: Block) -> str:
        parameters = [p.name if p.required else f"{p.name}={self.given(p.default, p.name)}" for p in block.parameters]
        given = f"({', '.join(parameters)})" if parameters else ""
        takes = f" takes {', '.join(self.takes[block.name])}" if block.takes else ""
        return f"block {block.name}{given}{takes} {{\n{self.body(self.bodies[block.name])}\n}}"

    def body(self, body: Chain) -> str:
        """Statements in lines of their own."""
        lines = [self.line(e) for e in body if isinstance(e, Line)]
        rest = tuple(e for e in body if not isinstance(e, Line | Output))
        if rest or not lines:
            lines.append(self.chain(rest))
        return "\n".join([*lines, *(self.output(e) for e in body if isinstance(e, Output))])

    def line(self, line: Line) -> str:
        if line.share:
            (first,) = line.body
            (name,) = line.names
            label = "" if first.label == name else f"{first.label}: "
            plain = isinstance(first, Group) and len(first.body) == 1 and isinstance(first.body[0], Repeat)
            shared = self.chain(first.body) if plain else self.element(replace(first, label="", tap=""))  # type: ignore[attr-defined]
            return f"share {label}{name} = {shared}"
        target = line.names[0] if len(line.names) == 1 else f"({', '.join(line.names)})"
        return f"{target} = {self.chain(line.body)}"

    def output(self, output: Output) -> str:
        used = len(output.names) - output.training
        return "output " + ", ".join(n if i < used else f"{n} if training" for i, n in enumerate(output.names))


def _levels(takes: tuple[str, ...]) -> list[str]:
    """Names for what enters a block, where those who call it have none."""
    return [f"level{n + 1}" for n in range(len(takes))]


def _input(name: str, type: TensorType, single: bool) -> str:
    shape = "×".join(map(str, type.shape))
    dtype = "" if type.dtype == "float32" else f" of {type.dtype}"
    tokens = "tokens " if type.kind == "tokens" else ""
    usual = single and name in (
        "x",
        "input",
        "input_",
        "input_1",
        "tensors_0",
        "args_0",
        "image",
        "img",
        "images",
        "pixel_values",
    )
    return f"{'' if usual else f'{name}: '}{tokens}{shape}{dtype}"
