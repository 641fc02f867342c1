"""Random programs: every statement, every form of a chain, every value, in any layout and with comments anywhere."""

from __future__ import annotations

from functools import cache
from random import Random

from hypothesis import strategies as st
from lark import Lark

from cnndsl.disk.shelf import read_data
from cnndsl.syntax.parser import OPTIONS

NAMES = ("a", "b", "c3", "width", "Conv3x3", "BN", "ReLU", "Unit", "plan", "x", "_n", "DWConv", "tokens2", "iffy")
OR, AND, NOT, COMPARISON, RANGE, SUM, PRODUCT, MINUS, POWER, POSTFIX = range(1, 11)
OPERATORS = {
    OR: ("or",),
    AND: ("and",),
    COMPARISON: ("==", "≠", "!=", "<=", "≥", "<", ">"),
    SUM: ("+", "-"),
    PRODUCT: ("×", "*", "/", "//", "%"),
}
NUMBERS = ("1", "64", "0.5", "1e-3", "1_000", "12M", "1.8G", "3K", "0", "1.50", "7E+2")
STRINGS = ('""', '"plain"', r'"a \"quoted\" \\ word"', '"# no comment → × é"', '"[("')
LABELS = ("conv1:", "1:", "convs.0:", "{i}:", "block{i + 1}-{j}:", "if:", "stage{a.size}.unit :", "a-b_c:")


class Programs:
    """Writes random text that the grammar reads. `size` bounds how much; spaces are single."""

    def __init__(self, random: Random, size: int) -> None:
        self.random = random
        self.left = size
        self.depth = 0

    def chance(self, odds: float) -> bool:
        return self.random.random() < odds

    def some(self, least: int, most: int) -> range:
        """How often something comes: seldom many, and the least once the text is long enough."""
        self.left -= 1
        count = least if self.left <= 0 else min(most, least + int(self.random.expovariate(0.9)))
        return range(count)

    def name(self) -> str:
        return self.random.choice(NAMES)

    # -- values

    def value(self, least: int = 0) -> str:
        """A value whose outermost operator binds at least as tightly as `least`; 0 is `… if … else …`."""
        self.left -= 1
        self.depth += 1
        simple = self.left <= 0 or self.depth > 40 or self.chance(0.6)
        kind = POSTFIX if simple else self.random.randint(least, POSTFIX)
        text = self.operation(kind)
        self.depth -= 1
        return text

    def operation(self, kind: int) -> str:
        match kind:
            case 0:
                return f"{self.value(OR)} if {self.value(OR)} else {self.value()}"
            case 3:
                return f"not {self.value(NOT)}"
            case 5:
                return f"{self.value(SUM)} .. {self.value(SUM)}"
            case 8:
                return f"- {self.value(MINUS)}"
            case 9:
                return f"{self.postfix()} ** {self.value(MINUS)}"
            case 10:
                return self.postfix()
        inner = RANGE if kind == COMPARISON else kind + 1
        text = self.value(inner)
        for _ in self.some(1, 4):
            text += f" {self.random.choice(OPERATORS[kind])} {self.value(inner)}"
        return text

    def postfix(self) -> str:
        text = self.atom()
        while self.chance(0.12):
            if self.chance(0.5):
                text += f".{self.name()}"
            elif text[-1] in "0123456789_)]bx" and self.depth < 40:
                text += f"[{self.position()}]"
        return text

    def position(self) -> str:
        return f"{self.value(SUM)} .." if self.chance(0.15) else self.value()

    def atom(self) -> str:
        if self.left <= 0 or self.depth > 40 or self.chance(0.6):
            words = (*NAMES, *NUMBERS, *NUMBERS, *STRINGS, "true", "false", "none", "in", "id", "output")
            return self.random.choice(words)
        match self.random.randrange(7):
            case 0:
                return f"({self.value()})"
            case 1:
                return f"({self.value()}, {self.values()})" if self.chance(0.7) else f"({self.value()},)"
            case 2:
                return f"[{self.values()}]" if self.chance(0.8) else "[]"
            case 3:
                condition = f" if {self.value(OR)}" if self.chance(0.4) else ""
                return f"[{self.value()} for {self.targets()} in {self.value(OR)}{condition}]"
            case _:
                return f"{self.name()}{self.arguments()}"

    def values(self) -> str:
        return ", ".join(self.value() for _ in self.some(1, 6)) + ("," if self.chance(0.2) else "")

    def targets(self) -> str:
        names = [f"({self.targets()})" if self.left > 0 and self.chance(0.15) else self.name() for _ in self.some(1, 3)]
        return ", ".join(names)

    def arguments(self) -> str:
        written = [f"{self.name()}={self.value()}" if self.chance(0.4) else self.value() for _ in self.some(0, 5)]
        return f"({', '.join(written)}{',' if written and self.chance(0.1) else ''})"

    # -- chains

    def chain(self) -> str:
        self.depth += 1
        text = " → ".join(self.element() for _ in self.some(1, 8))
        self.depth -= 1
        return text

    def element(self) -> str:
        text = f"{self.random.choice(LABELS)} " if self.chance(0.2) else ""
        text += self.primary()
        if self.chance(0.12):
            text += f"×{self.postfix()}"
        elif self.chance(0.08):
            text += f" for {self.targets()} in {self.value(OR)}"
        if self.chance(0.1):
            text += f" as {self.tap()}"
        if self.chance(0.12):
            text += f" if {self.value(OR)}"
            if self.chance(0.6):
                text += f" else {'none' if self.chance(0.3) else self.primary()}"
        return text

    def tap(self) -> str:
        if self.chance(0.2):
            return f"({', '.join(self.name() for _ in self.some(2, 4))})"
        return f"{self.name()}[]" if self.chance(0.3) else self.name()

    def branch(self) -> str:
        return self.random.choice(["0.5", "- 3", "1"]) if self.chance(0.1) else self.chain()

    def primary(self) -> str:
        self.left -= 1
        if self.left <= 0 or self.depth > 40 or self.chance(0.45):
            return f"{self.name()}{self.arguments()}" if self.chance(0.5) else self.name()
        match self.random.randrange(7):
            case 6:
                return f"({self.name()} → {self.primary()} for {self.targets()} in {self.value(OR)})"
            case 0 | 1:
                return f"[{self.chain()}]"
            case 2 | 3:
                arguments = self.arguments() if self.chance(0.3) else ""
                branches = " | ".join(self.branch() for _ in self.some(1, 4))
                return f"{self.random.choice(['add', 'cat'])}{arguments}{{ {branches} }}"
            case 4:
                return f"({', '.join(self.reference() for _ in self.some(2, 4))})"
            case _:
                return self.reference()

    def reference(self) -> str:
        return self.random.choice([self.name(), f"{self.name()}[{self.position()}]", "in", "id"])

    # -- statements

    def program(self) -> str:
        return "\n".join(self.statement(2) for _ in self.some(0, 12))

    def body(self, depth: int) -> str:
        return f"{{ {' '.join(f'{self.statement(depth - 1)}' for _ in self.some(0, 5))} }}"

    def parameters(self) -> str:
        if self.chance(0.3):
            return ""
        written = [self.name() + (f"={self.value()}" if self.chance(0.5) else "") for _ in self.some(0, 4)]
        return f"({', '.join(written)})"

    def statement(self, depth: int) -> str:
        kind = self.random.choice([*range(13 if depth else 11), 13])
        several = self.some(1, 4)
        match kind:
            case 0:
                return self.input()
            case 1:
                return "output " + ", ".join(
                    self.reference() + (f" if {self.value(OR)}" if self.chance(0.2) else "") for _ in several
                )
            case 2:
                default = f" = {self.value()}" if self.chance(0.7) else ""
                if default and self.chance(0.3):
                    return f"param {self.name()}{default}"
                return f"param {self.name()}: {self.random.choice(['int', 'float', 'block', 'list'])}{default}"
            case 3:
                return f"let {self.name()} = {self.value()}"
            case 4:
                return "default " + ", ".join(f"{self.name()}{self.arguments()}" for _ in several)
            case 5:
                return f"model {self.name()} = {self.name()}{self.arguments() if self.chance(0.7) else ''}"
            case 6:
                names = ", ".join(self.name() for _ in self.some(2, 4))
                return f"{f'({names})' if self.chance(0.4) else self.name()} = {self.chain()}"
            case 7:
                return f"share {self.name()} = {self.chain()}"
            case 8:
                names = ", ".join(self.name() + (f" as {self.name()}" if self.chance(0.3) else "") for _ in several)
                return f"use {names} from {self.random.choice([self.name(), *STRINGS])}"
            case 9:
                return f"assert {self.value()}"
            case 13:
                return f"fn {self.name()}{self.parameters() or '()'} = {self.value()}"
            case 11:
                takes = f" takes {', '.join(self.name() for _ in several)}" if self.chance(0.3) else ""
                takes += "[]" if takes and self.chance(0.2) else ""
                return f"block {self.name()}{self.parameters()}{takes} {self.body(depth)}"
            case 12:
                return f"model {self.name()}{self.parameters()} {self.body(depth)}"
            case _:
                # A chain that begins with a tuple would be what the statement before it is called with.
                return f"[{self.chain()}] → {self.chain()}"

    def input(self) -> str:
        text = "input " + (f"{self.name()}: " if self.chance(0.4) else "")
        if self.chance(0.2):
            return text + self.random.choice(["3x224x224", "16x16", "1x2x3x4"])
        if self.chance(0.2):
            return text + self.random.choice(["tokens 50×768", "tokens n×c", "tokens (a + 1)×768 of float16"])
        sizes = [self.random.choice(["3", "64", self.name(), f"({self.value()})"]) for _ in self.some(1, 4)]
        return text + "×".join(sizes) + (" of int64" if self.chance(0.2) else "")


