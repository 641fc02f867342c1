"""Names of tensors and outputs that are free in the body that they stand in."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.structure.elements import (
    Chain,
    Choice,
    Element,
    Group,
    Merge,
    Repeat,
    Use,
)
from cnndsl.ir.op import find


class Taps:
    """Names of tensors, told apart within one body."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self.now: dict[str, str] = {}

    def chain(self, chain: Chain) -> Chain:
        return tuple(self.element(element) for element in chain)

    def element(self, element: Element) -> Element:
        if isinstance(element, Use):
            return replace(element, name=self.now.get(element.name, element.name))
        if isinstance(element, Merge):
            element = replace(element, branches=tuple(map(self.chain, element.branches)))
        elif isinstance(element, Group | Repeat | Choice):
            element = replace(element, body=self.chain(element.body))
        if element.tap:
            name = f"t{len(self.taken) + 1}"
            self.taken.add(name)
            self.now[element.tap] = name
            return replace(element, tap=name)
        return element


def free_names(wanted: list[str], taken: set[str]) -> list[str]:
    names: list[str] = []
    for name in wanted:
        plain = name if name.isidentifier() and not name[0].isdigit() else "out"
        while plain in taken or find(plain) is not None or plain in RESERVED:
            plain += "_"
        taken = taken | {plain}
        names.append(plain)
    return names


RESERVED = {
    "use", "param", "let", "default", "block", "takes", "model", "input", "output", "share", "assert", "from", "as",
    "for", "in", "if", "else", "and", "or", "not", "true", "false", "id", "none",
}  # fmt: skip
