"""Walks chains: groups, repeats, conditions, merges, layers, blocks and shares become nodes."""

from __future__ import annotations

from typing import Any

from cnndsl.diagnostics.errors import CnnError, Refusal, fault, unplaced
from cnndsl.diagnostics.source import Span
from cnndsl.passes.arguments.resolve import resolve
from cnndsl.passes.draft.assembly import Assembly, Stopped, too_many
from cnndsl.passes.draft.flow import LOST, Flow, Lost, LostValue
from cnndsl.passes.draft.name import FrameDraft
from cnndsl.passes.values.evaluate import look_up, truth, with_arguments
from cnndsl.passes.values.kinds import kind
from cnndsl.passes.values.layer_value import IDENTITY, LayerValue
from cnndsl.passes.values.loops import refuse_loop_names
from cnndsl.passes.values.scope import BlockValue
from cnndsl.passes.values.share import Shared
from cnndsl.passes.values.visible import is_layer, split_word
from cnndsl.passes.walk.body import Body
from cnndsl.passes.walk.calls import Calls, RunBody
from cnndsl.passes.walk.findings import Cancelled, Findings
from cnndsl.passes.walk.labels import label_text
from cnndsl.passes.walk.merges import Merges
from cnndsl.passes.walk.repeats import MOST_WALK_STEPS, Repeats
from cnndsl.passes.walk.taps import bind_tap, lose_tap
from cnndsl.passes.walk.tensors import is_flow, named_tensor, picked
from cnndsl.passes.walk.walker import Passed, Walked
from cnndsl.syntax import tree