@cache
def lexer() -> Lark:
    return Lark(read_data("grammars", "cnn.lark"), **OPTIONS)


def laid_out(text: str, random: Random, breaks: float, comments: float) -> str:
    """The same program with other white space and with comments, wherever the grammar allows them."""
    written = ""
    before, bound = None, False
    for count, token in enumerate(lexer().lex(text)):
        touches = token.type in ("_CALL", "_INDEX")
        if before is not None and not touches:
            # The grammar knows `tokens` by the size behind it, and `of` by its type.
            bound = before.type in ("OF", "FN") or ((bound or before.type == "TOKENS") and before.type != "TIMES")
            if bound:
                written += " "
            elif random.random() < comments:
                written += random.choice([" ", "", "\n", "\n  ", "\n\n", "\t"]) + f"#{random.choice('→ abé#')}{count}"
                written += random.choice(["\n", "  \n", "\r\n", "\n\n\n", "\n    "])
            elif random.random() < breaks:
                written += random.choice(["\n", "\n\n", "\n \n\n", "\r\n\t", "\n      "])
            else:
                written += random.choice([" ", "  ", "\t"])
        written += str(token)
        before = token
    return written + random.choice(["", "\n", "\n\n\n", "  # the end", "\n# the end\n"])


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of a program."""
    random = draw(st.randoms(use_true_random=True))
    text = Programs(random, draw(st.sampled_from([5, 20, 60, 300]))).program()
    return laid_out(text, random, draw(st.sampled_from([0, 0.05, 0.5])), draw(st.sampled_from([0, 0.02, 0.3])))
