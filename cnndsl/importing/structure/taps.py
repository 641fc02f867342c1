"""Names of tensors, shares and outputs that are free in the body that they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from cnndsl.importing.structure.elements import (
    Call,
    Chain,
    Cut,
    Each,
    Element,
    Group,
    Layer,
    Line,
    Output,
    Shared,
    Tensors,
    Use,
    everything,
    with_inner,
)
from cnndsl.importing.structure.levels import is_tuple
from cnndsl.passes.values.functions import FUNCTIONS
from cnndsl.passes.values.visible import is_layer
from cnndsl.syntax.vocabulary import RESERVED


class Names:
    """Names of one body: those of its tensors follow from labels, others are `t1`, `t2` and so on."""

    def __init__(
        self, taken: Iterable[str] = (), wanted: Mapping[str, str] | None = None, gives: Mapping[str, Sequence[str]] | None = None
    ) -> None:  # fmt: skip
        self.taken = set(taken)
        self.wanted = dict(wanted or {})
        """Names that some tensors are to have."""
        self.gives = gives or {}
        """What the results of a block are called inside of it, by the block."""
        self.now: dict[str, str] = {}
        self.loop = ""
        self.around: list[str] = []
        """The labels of the brackets around."""
        self.following = ""
        """What the module before the element at hand is called."""

    def body(self, chain: Chain) -> Chain:
        """The body with its names."""
        labels = [e.label for e in everything(chain) if e.tap or isinstance(e, Line)]
        self.once = {label for label in labels if labels.count(label) == 1}
        for name in self.wanted:
            self.known(name, self.wanted[name])
        return self.chain(chain)

    def known(self, name: str, hint: str) -> str:
        """What a tensor is called from here on."""
        if name not in self.now:
            self.now[name] = self.free(hint)
        return self.now[name]

    def called(self, name: str) -> str:
        """What a tensor or an item of a tuple, `levels[2]`, is called by now."""
        base, bracket, place = name.partition("[")
        return f"{self.now.get(base, base)}{bracket}{place}"

    def free(self, hint: str) -> str:
        """A name that is free, like the hint where that can be one."""
        plain = hint if is_name(hint) else ""
        if plain and plain not in self.taken:
            self.taken.add(plain)
            return plain
        count = 1
        while (name := f"{plain}_{count + 1}" if plain else f"t{count}") in self.taken:
            count += 1
        self.taken.add(name)
        return name

    def chain(self, chain: Chain) -> Chain:
        done: list[Element] = []
        for element in chain:
            self.following = self.module_before(done)
            done.append(self.element(element))
        return tuple(done)

    def module_before(self, chain: list[Element]) -> str:
        """What the tensor of a module is called behind which only layers without names follow, and that nobody else reads."""
        for element in reversed(chain):
            if isinstance(element, Call | Group) and element.label and not element.tap:
                return self.hint(element)
            if not isinstance(element, Layer) or element.tap or element.label:
                break
        return ""

    def element(self, element: Element) -> Element:
        if isinstance(element, Use | Shared):
            element = replace(element, name=self.called(element.name))
        if isinstance(element, Tensors | Output):
            return replace(element, names=tuple(map(self.called, element.names)))
        if isinstance(element, Each):
            over = self.called(element.over)
            # Loops beside each other may count with one name.
            variable = self.now[element.variable] = self.loop = self.loop or self.free("level")
            return replace(element, body=self.chain(element.body), over=over, variable=variable)
        if isinstance(element, Line):
            return self.line(element)
        if isinstance(element, Cut):
            return replace(element, names=tuple(self.known(name, "") for name in element.names))
        following = self.following if isinstance(element, Layer) else ""
        self.around.append(element.label)
        element = with_inner(element, self.chain)
        self.around.pop()
        if element.tap:
            hint = self.hint(element)
            hint = hint if is_name(hint) else following or hint
            if element.gathers:
                hint = f"{element.name if isinstance(element, Shared) else hint or 'level'}_maps"
            return replace(element, tap=self.known(element.tap, hint))
        return element

    def hint(self, element: Element) -> str:
        """What the tensor that an element makes may be called: as its label ends, or the last label in a bracket of ours."""
        if isinstance(element, Group) and not element.kind:
            last = element.body[-1]
            inside = last.label or last.called
            if inside and not inside.rpartition(".")[2].isdigit():
                return _last(inside)
            if inside and len(element.body) > 1 and not element.label.rpartition(".")[2].isdigit():
                return _last(f"{element.label}.{last.label or inside.rpartition('.')[2]}")
        if not element.label:
            return _last(element.called)
        return _last(".".join([*(label for label in self.around if label), element.label]))

    def line(self, line: Line) -> Line:
        body = self.chain(line.body)
        last = body[-1]
        hints: Sequence[str] = [self.hint(last)] * len(line.names)
        if is_tuple(line.names[0]):
            end = last.body[-1] if isinstance(last, Each) else last
            hint = end.name if isinstance(end, Shared) else self.hint(end) if isinstance(last, Each) else ""
            hints = [f"{hint}_maps" if hint else "levels"]
        elif isinstance(last, Call) and len(line.names) > 1:
            given = self.gives.get(last.block, ())
            told = len(given) == len(line.names) and not any(name[0] == "t" and name[1:].isdigit() for name in given)
            hints = given if told else [f"{hint}_{n + 1}" if hint else "" for n, hint in enumerate(hints)]
        if line.share:
            hints = [_last(line.body[0].label)]
        return replace(line, names=tuple(self.known(n, h) for n, h in zip(line.names, hints, strict=True)), body=body)


def _last(label: str) -> str:
    """The last part of a label, with its number behind it: `layers_2` for `layers.2`."""
    parts = label.split(".")
    name = parts.pop()
    while parts and name[:1].isdigit():
        name = f"{parts.pop()}_{name}"
    return name


def is_name(text: str) -> bool:
    """Whether the language can have it for a tensor."""
    plain = text.isascii() and text.isidentifier()
    return plain and text not in RESERVED and text not in FUNCTIONS and not is_layer(text)
