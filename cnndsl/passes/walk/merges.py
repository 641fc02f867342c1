"""Merges: branches expanded from the arriving tensor, then joined."""

from __future__ import annotations

from typing import Any

from cnndsl.diagnostics.errors import Fix, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Span
from cnndsl.ir.op import find, registry
from cnndsl.passes.draft.flow import LOST, Flow, Spans, Wire
from cnndsl.passes.draft.name import FrameDraft
from cnndsl.passes.values.evaluate import given
from cnndsl.passes.values.layer_value import LayerValue
from cnndsl.passes.values.visible import words_of
from cnndsl.passes.walk.body import Body
from cnndsl.passes.walk.repeats import rounds
from cnndsl.passes.walk.resolve import resolve
from cnndsl.passes.walk.walker import Walker
from cnndsl.syntax import tree


class Merges:
    """Expands `word{ branch | branch }` with the chains of its branches."""

    def __init__(self, walker: Walker) -> None:
        self.walker = walker

    def merge(self, merge: tree.Merge, flow: Flow | None, body: Body, key: str | None) -> Flow:
        op, spans = self._merge_op(merge, flow, body)
        if len(merge.branches) < 2 and merge.each is None:
            raise fault(
                "too-few-branches",
                f"`{merge.name}` joins two branches or more, found one",
                merge.span,
                help="write the other one; one that changes nothing is `id`",
            )
        if key is None:
            return self._joined(merge, op, spans, flow, body)
        names = body.names.scope(key)
        outer = self.walker.assembly.open_frame(FrameDraft("group", key, merge.span, names=names))
        try:
            return self._joined(merge, op, spans, flow, body.inside(names))
        finally:
            self.walker.assembly.frame = outer

    def _merge_op(self, merge: tree.Merge, flow: Flow | None, body: Body) -> tuple[Any, Spans]:
        op = find(merge.name)
        if op is None or not op.merges:
            merges = sorted(word for word, op in registry().items() if op.merges)
            from cnndsl.habits.words import foreign

            word = foreign(merge.name)
            meant = word.write.partition("{")[0] if word and "{" in word.write else None
            close = meant or nearest(merge.name, merges)
            raise fault(
                "unknown-merge",
                f"no merge is called `{merge.name}`",
                merge.name_span,
                f"expected one of {', '.join(merges)}",
                help=f"did you mean `{close}`?" if close else "write `add{ … | … }` or `cat{ … | … }`",
                fixes=(Fix(merge.name_span, close),) if close else (),
            )
        arguments = given(merge.arguments or (), body.place(flow), words_of(op))
        return resolve(LayerValue(op, op.word, None, arguments), merge.span)

    def _joined(self, merge: tree.Merge, op: Any, spans: Spans, flow: Flow | None, body: Body) -> Flow:
        ends = self._branches(merge, flow, body)
        if any(end is LOST for end, _ in ends):
            return LOST
        wires, arrivals = [], []
        for end, span in ends:
            if not isinstance(end, Wire):
                count = len(end) if isinstance(end, tuple) else 0
                raise fault(
                    "wrong-number-of-tensors",
                    f"a branch brings one tensor, and this one {count}",
                    span,
                    help="pick one: `parts[0]`",
                )
            wires.append(end)
            arrivals.append(span)
        if not wires:
            raise fault(
                "empty-branch", f"`{merge.name}` has no branch left", merge.span, help="keep at least one branch"
            )
        if len(wires) == 1:
            return wires[0]
        return self.walker.assembly.apply(op, tuple(wires), body.names, None, merge.span, spans, tuple(arrivals))

    def _branches(self, merge: tree.Merge, flow: Flow | None, body: Body) -> list[tuple[Flow, Span]]:
        if merge.each is not None:
            bound, _ = rounds(merge.each, None, flow, body)
            chain = merge.branches[0]
            return [
                end for names in bound if (end := self._branch(chain, flow, body.inside(bound=dict(names)))) is not None
            ]
        return [end for chain in merge.branches if (end := self._branch(chain, flow, body)) is not None]

    def _branch(self, chain: tree.Chain, flow: Flow | None, body: Body) -> tuple[Flow, Span] | None:
        """A branch's end; None if an `else none` leaves the branch out."""
        walked = self.walker.chain(chain, flow, body)
        if walked.anything:
            return walked.flow, chain.span
        if walked.left_out:
            return None
        self.walker.findings.add(
            fault(
                "empty-branch",
                "nothing is left of this branch",
                chain.span,
                "the conditions and counts here removed all of it",
                help="write `else id` for a branch that changes nothing, `else none` to leave it out",
            )
        )
        return LOST, chain.span
