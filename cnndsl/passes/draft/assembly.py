"""Applies ops to tensors: each gets its type, and a refusal gets its place."""

from __future__ import annotations

from math import prod
from typing import Protocol

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label, Refusal, fault
from cnndsl.diagnostics.source import Span
from cnndsl.ir.op import Op
from cnndsl.ir.tensor import TensorType
from cnndsl.passes.draft.derivation import derivation
from cnndsl.passes.draft.flow import Draft, Entrance, Flow, Spans, Wire
from cnndsl.passes.draft.name import FrameDraft, Names

MOST_NODES = 100_000
MOST_SIZE = 2**31
MOST_WEIGHTS = 2**40


class Lender(Protocol):
    """What gives a node the weights of an earlier one instead of its own."""

    def lend(self, draft: Draft) -> None:
        """Raises CnnError where the two are not alike."""


class Assembly:
    """The nodes, frames and inputs of a network in the making, in reading order."""

    def __init__(self) -> None:
        self.root = Names()
        self.entrances: list[Wire] = []
        self.drafts: list[Draft] = []
        self.frames: list[FrameDraft] = []
        self.weights = 0
        self.frame: int | None = None
        self.lender: Lender | None = None
        """While a share is used again: what gives each node the weights of the first use."""

    def open_frame(self, frame: FrameDraft) -> int | None:
        """Opens a frame inside the present one; returns the one to go back to."""
        before = frame.parent = self.frame
        self.frames.append(frame)
        self.frame = len(self.frames) - 1
        return before

    def enter(self, name: str, type: TensorType, span: Span) -> Wire:
        wire = Wire(type, Entrance(name, span))
        self.entrances.append(wire)
        return wire

    def layer(self, op: Op, wire: Wire, names: Names, key: str | int | None, span: Span, spans: Spans) -> Flow:
        """A layer's output; one with several outputs becomes a node for each of them."""
        try:
            parts = op.parts(wire.type)
        except Refusal as refusal:
            raise placed(refusal, (wire,), span, spans, (span,)) from None
        if parts is None:
            return self.apply(op, (wire,), names, key, span, spans, (span,))
        return tuple(self.apply(part, (wire,), names, None, span, spans, (span,)) for part in parts)

    def apply(
        self,
        op: Op,
        wires: tuple[Wire, ...],
        names: Names,
        key: str | int | None,
        span: Span,
        spans: Spans,
        arrivals: tuple[Span, ...],
    ) -> Wire:
        """The op's output. `spans` place its arguments, `arrivals` the tensors that reach it. Raises CnnError."""
        try:
            for brought in op.brings(wires[0].type) if len(wires) == 1 else ():
                wires = (self._add(brought, wires, names, None, span),)
            return self._add(op, wires, names, key, span)
        except Refusal as refusal:
            raise placed(refusal, wires, span, spans, arrivals) from None

    def _add(self, op: Op, wires: tuple[Wire, ...], names: Names, key: str | int | None, span: Span) -> Wire:
        if len(self.drafts) >= MOST_NODES:
            raise too_many(span)
        types = tuple(wire.type for wire in wires)
        made = op.infer(types)
        if max(made.shape, default=0) > MOST_SIZE:
            raise fault(
                "value-too-large",
                f"a tensor of {made}",
                span,
                notes=("expected at most 2^31 on each axis",),
                help="make the network smaller",
            )
        draft = Draft(op, wires, made, span, self.frame)
        if self.lender is not None:
            self.lender.lend(draft)
        else:
            weights = op.weights(types)
            draft.weighted = bool(weights)
            for weight in weights.values():
                self.weights += prod(weight.shape)
            if self.weights > MOST_WEIGHTS:
                raise fault(
                    "value-too-large",
                    f"{self.weights:,} weights",
                    span,
                    notes=("expected at most 2^40",),
                    help="make the network smaller",
                )
            names.layer(draft, key)
        self.drafts.append(draft)
        return Wire(made, draft)


def too_many(span: Span) -> CnnError:
    return fault(
        "too-many-nodes",
        f"the network has more than {MOST_NODES:,} layers",
        span,
        "they pass the limit here",
        help="repeat less often",
    )


def placed(refusal: Refusal, wires: tuple[Wire, ...], span: Span, spans: Spans, arrivals: tuple[Span, ...]) -> CnnError:
    """A refusal with its place: the guilty argument, or the branches that do not agree."""
    if refusal.culprits and len(arrivals) == len(wires):
        labels = tuple(Label(arrivals[i], _arrival(wires[i], arrivals[i])) for i in refusal.culprits)
        if len(refusal.culprits) == 2:
            other, first = (wires[i] for i in refusal.culprits)
            refusal.notes = (*refusal.notes, *derivation(first, other))
    else:
        labels = (Label(spans.get(refusal.argument or "", span), refusal.notes[0] if refusal.notes else ""),)
        refusal.notes = refusal.notes[1:]
        if wires and str(wires[0].type) not in refusal.message:
            refusal.notes = (*refusal.notes, f"the input here is {wires[0].type}")
    return CnnError([Diagnostic(refusal.id, refusal.message, labels, refusal.notes, refusal.help)])


def _arrival(wire: Wire, span: Span) -> str:
    """What arrives by a branch; where the branch is written `id` or as a name, also where that comes from."""
    if isinstance(wire.source, Entrance):
        return f"{wire.type}, straight from the input"
    made = wire.source.span
    if made.source == span.source and span.start <= made.start and made.end <= span.end:
        return str(wire.type)
    return f"{wire.type}, straight from `{' '.join(made.text.split())[:40]}`"


class Stopped(Exception):
    """The program is beyond a limit: nothing more of it is expanded."""

    def __init__(self, error: CnnError) -> None:
        self.error = error
        super().__init__(str(error))
