"""Names and what they stand for, from the inside out; the blocks and models that a text defines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnndsl.diagnostics.errors import Refusal
from cnndsl.diagnostics.source import Source, Span
from cnndsl.passes.draft.flow import LostValue
from cnndsl.passes.values.layer_value import Given
from cnndsl.syntax import tree

if TYPE_CHECKING:
    pass

MOST_VALUE_STEPS = 4_000_000


@dataclass(eq=False, slots=True)
class Definition:
    """A block or model, and the scope it was written in."""

    node: tree.Block | tree.Model
    scope: Scope

    @property
    def name(self) -> str:
        return self.node.name


@dataclass(frozen=True, slots=True)
class BlockValue:
    """A block or model as a value, with the arguments so far."""

    definition: Definition = field(hash=False)
    given: tuple[Given, ...]
    presets: tuple[Given, ...] = field(compare=False, default=())

    def __str__(self) -> str:
        return self.definition.name


@dataclass(eq=False, slots=True)
class Formula:
    """A `fn` of the program, and the scope it was written in."""

    node: tree.Function
    scope: Scope
    depth: int = 0
    """How deep its expression nests; 0 before anybody asked."""


@dataclass(eq=False)
class Scope:
    """One body's, round's or file's names; what it lacks its parent may have."""

    parent: Scope | None
    source: Source
    names: dict[str, Any] = field(default_factory=dict)
    presets: list[tuple[str, Span, tuple[Given, ...]]] = field(default_factory=list)
    """`default` statements so far, in order: word, place, arguments."""
    inner: dict[str, str] = field(default_factory=dict)
    """Names that ended with a round or that an `if` removed, and why they cannot be seen."""
    later: dict[str, Span] = field(default_factory=dict)
    """Names that a later statement of this body sets."""
    used: set[str] = field(default_factory=set)
    spent: list[int] = field(init=False)
    """Steps that working out this file's values has taken so far; one count for all its scopes."""
    gathered: set[str] = field(default_factory=set)
    """Names of this scope that stand for what `as name[]` has gathered."""

    def __post_init__(self) -> None:
        self.spent = self.parent.spent if self.parent is not None else [0]

    def spend(self, steps: int = 1) -> None:
        """Counts steps of working out values. Raises `too-many-steps` at the limit, and LostValue beyond: it is told once."""
        if self.spent[0] > MOST_VALUE_STEPS:
            raise LostValue
        self.spent[0] += steps
        if self.spent[0] > MOST_VALUE_STEPS:
            raise Refusal(
                "too-many-steps",
                f"working out the values takes more than {MOST_VALUE_STEPS:,} steps",
                help="use shorter lists, or work a value out once with `let`",
            )

    def find(self, name: str) -> Any:
        """The value of a name. Raises KeyError."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                scope.used.add(name)
                return scope.names[name]
            scope = scope.parent
        raise KeyError(name)

    def visible(self) -> set[str]:
        """Every name that can be seen from here."""
        found: set[str] = set()
        scope: Scope | None = self
        while scope is not None:
            found |= scope.names.keys()
            scope = scope.parent
        return found

    def why_hidden(self, name: str) -> str | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.inner:
                return scope.inner[name]
            scope = scope.parent
        return None

    def set_later(self, name: str) -> Span | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.later:
                return scope.later[name]
            scope = scope.parent
        return None

    def defaults_for(self, word: str) -> dict[str | None, Given]:
        """Arguments that the `default` statements in sight give a word; nearer and later ones win, per argument."""
        merged = self.parent.defaults_for(word) if self.parent else {}
        for preset, _, arguments in self.presets:
            if preset == word:
                merged |= {given.name: given for given in arguments}
        return merged
