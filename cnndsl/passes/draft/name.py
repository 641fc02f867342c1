"""The names of weights: scopes as the program opens them, positions as `nn.Sequential` counts them, then the graph.

While a program is expanded, every layer takes a place in a tree of scopes; only when all of them are known can it be
said which positions are also somebody's label. `close` then names everything and makes the graph.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Literal

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label
from cnndsl.diagnostics.source import Span
from cnndsl.ir.graph import Frame, Graph, Input, Node, Output
from cnndsl.passes.draft.flow import Draft, Entrance, Wire


@dataclass(eq=False, slots=True)
class Names:
    """A scope or a layer in the tree of names. A layer has a `draft`; a floating one (a merge) takes no position."""

    parent: Names | None = None
    label: str | None = None
    position: int | None = None
    draft: Draft | None = None
    children: list[Names] = field(default_factory=list)
    scopes: dict[str | int, Names] = field(default_factory=dict)
    positions: int = 0
    path: str = ""
    reserved: bool = False
    """Whether a share has taken this place and its first use has not filled it yet."""

    def take_position(self) -> int:
        self.positions += 1
        return self.positions - 1

    def scope(self, key: str | int) -> Names:
        """The scope of a label, or of a position; a dotted label descends. One label opened twice is one scope."""
        here = self
        for part in key.split(".") if isinstance(key, str) else [key]:
            if part not in here.scopes:
                label, position = (part, None) if isinstance(part, str) else (None, part)
                here.scopes[part] = child = Names(here, label, position)
                here.children.append(child)
            here = here.scopes[part]
        return here

    def layer(self, draft: Draft, key: str | int | None) -> None:
        """Gives a layer its label or position, or neither."""
        here, last = self, key
        if isinstance(key, str):
            *descent, last = key.split(".")
            for part in descent:
                here = here.scope(part)
        label, position = (last, None) if isinstance(last, str) else (None, last)
        place = here.scopes.get(last) if last is not None else None
        if place is not None and place.reserved:
            place.draft, place.reserved = draft, False
        else:
            here.children.append(Names(here, label, position, draft))

    def walk(self) -> Iterable[Names]:
        """Everything below in reading order, a scope's own tensors before its children's."""
        pending = list(reversed(self._ordered()))
        while pending:
            here = pending.pop()
            yield here
            pending.extend(reversed(here._ordered()))

    def _ordered(self) -> list[Names]:
        return sorted(self.children, key=_rank)


def _rank(child: Names) -> int:
    """A scope's own trained tensors come first, then those kept beside them, then its layers and scopes."""
    op = None if child.draft is None else child.draft.op
    return 2 if op is None or not op.one_tensor else int(op.buffer)


@dataclass(eq=False, slots=True)
class FrameDraft:
    """A frame in the making: its name follows from its scope."""

    kind: Literal["block", "group", "repeat", "round"]
    title: str
    span: Span
    round: int = 0
    rounds: int = 1
    parent: int | None = None
    names: Names | None = None
    arguments: dict[str, bool | int | float | str] = field(default_factory=dict)


def _settle(scope: Names, taken_at_root: set[str]) -> None:
    """Gives each child its own part of the name."""
    labels = {child.label for child in scope.children if child.label is not None}
    weighty = {child.label for child in scope.children if child.label is not None and not _weightless(child)}
    given = set(taken_at_root)
    given |= {str(child.position) for child in scope.children if child.position is not None and not _weightless(child)}
    given |= weighty
    for child in scope.children:
        word = child.draft.op.word.lower() if child.draft else ""
        if not _weightless(child):
            part = child.label if child.label is not None else str(child.position)
        elif child.label is not None:
            part = free(child.label, given)
        elif child.position is not None:
            here = str(child.position)
            part = free(f"{word}_{here}", given) if here in labels else free(here, given)
        else:
            part = free(word, given | labels)
        given.add(part)
        child.path = f"{scope.path}.{part}" if scope.path else part


def _weightless(child: Names) -> bool:
    return child.draft is not None and not child.draft.weighted


def free(wanted: str, taken: Container[str]) -> str:
    """The name, or with a number behind it the first that is not taken."""
    if wanted not in taken:
        return wanted
    count = 1
    while f"{wanted}_{count}" in taken:
        count += 1
    return f"{wanted}_{count}"


def close(
    name: str,
    root: Names,
    entrances: list[Wire],
    drafts: list[Draft],
    outputs: list[tuple[str | None, Wire, bool]],
    frames: list[FrameDraft],
    sources: dict[str, str],
    told: list[Diagnostic] | None = None,
) -> Graph:
    """The graph of what was expanded. Raises `duplicate-name` for two weights of one name; with `told`, the error is put
    there and the second one gets a name of its own."""
    _settle(root, {entrance.source.name for entrance in entrances if isinstance(entrance.source, Entrance)})
    modules: list[Draft] = []
    seen: dict[str, Draft] = {}
    wrong: list[Diagnostic] = []
    for names in root.walk():
        if names.draft is None:
            _settle(names, set())
            continue
        draft = names.draft
        draft.name = names.path
        if draft.name in seen:
            wrong.append(_duplicate(draft.name, seen[draft.name].span, draft.span))
            if told is not None:
                draft.name = free(draft.name, seen)
        seen[draft.name] = draft
        if names.label is not None or names.position is not None:
            modules.append(draft)
    if told is not None:
        told += wrong
    elif wrong:
        raise CnnError(wrong)
    for draft in drafts:
        if draft.shared_with is not None:
            draft.shared_with.uses += 1
            draft.name = f"{draft.shared_with.name}@{draft.shared_with.uses + 1}"
    for entrance in entrances:
        if entrance.source.name in seen:
            entrance.source.name += "_"
    return Graph(
        name=name,
        inputs=tuple(Input(name=wire.source.name, type=wire.type) for wire in entrances),
        nodes=tuple(_node(draft) for draft in drafts),
        outputs=_outputs(outputs),
        modules=tuple(draft.name for draft in modules),
        frames=tuple(_frame(draft) for draft in frames),
        sources=sources,
    )


def _node(draft: Draft) -> Node:
    return Node(
        name=draft.name,
        op=draft.op,
        inputs=tuple(wire.source.name for wire in draft.inputs),
        type=draft.type,
        weights_of=draft.shared_with.name if draft.shared_with else draft.name,
        frame=draft.frame,
        place=draft.span.place,
    )


def _frame(draft: FrameDraft) -> Frame:
    return Frame(
        parent=draft.parent,
        kind=draft.kind,
        title=draft.title,
        name=draft.names.path if draft.names else "",
        round=draft.round,
        rounds=draft.rounds,
        place=draft.span.place,
        arguments=draft.arguments,
    )


def _outputs(outputs: list[tuple[str | None, Wire, bool]]) -> tuple[Output, ...]:
    made = []
    taken: set[str] = set()
    for given, wire, training in outputs:
        name = free(given or wire.source.name, taken)
        taken.add(name)
        made.append(Output(name=name, node=wire.source.name, training=training))
    return tuple(made)


def _duplicate(name: str, first: Span, second: Span) -> Diagnostic:
    return Diagnostic(
        "duplicate-name",
        f"two layers with weights are called `{name}`",
        (Label(second, "the second one"), Label(first, "the first one")),
        help="give one of them another label",
    )