class Chains:
    """The walk along chains: layers become nodes of an assembly. `run` walks the statements of a called body."""

    def __init__(self, assembly: Assembly, findings: Findings, run: RunBody) -> None:
        self.assembly = assembly
        self.findings = findings
        self.calls = Calls(self, run)
        self.merges = Merges(self)
        self.repeats = Repeats(self)

    def chain(self, chain: tree.Chain, arriving: Flow | None, body: Body, *, in_middle: bool = False) -> Walked:
        """Follows a chain from the tensor its first element names, else from the one that arrives."""
        flow, anything, left_out = arriving, False, False
        for index, element in enumerate(chain.elements):
            passed = self.element(element, flow, body, first=index == 0 and not in_middle)
            flow, anything, left_out = passed.flow, anything or passed.anything, left_out or passed.left_out
        if flow is None:
            # All of it was removed: only what is not left out asks from where it would have started.
            flow = LOST if left_out else self._arrived(None, body, chain.span)
        return Walked(flow, anything, left_out)

    def element(self, element: tree.Element, flow: Flow | None, body: Body, *, first: bool) -> Passed:
        try:
            self.step(element.span)
            passed = self._element(element, flow, body, first)
            if self.findings.recorder is not None:
                arrived = flow if flow is not None else body.entered
                self.findings.recorder.passed(element.span, arrived, passed.flow)
            return passed
        except CnnError as error:
            self.findings.add(error)
        except Refusal as refusal:
            self.findings.add(unplaced(refusal, element.span))
        except LostValue:
            pass
        if element.tap is not None:
            lose_tap(element.tap, body)
        if self.findings.recorder is not None:
            self.findings.recorder.passed(element.span, flow if flow is not None else body.entered, LOST)
        return Passed(LOST, True)

    def step(self, span: Span) -> None:
        self.findings.steps += 1
        if self.findings.cancelled is not None and self.findings.cancelled():
            raise Cancelled
        if self.findings.steps > MOST_WALK_STEPS:
            raise Stopped(too_many(span))

    def _element(self, element: tree.Element, flow: Flow | None, body: Body, first: bool) -> Passed:
        primary = element.primary
        condition = element.condition
        if condition is not None and isinstance(element.repeat, tree.Each):
            refuse_loop_names(element.repeat, condition.value, body.scope)
        if condition is not None and not truth(condition.value, body.place(flow)):
            if condition.otherwise is None:
                self._hide(element, body)
                return Passed(flow, False, condition.nothing)
            primary = condition.otherwise
        started = named_tensor(primary, flow, body) if first else None
        if started is None:
            if first and flow is None and _begins_anew(primary):
                flow = self._any(body, element.span)
            if flow is not None or not isinstance(primary, tree.Group | tree.Merge | tree.Collected):
                flow = self._arrived(flow, body, element.span)
            # A merge or group that begins a body may name its tensors inside, and need none to arrive.
            reached: Flow | None
            if element.repeat is None:
                key = label_text(element.label, body.place(flow))
                reached, anything = self.primary(primary, flow, body, key, first)
            else:
                reached, anything = self.repeats.walk(element, element.repeat, primary, flow, body, first)
            flow = self._arrived(reached, body, element.span)
        else:
            if primary is element.primary:
                _refuse_dressed(element)
            flow, anything = started, True
        if element.tap is not None:
            bind_tap(element.tap, flow, body, self.bind)
        return Passed(flow, anything)

    def _hide(self, element: tree.Element, body: Body) -> None:
        if element.tap is not None and not element.tap.gathers:
            line, _ = element.span.source.line_and_column(element.span.start)
            body.scope.inner |= dict.fromkeys(element.tap.names, f"the `if` in line {line} removed it")

    def _any(self, body: Body, span: Span) -> Flow:
        """For a layer that makes its tensor anew: any that has entered, for the batch is as long as its own."""
        if isinstance(body.entered, tuple) and body.entered:
            return body.entered[0]
        if body.entered in (None, ()) and self.assembly.entrances:
            return self.assembly.entrances[0]
        return self._arrived(None, body, span)

    def _arrived(self, flow: Flow | None, body: Body, span: Span) -> Flow:
        """The tensor that arrives; at the start of a body, the one that entered it."""
        if flow is not None:
            return flow
        if body.entered is None:
            raise body.nothing_entered(span)
        if isinstance(body.entered, tuple):
            name = next((name for name, value in body.scope.names.items() if value is body.entered[0]), None)
            raise fault(
                "ambiguous-in",
                f"{len(body.entered)} tensors entered here, and the chain does not say from which it starts",
                span,
                help=f"begin the chain with the name of one: `{name} → …`"
                if name
                else "give the inputs names, `input left: 3×32×32`, and begin the chain with one",
            )
        return body.entered

    def bind(self, name: str, value: Any, span: Span, body: Body) -> None:
        """Gives something a name in this body. Raises `shadows-layer`."""
        if is_layer(name):
            raise fault(
                "shadows-layer", f"`{name}` is a layer and cannot be a name", span, help=f"call it `{name.lower()}_`"
            )
        if name in ("", "_"):
            return
        if self.findings.recorder is not None:
            self.findings.recorder.named(span, value)
        body.scope.names[name] = value
        body.scope.inner.pop(name, None)
        body.scope.later.pop(name, None)

    def primary(
        self, primary: tree.Primary, flow: Flow | None, body: Body, key: str | None, first: bool
    ) -> tuple[Flow, bool]:
        if isinstance(primary, tree.Group):
            return self._group(primary, flow, body, key, first)
        if isinstance(primary, tree.Merge):
            return self.merges.merge(primary, flow, body, key), True
        if isinstance(primary, tree.Collected):
            return self.merges.collected(primary, flow, body, key), True
        flow = self._arrived(flow, body, primary.span)
        if isinstance(primary, tree.This) and primary.name == "id":
            return flow, True
        if isinstance(primary, tree.This | tree.Tensors):
            raise self._in_the_middle(primary.span.text, primary.span)
        return self._invoked(primary, flow, body, key, first), True

    def _in_the_middle(self, text: str, span: Span) -> CnnError:
        return fault(
            "tensor-in-the-middle",
            f"`{text}` is a tensor, and tensors only begin a chain",
            span,
            "expected a layer or a block, found a tensor",
            help=f"join it: `cat{{ {text} | id }}` or `add{{ {text} | id }}`",
        )

    def _invoked(
        self, primary: tree.Invocation | tree.Pick, flow: Flow, body: Body, key: str | None, first: bool
    ) -> Flow:
        if isinstance(primary, tree.Pick):
            value, name = picked(primary, body), primary.span.text
        else:
            value, name = look_up(primary.name, primary, body.scope), primary.name
        if is_flow(value):
            raise self._in_the_middle(name, primary.span)
        if isinstance(primary, tree.Invocation) and primary.arguments is not None:
            if not isinstance(value, LayerValue | BlockValue):
                raise fault(
                    "not-callable",
                    f"`{name}` is {kind(value)} and takes no arguments",
                    primary.span,
                    help="delete the brackets",
                )
            value = with_arguments(value, primary.arguments, body.place(flow))
        if value is IDENTITY:
            return flow
        if isinstance(value, LayerValue):
            if value.op.begins and not first:
                raise self._in_the_middle(name, primary.span)
            if value.op.begins and isinstance(flow, tuple) and flow:
                flow = flow[0]
            return self.layer(value, flow, body, key, primary.span)
        if isinstance(value, BlockValue):
            return self.calls.block(value, flow, body, key, primary.span)
        if isinstance(value, Shared):
            if key is not None:
                raise _without_layer(primary.span, "a share's use has the names of its first one")
            return self.calls.share(value, flow, primary.span)
        raise fault(
            "not-callable",
            f"`{name}` is {kind(value)}, and a layer or block is due",
            primary.span,
            help="write a layer: `Conv3x3(64)`",
        )

    def layer(self, layer: LayerValue, flow: Flow, body: Body, key: str | None, span: Span) -> Flow:
        op, spans = resolve(layer, span)
        place = body.names.take_position() if op.takes_position else None
        if isinstance(flow, Lost):
            return LOST
        if isinstance(flow, tuple):
            raise fault(
                "wrong-number-of-tensors",
                f"`{layer.word}` takes one tensor, and {len(flow)} arrive",
                span,
                help="pick one of them, or join them with `cat{ … }`",
            )
        return self.assembly.layer(op, flow, body.names, place if key is None else key, span, spans)

    def _group(
        self, group: tree.Group, flow: Flow | None, body: Body, key: str | None, first: bool
    ) -> tuple[Flow, bool]:
        if key is None:
            walked = self.chain(group.chain, flow, body, in_middle=not first)
            return walked.flow, walked.anything
        names = body.names.scope(key)
        body.names.take_position()
        outer = self.assembly.open_frame(FrameDraft("group", key, group.span, names=names))
        try:
            walked = self.chain(group.chain, flow, body.inside(names), in_middle=not first)
        finally:
            self.assembly.frame = outer
        return walked.flow, walked.anything


def _begins_anew(primary: tree.Primary) -> bool:
    """Whether an element is a layer that takes nothing, such as a trained tensor."""
    found = split_word(primary.name) if isinstance(primary, tree.Invocation) else None
    return found is not None and found[0].begins


def _refuse_dressed(element: tree.Element) -> None:
    """A tensor that begins a chain is no layer: it has no weights to name and nothing to repeat."""
    if element.label is not None:
        raise _without_layer(element.label.span, f"`{element.primary.span.text}` is a tensor, and has no weights")
    if element.repeat is not None:
        raise fault(
            "bad-count",
            f"`{element.primary.span.text}` is a tensor, and tensors are not repeated",
            element.repeat.span,
            help="repeat the layers behind it: `x → [ … ]×2`",
        )


def _without_layer(span: Span, why: str) -> CnnError:
    return fault(
        "label-without-layer", "this label names no layer", span, why, help="delete it; `as name` names a tensor"
    )
