"""What a body of statements is expanded in, and what is known of it so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label, fault
from cnndsl.diagnostics.source import Span
from cnndsl.passes.draft.flow import Flow, Wire
from cnndsl.passes.draft.name import Names
from cnndsl.passes.values.layer_value import Given
from cnndsl.passes.values.place import Place
from cnndsl.passes.values.scope import Scope
from cnndsl.syntax import tree


@dataclass(eq=False)
class Body:
    """A body, or a round or a labelled part of one: its names, its tensors, its place among the names of weights."""

    scope: Scope
    names: Names
    entered: Flow | None
    """What entered the block or model; None while no `input` has been read."""
    settings: dict[str, Given] = field(default_factory=dict)
    """Values for this body's `param` statements, from outside."""
    top: bool = False
    """Whether this is the network's own body, whose inputs and outputs are the graph's."""
    kind: Literal["file", "model", "block"] = "block"
    """What the statements stand in, which says which of them may."""

    awaits: Span | None = None
    """The first `input` statement of this body."""
    gathers: Scope | None = None
    """In a round, the scope that holds the repeat: there `as name[]` gathers."""

    def nothing_entered(self, span: Span) -> CnnError:
        """What is wrong with an element that starts from the input before there is one."""
        if self.awaits is None:
            return fault(
                "missing-input",
                "the network has no input",
                span,
                "this starts from it",
                help="say what comes in first: `input 3×224×224`",
            )
        return CnnError(
            [
                Diagnostic(
                    "nothing-arrives",
                    "nothing has entered the network yet",
                    (Label(span, "this starts from the input"), Label(self.awaits, "which comes in here")),
                    help="move the `input` up",
                )
            ]
        )

    def place(self, here: Flow | None = None) -> Place:
        entered = self.entered if self.entered is not None else ()
        absent = self.nothing_entered if self.entered is None else None
        return Place(self.scope, entered if here is None else here, entered, absent=absent)

    def inside(self, names: Names | None = None, bound: dict[str, Any] | None = None) -> Body:
        """The same body under another scope of weights, or in a round with names of its own."""
        if bound is None:
            scope, gathers = self.scope, self.gathers
        else:
            scope, gathers = Scope(self.scope, self.scope.source, bound), self.scope
        here = names or self.names
        return Body(scope, here, self.entered, self.settings, self.top, self.kind, self.awaits, gathers)


@dataclass(eq=False)
class Departures:
    """What leaves a body: `output` statements in order, and the unnamed chain's end."""

    named: list[tuple[str | None, Wire, bool]] = field(default_factory=list)
    end: Flow | None = None
    lost: bool = False

    @property
    def listed(self) -> list[tuple[str | None, Wire, bool]]:
        """Name, tensor, whether only in training. The chain's end counts where no `output` always holds."""
        plain = [departure for departure in self.named if not departure[2]]
        if plain or self.end is None:
            return self.named
        ends = self.end if isinstance(self.end, tuple) else (self.end,)
        return [*((None, wire, False) for wire in ends if isinstance(wire, Wire)), *self.named]


def names_set(statements: tuple[tree.Statement, ...]) -> dict[str, Span]:
    """The names that a body's own statements set, for telling `not yet` from `never`."""
    found: dict[str, Span] = {}
    for statement in statements:
        if isinstance(statement, tree.Bind):
            found |= dict(zip(statement.names, statement.name_spans, strict=True))
        elif isinstance(statement, tree.Let | tree.Share | tree.Param):
            found[statement.name] = statement.name_span
        if isinstance(statement, tree.Bind | tree.ChainStatement):
            for element in statement.chain.elements:
                if element.tap is not None:
                    found |= dict(zip(element.tap.names, element.tap.name_spans, strict=True))
    found.pop("_", None)
    return found
