"""Elements of a program as the language has them; line breaks and spaces are the printer's."""

from __future__ import annotations

from typing import Any

from cnndsl.importing.structure.blocks.tables import table
from cnndsl.importing.structure.elements import (
    Block,
    Call,
    Chain,
    Choice,
    Cut,
    Each,
    Element,
    Expression,
    Group,
    Layer,
    Merge,
    Number,
    Repeat,
    Shared,
    Tensors,
    Use,
    Word,
)
from cnndsl.importing.structure.words import followed_by, number
from cnndsl.ir.op import find

_POSITIONAL = {
    "channels",
    "stride",
    "scale",
    "units",
    "p",
    "groups",
    "size",
    "slope",
    "alpha",
    "r",
    "heads",
    "start",
    "stop",
    "h",
    "w",
}


class Spelling:
    """Writes elements. `blocks` are the program's blocks by name, `defaults` the arguments that words have in it."""

    def __init__(self, blocks: dict[str, Block], defaults: dict[str, dict[str, Any]]) -> None:
        self.blocks = blocks
        self.defaults = defaults

    def chain(self, chain: Chain) -> str:
        return " → ".join(self.element(element) for element in chain) or "id"

    def element(self, element: Element) -> str:
        label = f"{element.label}: " if element.label else ""
        tap = f" as {element.tap}{'[]' if element.gathers else ''}" if element.tap else ""
        return f"{label}{self.primary(element)}{tap}"

    def primary(self, element: Element) -> str:
        if isinstance(element, Layer):
            return self.layer(element.word)
        if isinstance(element, Use | Shared):
            return element.name
        if isinstance(element, Number):
            return self.value(element.value, "")
        if isinstance(element, Each):
            return f"({self.each(element)})"
        if isinstance(element, Cut):
            return f"Split({len(element.names)}) as ({', '.join(element.names)})"
        if isinstance(element, Tensors):
            return f"({', '.join(element.names)})"
        if isinstance(element, Group):
            return f"[{self.chain(element.body)}]"
        if isinstance(element, Merge):
            branches = " | ".join(
                self.each(branch[0]) if isinstance(branch[0], Each) else self.chain(branch)
                for branch in element.branches
            )
            return f"{self.layer(element.word)}{{ {branches} }}"
        if isinstance(element, Call):
            return self.call(element)
        if isinstance(element, Choice):
            return self.choice(element)
        assert isinstance(element, Repeat), element
        return self.repeat(element)

    def each(self, element: Each) -> str:
        body = self.chain(element.body)
        if element.start is None:
            return f"{body} for {element.variable} in {element.over}"
        start = f", {element.start}" if element.start else ""
        return f"{body} for i, {element.variable} in enumerate({element.over}{start})"

    def choice(self, element: Choice) -> str:
        assert isinstance(element.condition, Expression)
        otherwise = f" else {element.otherwise}" if element.otherwise else ""
        return f"{self.one(element.body)} if {element.condition.text}{otherwise}"

    def one(self, chain: Chain) -> str:
        """A chain as one primary, in brackets where it has several elements or dress of its own."""
        if len(chain) == 1 and not isinstance(chain[0], Choice | Repeat) and not chain[0].tap:
            return self.element(chain[0])
        return f"[{self.chain(chain)}]"

    def repeat(self, element: Repeat) -> str:
        body = self.one(element.body)
        if element.span is not None:
            end = element.span[1] if element.count is None else element.count
            return f"{body} for i in {element.span[0]}..{self.value(end, 'count')}"
        if element.rows:
            if (run := _run(element.rows)) is not None:
                return f"{body} for {element.names[0]} in {run}"
            rows = ", ".join(self.row(row, element.names) for row in element.rows)
            return f"{body} for {', '.join(element.names)} in [{rows}]"
        if element.body[0].label and len(element.body) == 1:
            body = f"[{self.chain(element.body)}]"
        return f"{body}×{self.value(element.count, 'count')}"

    def row(self, row: tuple[Any, ...], names: tuple[str, ...]) -> str:
        values = [self.given(v, n) for v, n in zip(row, names, strict=True)]
        return values[0] if len(values) == 1 else f"({', '.join(values)})"

    def call(self, element: Call) -> str:
        block = self.blocks[element.block]
        given = dict(element.arguments)
        parts: list[str] = []
        in_order = True
        for parameter in block.parameters:
            value = given[parameter.name]
            text = self.given(value, parameter.name)
            in_order = in_order and (parameter.required or text == parameter.name)
            if in_order:
                parts.append(text)
            elif value != parameter.default or type(value) is not type(parameter.default):
                parts.append(f"{parameter.name}={text}")
        return f"{element.block}({', '.join(parts)})" if parts else element.block

    def layer(self, word: Any) -> str:
        if isinstance(word, Expression):
            return word.text
        assert isinstance(word, Word)
        name, arguments = self.written(word)
        parts: list[str] = []
        order = [n for n in _fields(word.name) if n in arguments]
        keyword = False
        op = find(word.name)
        if op is not None and op.variadic and order[:1] == [next(iter(op.model_fields))]:
            axes = arguments[order.pop(0)]
            parts = [self.value(item, "axis") for item in (axes if isinstance(axes, tuple) else (axes,))]
        for index, argument in enumerate(order):
            value = self.value(arguments[argument], argument)
            fields = [n for n in _fields(word.name) if n != "window"]
            in_place = index < 2 and index < len(fields) and fields[index] == argument and argument in _POSITIONAL
            plain = in_place and not keyword and not (index == 1 and argument == "stride" and word.name == "Conv")
            keyword = keyword or not plain
            parts.append(value if plain else f"{argument}={value}")
        return f"{name}({', '.join(parts)})" if parts else name

    def written(self, word: Word) -> tuple[str, dict[str, Any]]:
        """The word with its window, and the arguments that the defaults in force do not say."""
        arguments = dict(word.arguments)
        if word.same and isinstance(arguments.get("channels"), int | Expression):
            arguments.pop("channels", None)
        preset = self.defaults.get(word.name, self.defaults.get(followed_by(word.name) or "", {}))
        fields = find(word.name)
        for name, value in preset.items():
            if fields is None or name not in fields.model_fields:
                continue
            if name not in arguments:
                arguments[name] = fields.model_fields[name].default
            elif arguments[name] == value:
                del arguments[name]
        window = arguments.get("window")
        name = word.name
        op = find(word.name)
        if op is not None and op.takes_window:
            if window is None and "window" in arguments:
                del arguments["window"]
            if isinstance(window, int | tuple):
                sizes = window if isinstance(window, tuple) else (window,) * max(word.rank, 1)
                name = f"{word.name}{'x'.join(map(str, sizes))}"
                arguments.pop("window")
        return name, arguments

    def given(self, value: Any, name: str) -> str:
        """What a parameter is: words of a layer's arguments, such as `same`, are texts outside of it."""
        return self.value(value, "" if isinstance(value, str) else name)

    def value(self, value: Any, argument: str) -> str:
        if isinstance(value, Expression):
            return value.text
        if isinstance(value, Word):
            return self.layer(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return number(value)
        if isinstance(value, str):
            return value if argument else f'"{value}"'
        if value is None:
            return "id"
        if isinstance(value, tuple):
            if (rule := table(value)) is not None:
                return rule
            items = ", ".join(self.value(item, argument) for item in value)
            return f"({items},)" if len(value) == 1 else f"({items})"
        return str(value)


def _run(rows: tuple[tuple[Any, ...], ...]) -> str | None:
    """`drops[2..5]` for rows that are these, one after the other."""
    texts = [row[0].text for row in rows if len(row) == 1 and isinstance(row[0], Expression)]
    places = [int(text[6:-1]) for text in texts if text.startswith("drops[")]
    if len(places) != len(rows) or places != list(range(places[0], places[0] + len(places))):
        return None
    return f"drops[{places[0]}..{places[-1]}]"


def _fields(word: str) -> list[str]:
    op = find(word)
    return list(op.model_fields) if op is not None else []
