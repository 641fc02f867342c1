"""A `share`: layers whose weights several places use, and how a later use borrows those of the first."""

from __future__ import annotations

from dataclasses import dataclass

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label
from cnndsl.diagnostics.source import Span
from cnndsl.ir.weight import Weight
from cnndsl.ir.written import sizes
from cnndsl.passes.draft.flow import Draft, Flow
from cnndsl.passes.draft.name import Names
from cnndsl.passes.values.scope import Scope
from cnndsl.syntax import tree


@dataclass(eq=False, slots=True)
class Shared:
    """A `share`: one set of weights. The first use makes the nodes, later ones borrow their weights."""

    statement: tree.Share
    chain: tree.Chain
    scope: Scope
    names: Names
    """Where its weights are named; its place is taken where the share is defined."""
    entered: Flow
    drafts: list[Draft] | None = None
    """The nodes of the first use; None before it."""
    first_use: Span | None = None

    @classmethod
    def defined(cls, statement: tree.Share, scope: Scope, names: Names, entered: Flow) -> Shared:
        """What a `share` statement defines, in a body with these names of weights. It takes a position there."""
        chain = statement.chain
        names.take_position()
        label = tree.Label(statement.name_span, (statement.name,))
        own = names.scope(statement.name)
        only = chain.elements[0]
        if len(chain.elements) > 1 or only.label is not None or only.repeat is not None:
            return cls(statement, chain, scope, own, entered)
        # One layer or block is called by the share's name itself, anything longer is a scope of that name.
        own.reserved = True
        element = tree.Element(only.span, label, only.primary, None, only.tap, only.condition)
        return cls(statement, tree.Chain(chain.span, (element,)), scope, names, entered)


class Lending:
    """A later use of a share: its nodes are matched with those of the first use, one by one, and borrow their weights."""

    def __init__(self, shared: Shared, use: Span) -> None:
        assert shared.drafts is not None
        self.shared = shared
        self.use = use
        self.left = list(shared.drafts)
        """Nodes of the first use that are still to be matched."""

    def lend(self, draft: Draft) -> None:
        """Gives a node the weights of its like in the first use. Raises `share-mismatch`."""
        if not self.left:
            raise self._unlike("this use of the share has more layers than its first use", "", draft)
        owner = self.left.pop(0)
        mine, theirs = (d.op.weights(tuple(w.type for w in d.inputs)) for d in (draft, owner))
        if type(draft.op) is type(owner.op) and draft.op != owner.op and mine == theirs:
            # A size of what arrives, as in `Reshape(in.height, …)`, is not the same everywhere.
            raise self._unlike(
                f"`{draft.op.word}` has other arguments here than in the first use of the share",
                "expected the arguments of the first use, found others",
                draft,
                help="write what does not depend on the size of what arrives, or put this layer behind the share",
            )
        if draft.op != owner.op or mine != theirs:
            raise self._unlike(
                f"`{draft.op.word}` cannot use the same weights here as in the first use of the share",
                f"expected {_weighed(owner, theirs)}, found {_weighed(draft, mine)}",
                draft,
            )
        draft.shared_with = owner.shared_with or owner

    def finish(self, made: int) -> None:
        """Ends the use, in which so many nodes were made. Raises `share-mismatch` if the first use had more."""
        if self.left:
            assert self.shared.drafts is not None
            raise self._unlike(
                f"this use of `{self.shared.statement.name}` has fewer layers than its first use",
                f"expected {len(self.shared.drafts)} layers, found {made}",
            )

    def _unlike(
        self,
        message: str,
        difference: str,
        draft: Draft | None = None,
        help: str = "bring what arrives to the channels of the first use, or share another copy",
    ) -> CnnError:
        """The error for a use that is not like the first one, placed at this use."""
        labels = [Label(self.use, difference), Label(self.shared.first_use or self.use, "the first use")]
        if draft is not None:
            arriving = ", ".join(str(wire.type) for wire in draft.inputs)
            labels.append(Label(draft.span, f"in this use {arriving} arrives here"))
        return CnnError([Diagnostic("share-mismatch", message, tuple(labels), help=help)])


def _weighed(draft: Draft, weights: dict[str, Weight]) -> str:
    shapes = " and ".join(sizes(weight.shape) or "1" for weight in weights.values())
    return f"weights of {shapes}" if shapes else f"`{draft.op.word}` without weights"
