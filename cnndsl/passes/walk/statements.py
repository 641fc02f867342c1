"""Runs the statements of a body in order: what they name, what enters, what leaves."""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Fix, Label, Refusal, fault, unplaced
from cnndsl.diagnostics.source import Span
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.written import sizes
from cnndsl.passes.draft.assembly import Assembly
from cnndsl.passes.draft.flow import LOST, Entrance, Flow, Lost, LostValue, Wire
from cnndsl.passes.draft.name import free
from cnndsl.passes.values.evaluate import evaluate
from cnndsl.passes.values.parameters import checked, typed
from cnndsl.passes.values.share import Shared
from cnndsl.passes.walk.body import Body, Departures, names_set
from cnndsl.passes.walk.chains import Chains
from cnndsl.passes.walk.declare import define, preset, refuse_letter_x, refuse_stray
from cnndsl.passes.walk.findings import Findings
from cnndsl.passes.walk.inputs import arrival, channels_last, input_type, replace_shape
from cnndsl.passes.walk.outputs import depart, nothing_leaves
from cnndsl.passes.walk.taps import bind_parts
from cnndsl.passes.walk.tensors import arriving
from cnndsl.syntax import tree


class Statements:
    """Expands bodies into one assembly."""

    def __init__(self, findings: Findings, inputs: Mapping[str, tuple[int, ...]]) -> None:
        self.findings = findings
        self.assembly = Assembly()
        self.chains = Chains(self.assembly, findings, self.run)
        self.inputs = dict(inputs)
        """Sizes from outside, by input name; "" is the first input."""
        self.asserts: list[tuple[tree.Assert, Body]] = []

    def run(self, statements: tuple[tree.Statement, ...], body: Body, span: Span) -> Flow:
        """What leaves a block: one tensor, or several as a tuple."""
        departures = self.depart(statements, body, span)
        listed = [wire for _, wire, training in departures.listed if not training]
        if departures.lost or not listed:
            return LOST
        return listed[0] if len(listed) == 1 else tuple(listed)

    def depart(self, statements: tuple[tree.Statement, ...], body: Body, span: Span) -> Departures:
        """Runs a body and gathers what leaves it."""
        departures = Departures()
        body.scope.later |= names_set(statements)
        body.awaits = next((s.span for s in statements if isinstance(s, tree.Input)), None)
        define(statements, body, self.findings)
        state = _Progress(departures, list(arriving(body.entered)) if body.entered is not None else [])
        for statement in statements:
            if self.findings.full:
                departures.lost = True
                break
            try:
                self._statement(statement, body, state)
            except Refusal as refusal:
                self.findings.add(unplaced(refusal, statement.span))
                self._lose(statement, body, departures)
            except CnnError as error:
                self.findings.add(error)
                self._lose(statement, body, departures)
            except LostValue:
                self._lose(statement, body, departures)
        if not departures.lost and all(training for _, _, training in departures.listed):
            departures.lost = True
            self.findings.add(nothing_leaves(departures, span))
        if body.kind == "model" and not body.top and state.arrived and not departures.lost:
            departures.lost = True
            self.findings.add(
                fault(
                    "wrong-number-of-tensors",
                    f"more tensors arrive than the model has inputs: {len(state.entered) + len(state.arrived)}",
                    self.findings.calls[-1],
                    f"expected {len(state.entered)}, found {len(state.entered) + len(state.arrived)}",
                    help="give it one tensor for each input",
                )
            )
        return departures

    def _lose(self, statement: tree.Statement, body: Body, departures: Departures) -> None:
        """What a wrong statement would have named is lost, so that its users keep quiet."""
        if isinstance(statement, tree.Bind):
            body.scope.names |= dict.fromkeys([name for name in statement.names if name != "_"], LOST)
        elif isinstance(statement, tree.Let | tree.Param | tree.Share):
            body.scope.names[statement.name] = LOST
        elif isinstance(statement, tree.Input):
            body.entered = LOST if body.entered is None else body.entered
            if statement.name is not None:
                body.scope.names[statement.name] = LOST
        elif isinstance(statement, tree.ChainStatement | tree.Output):
            departures.lost = True

    def _statement(self, statement: tree.Statement, body: Body, state: _Progress) -> None:
        refuse_stray(statement, body)
        match statement:
            case tree.ChainStatement():
                self._chain(statement, body, state)
            case tree.Bind():
                self._bind(statement, body)
            case tree.Let() | tree.Param() | tree.Default():
                self._define(statement, body)
            case tree.Input():
                self._input(statement, body, state)
            case tree.Output():
                depart(statement, body, state.departures)
            case tree.Share():
                self._share(statement, body)
            case tree.Assert():
                self._assert(statement, body)

    def file_wide(self, statement: tree.Let | tree.Param | tree.Default, body: Body) -> None:
        """A statement that stands outside all models of a file, where no tensor flows. Raises CnnError, LostValue."""
        refuse_stray(statement, body)
        self._define(statement, body)

    def _define(self, statement: tree.Let | tree.Param | tree.Default, body: Body) -> None:
        match statement:
            case tree.Let():
                self.chains.bind(statement.name, evaluate(statement.value, body.place()), statement.name_span, body)
            case tree.Param():
                self._param(statement, body)
            case tree.Default():
                preset(statement, body)

    def _chain(self, statement: tree.ChainStatement, body: Body, state: _Progress) -> None:
        if state.chain is not None:
            refuse_letter_x(statement.chain.elements[0], state.chain)
            raise CnnError(
                [
                    Diagnostic(
                        "second-chain",
                        "a second chain begins here, and a body has one",
                        (
                            Label(statement.chain.elements[0].span, "expected `→` before this"),
                            Label(state.chain, "the first chain"),
                        ),
                        help="did you forget `→`? Otherwise name one of them: `x = …`",
                        fixes=_arrow(statement.chain.elements[0]),
                    )
                ]
            )
        state.chain = statement.span
        walked = self.chains.chain(statement.chain, None, body)
        if isinstance(walked.flow, Lost):
            state.departures.lost = True
        state.departures.end = walked.flow

    def _bind(self, statement: tree.Bind, body: Body) -> None:
        flow = self.chains.chain(statement.chain, None, body).flow
        if not statement.together:
            self.chains.bind(statement.names[0], flow, statement.name_spans[0], body)
            return
        bind_parts(statement.names, statement.name_spans, flow, statement.span, body, self.chains.bind)

    def _param(self, statement: tree.Param, body: Body) -> None:
        setting = body.settings.get(statement.name)
        if statement.type is None and statement.value is not None:
            statement = typed(statement, evaluate(statement.value, body.place()))
        if setting is not None:
            value, span = setting.value, setting.span
        elif statement.value is not None:
            value, span = evaluate(statement.value, body.place()), statement.value.span
        else:
            raise fault(
                "missing-argument",
                f"`{statement.name}` has no value",
                statement.name_span,
                "expected a value from outside or a default",
                help=f"give it one: `-P {statement.name}=…`",
            )
        self.chains.bind(statement.name, checked(value, statement, span), statement.name_span, body)

    # -- inputs and outputs

    def _input(self, statement: tree.Input, body: Body, state: _Progress) -> None:
        wanted = input_type(statement, body)
        if body.top:
            wire: Flow = self._enter(statement, wanted, state)
        else:
            wire = arrival(statement, wanted, state.arrived, self.findings.calls[-1])
        if statement.name is not None:
            self.chains.bind(statement.name, wire, statement.name_span or statement.span, body)
        state.entered.append(wire)
        wires = tuple(entered for entered in state.entered if isinstance(entered, Wire))
        body.entered = (
            state.entered[0] if len(state.entered) == 1 else wires if len(wires) == len(state.entered) else LOST
        )

    def _enter(self, statement: tree.Input, wanted: TensorType, state: _Progress) -> Wire:
        """A graph input, with its size from outside if one was given."""
        first = not state.entered
        taken = {wire.source.name: wire.source for wire in self.assembly.entrances if isinstance(wire.source, Entrance)}
        name = statement.name or free("input", taken)
        if name in taken:
            raise _twice(name, statement.name_span or statement.span, taken[name].span)
        lengths = self.inputs.pop(name, None) or (self.inputs.pop("", None) if first else None)
        if lengths is not None:
            if len(lengths) != len(wanted.shape):
                raise fault(
                    "wrong-rank",
                    f"`--input` gives {sizes(lengths)} for an input of {wanted}",
                    statement.span,
                    f"expected {len(wanted.shape)} sizes, found {len(lengths)}",
                    help="give as many sizes as the input has",
                )
            wanted = replace_shape(wanted, lengths)
        elif (doubt := channels_last(statement, wanted)) is not None:
            self.findings.add(CnnError([doubt]))
        return self.assembly.enter(name, wanted, statement.span)

    def _share(self, statement: tree.Share, body: Body) -> None:
        before = body.scope.names.get(statement.name)
        if isinstance(before, Shared):
            raise _twice(statement.name, statement.name_span, before.statement.name_span)
        entered = body.entered if body.entered is not None else ()
        shared = Shared.defined(statement, body.scope, body.names, entered)
        self.chains.bind(statement.name, shared, statement.name_span, body)

    def _assert(self, statement: tree.Assert, body: Body) -> None:
        if not body.top:
            # A model used as a block keeps its budget for when it stands alone.
            return
        self.asserts.append((statement, body))


def _arrow(element: tree.Element) -> tuple[Fix, ...]:
    """The arrow that a second chain lacks: where it does not begin with a name, it was meant to go on."""
    primary = element.primary
    named = isinstance(primary, tree.Invocation) and not primary.name[:1].isupper()
    start = Span(element.span.source, element.span.start, element.span.start)
    return () if named or isinstance(primary, tree.This | tree.Tensors | tree.Pick) else (Fix(start, "→ "),)


class _Progress:
    """How far a body has come: its chain, what is still to enter a model used as a block, what has entered."""

    def __init__(self, departures: Departures, arrived: list[Wire]) -> None:
        self.departures = departures
        self.arrived: list[Flow] = list(arrived)
        self.entered: list[Flow] = []
        self.chain: Span | None = None


def _twice(name: str, second: Span, first: Span) -> CnnError:
    labels = (Label(second, "the second one"), Label(first, "the first one"))
    message = f"`{name}` is defined twice"
    return CnnError([Diagnostic("duplicate-name", message, labels, help="give one of them another name")])
