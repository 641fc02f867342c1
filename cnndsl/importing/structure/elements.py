"""A program in the making: chains of elements, before it is text. Values are never changed, always replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cnndsl.ir.tensor import TensorType

Chain = tuple["Element", ...]


@dataclass(frozen=True)
class Expression:
    """A value written with names: `4 × channels`. `loose` where it wants brackets beside another operator."""

    text: str
    loose: bool = False


@dataclass(frozen=True)
class Vector:
    """An argument while several instances of a block are compared: its value in each, None where it is not there."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Word:
    """A layer as it is written: its word, how many axes its window has, and its arguments in order. Those at their
    defaults are left out; `channels` always stands here, and `same` says that as many come in."""

    name: str
    rank: int = 0
    arguments: tuple[tuple[str, Any], ...] = ()
    same: bool = False

    def get(self, name: str) -> Any:
        return dict(self.arguments).get(name)

    def with_arguments(self, arguments: dict[str, Any]) -> Word:
        return replace(self, arguments=tuple(arguments.items()))


@dataclass(frozen=True, kw_only=True)
class Element:
    """One step of a chain. `entering` and `leaving` are the tensors at its two ends."""

    label: str = ""
    tap: str = ""
    gathers: bool = False
    """Whether the tap is a tuple, to which each round adds a tensor."""
    called: str = field(default="", compare=False, repr=False)
    """The label that it had before its position said the same."""
    entering: TensorType | None = field(default=None, compare=False, repr=False)
    leaving: TensorType | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Layer(Element):
    word: Word | Vector | Expression
    weighty: bool = False
    """Whether it has weights, which its label then names."""


@dataclass(frozen=True, kw_only=True)
class Use(Element):
    """A tensor by its name; `id` is the one that arrives."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Number(Element):
    """A branch of a merge that is a number."""

    value: Any


@dataclass(frozen=True, kw_only=True)
class Tensors(Element):
    """Several tensors by their names, with which a line begins: `(c3, c4) → …`."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Cut(Element):
    """The equal parts of what arrives, by name: `Split(2) as (a, b)`."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Shared(Element):
    """A use of layers that the body shares, by the name of the share."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Group(Element):
    """A labelled bracket; `kind` is the class of the module that it was, "" for brackets of ours.

    One with several tensors at either end, or with lines inside, can be written as a block alone. `takes` are the names that
    those that enter have inside, when there are several.
    """

    body: Chain
    kind: str = ""
    takes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Line(Element):
    """A statement of a body: `a = chain`, `(a, b) = chain`, or with `share`, `share a = element`."""

    names: tuple[str, ...]
    body: Chain
    share: bool = False


@dataclass(frozen=True, kw_only=True)
class Output(Element):
    """The statement that ends a body with several results. The last ones may be there in training only."""

    names: tuple[str, ...]
    training: int = 0


@dataclass(frozen=True, kw_only=True)
class Merge(Element):
    word: Word
    branches: tuple[Chain, ...]


@dataclass(frozen=True, kw_only=True)
class Call(Element):
    """A block called with arguments by name."""

    block: str
    arguments: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Repeat(Element):
    """`[…]×count`, or with `names`, `… for names in values`, where `values` is written text or rows."""

    body: Chain
    count: Any = None
    names: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    span: tuple[int, int] | None = None
    """For labels that count: the first and the last number."""


@dataclass(frozen=True, kw_only=True)
class Each(Element):
    """A chain for each tensor of a tuple, which has the tuple's name: alone a tuple, in a merge a branch for each."""

    body: Chain
    variable: str
    over: str
    start: int | None = None
    """Where labels count: from which number."""


@dataclass(frozen=True, kw_only=True)
class Choice(Element):
    """What is there only if; `otherwise` is "", `id` or `none`."""

    body: Chain
    condition: Vector | Expression
    otherwise: str = ""


@dataclass(frozen=True)
class Parameter:
    """A block's parameter: its name, and its default where it has one."""

    name: str
    default: Any = None
    required: bool = True
    role: str = ""
    """The argument that it becomes: widths are compared with widths."""


@dataclass(frozen=True)
class Block:
    """A definition."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Chain
    takes: tuple[str, ...] = ()
    """The names of what enters, when that is several tensors; `levels[]` alone for as many as arrive."""


@dataclass(frozen=True)
class Program:
    """A whole network: its blocks in the order of their definition, and its body."""

    inputs: tuple[tuple[str, TensorType], ...]
    body: Chain
    outputs: tuple[tuple[str, str], ...]
    """Each with its name and the tensor that it is."""
    blocks: tuple[Block, ...] = ()
    drops: tuple[float, int] | None = None
    """`linspace(0, p, n)` of the shares that `DropPath`s silence, where they are one."""


ID = Use(name="id")


def inner(element: Element) -> tuple[Chain, ...]:
    """The chains inside of an element."""
    if isinstance(element, Merge):
        return element.branches
    return (element.body,) if isinstance(element, Group | Repeat | Choice | Line | Each) else ()


def with_inner(element: Element, change: Callable[[Chain], Chain]) -> Element:
    """The same element, each chain inside changed."""
    if isinstance(element, Merge):
        return replace(element, branches=tuple(map(change, element.branches)))
    if isinstance(element, Group | Repeat | Choice | Line | Each):
        return replace(element, body=change(element.body))
    return element


def everything(chain: Chain) -> Iterator[Element]:
    """All elements, outer ones first."""
    for element in chain:
        yield element
        for deeper in inner(element):
            yield from everything(deeper)


def has_tap(chain: Chain) -> bool:
    """Whether a tensor is named or used by its name anywhere inside."""
    return any(
        e.tap or (isinstance(e, Use) and e.name != "id") or isinstance(e, Tensors | Cut) for e in everything(chain)
    )


def has_lines(chain: Chain) -> bool:
    """Whether a body has statements of its own, and so cannot stand in a chain."""
    return any(isinstance(e, Line | Output) for e in chain)


def local_names(group: Group) -> Group:
    """The same with names of tensors and shares counted from 1 in each instance, so that they can be compared."""
    names = {name: f"a{n + 1}" for n, name in enumerate(group.takes)}

    def own(name: str) -> str:
        return names.setdefault(name, f"a{len(names) + 1}")

    def change(here: Chain) -> Chain:
        done = []
        for element in here:
            element = with_inner(element, change)
            if isinstance(element, Use | Shared) and element.name in names:
                element = replace(element, name=names[element.name])
            if isinstance(element, Tensors | Output):
                element = replace(element, names=tuple(names.get(name, name) for name in element.names))
            if isinstance(element, Cut):
                element = replace(element, names=tuple(own(name) for name in element.names))
            if isinstance(element, Line):
                element = replace(element, names=tuple(own(name) for name in element.names))
            if element.tap:
                element = replace(element, tap=own(element.tap))
            done.append(element)
        return tuple(done)

    takes = tuple(names[name] for name in group.takes)
    return replace(group, body=change(group.body), takes=takes)
