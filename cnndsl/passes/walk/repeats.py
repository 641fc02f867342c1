"""Repeats: `×N` and `for` expanded round by round."""

from __future__ import annotations

from typing import Any

from cnndsl.diagnostics.errors import Refusal, fault
from cnndsl.passes.draft.assembly import MOST_NODES, Stopped, too_many
from cnndsl.passes.draft.flow import LOST, Flow
from cnndsl.passes.draft.name import FrameDraft
from cnndsl.passes.values.evaluate import evaluate
from cnndsl.passes.values.evaluate import rounds as rounds_of
from cnndsl.passes.values.functions import integer
from cnndsl.passes.values.kinds import kind
from cnndsl.passes.values.loops import loop_names
from cnndsl.passes.walk.body import Body
from cnndsl.passes.walk.labels import label_text, mentioned
from cnndsl.passes.walk.taps import begin_gathering, gathered_in
from cnndsl.passes.walk.walker import Walker
from cnndsl.syntax import tree

# An element that makes no node costs time all the same: this many are walked before the network is refused.
MOST_WALK_STEPS = 4 * MOST_NODES


class Repeats:
    """Expands an element as often as it says."""

    def __init__(self, walker: Walker) -> None:
        self.walker = walker
        self._gathered: dict[int, tuple[str, ...]] = {}
        """The names under which the rounds of a repeat gather, by the identity of what is repeated."""

    def walk(
        self,
        element: tree.Element,
        repeat: tree.Times | tree.Each,
        primary: tree.Primary,
        flow: Flow | None,
        body: Body,
        first: bool,
    ) -> tuple[Flow | None, bool]:
        """Where a repeated element led, and whether anything stood there."""
        label = element.label
        bound, varies = rounds(repeat, label, flow, body)
        self.begin(element.primary, body)
        names, frame_names = body.names, None
        if label is not None and not varies:
            body.names.take_position()
            names = frame_names = body.names.scope(label_text(label, body.place(flow)) or "")
        title = _title(primary, label)
        outer = self.walker.assembly.open_frame(
            FrameDraft("repeat", title, element.span, rounds=len(bound), names=frame_names)
        )
        try:
            return self._each_round(bound, varies, element, primary, flow, body.inside(names), first)
        finally:
            self.walker.assembly.frame = outer

    def begin(self, repeated: tree.Primary | tree.Chain, body: Body) -> None:
        """Makes what the rounds of a repeat are about to gather known in the body that holds the repeat."""
        names = self._gathered.get(id(repeated))
        if names is None:
            names = self._gathered[id(repeated)] = gathered_in(repeated)
        if names:
            begin_gathering(names, body)

    def _each_round(
        self,
        bound: list[dict[str, Any]],
        varies: bool,
        element: tree.Element,
        primary: tree.Primary,
        flow: Flow | None,
        body: Body,
        first: bool,
    ) -> tuple[Flow | None, bool]:
        anything = False
        before = len(self.walker.assembly.drafts)
        for index, names in enumerate(bound):
            self.walker.step(element.span)
            inner = body.inside(bound=dict(names))
            key = label_text(element.label, inner.place(flow)) if varies else None
            outer = self.walker.assembly.open_frame(FrameDraft("round", "", element.span, index, len(bound)))
            arrived = flow
            flow, touched = self.walker.primary(primary, arrived, inner, key, first and index == 0)
            self.walker.assembly.frame = outer
            anything = anything or touched
            for name in inner.scope.names.keys() - names.keys():
                body.scope.inner[name] = "it is set inside a repeat, and seen in that round only"
            idle = flow is arrived and len(self.walker.assembly.drafts) == before
            if flow is LOST or (idle and isinstance(element.repeat, tree.Times)):
                # Lost, or a round that changes nothing: all others of a `×N` would be the same.
                break
            if index == 0 and before + (len(self.walker.assembly.drafts) - before) * len(bound) > MOST_NODES:
                raise Stopped(too_many(element.span))
        return flow, anything


def rounds(
    repeat: tree.Times | tree.Each, label: tree.Label | None, flow: Flow | None, body: Body
) -> tuple[list[dict[str, Any]], bool]:
    """The names each round brings, and whether the label names each round: it does if it speaks of them."""
    if isinstance(repeat, tree.Each):
        targets = loop_names(repeat.targets)
        bound = rounds_of(repeat.targets, repeat.values, body.place(flow))
        return bound, label is not None and any(name in targets for name in mentioned(label))
    value = evaluate(repeat.count, body.place(flow))
    try:
        count = integer(value)
    except Refusal:
        count = -1
    if count < 0:
        raise fault(
            "bad-count",
            f"a repetition needs a whole number from 0, found {kind(value)}",
            repeat.count.span,
            help="write `×` and a number: `[…]×2`",
        )
    if count > MOST_WALK_STEPS:
        raise Stopped(too_many(repeat.span))
    return [{}] * count, False


def _title(primary: tree.Primary, label: tree.Label | None) -> str:
    if label is not None and not label.varies:
        return label.span.text
    return primary.name if isinstance(primary, tree.Invocation | tree.Merge) else ""
