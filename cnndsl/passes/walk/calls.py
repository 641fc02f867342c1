"""What blocks, models and shares stand for: their parameters bound, their bodies expanded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Span
from cnndsl.passes.draft.flow import LOST, Flow, Lost, LostValue
from cnndsl.passes.draft.name import FrameDraft
from cnndsl.passes.values.evaluate import evaluate
from cnndsl.passes.values.layer_value import Given
from cnndsl.passes.values.scope import BlockValue, Definition, Scope
from cnndsl.passes.values.share import Lending, Shared
from cnndsl.passes.walk.body import Body
from cnndsl.passes.walk.walker import Walker
from cnndsl.syntax import tree

MOST_CALLS = 64
_PLAIN = (bool, int, float, str)

RunBody = Callable[[tuple[tree.Statement, ...], Body, Span], Flow]


class Calls:
    """Walks what is called. `run` walks the statements of a body and gives what leaves it."""

    def __init__(self, walker: Walker, run: RunBody) -> None:
        self.walker = walker
        self.run = run
        self.active: list[Definition | Shared] = []

    def block(self, value: BlockValue, flow: Flow, body: Body, key: str | None, span: Span) -> Flow:
        """A block's output for what arrives."""
        definition = value.definition
        self._enter(definition, f"the block `{definition.name}`", span)
        position = body.names.take_position()
        names = body.names.scope(position if key is None else key)
        assembly = self.walker.assembly
        opened = FrameDraft("block", definition.name, span, names=names)
        outer = assembly.open_frame(opened)
        self.walker.findings.calls.append(span)
        try:
            sort: Literal["model", "block"] = "model" if isinstance(definition.node, tree.Model) else "block"
            inner = Body(Scope(definition.scope, definition.scope.source), names, flow, kind=sort)
            self.bind_parameters(value, inner, span)
            opened.arguments = {name: v for name, v in inner.scope.names.items() if isinstance(v, _PLAIN)}
            if flow is LOST:
                return LOST
            self._take(definition, flow, inner, span)
            return self.run(definition.node.body, inner, definition.node.name_span)
        finally:
            self.walker.findings.calls.pop()
            assembly.frame = outer
            self.active.pop()

    def _enter(self, what: Definition | Shared, called: str, span: Span) -> None:
        if what in self.active:
            raise fault(
                "recursive-block",
                f"{called} contains itself",
                span,
                "it is being expanded when this call is met",
                help="repeat with `×` or `for`",
            )
        if len(self.active) >= MOST_CALLS:
            raise fault("too-deep", f"blocks call blocks deeper than {MOST_CALLS}", span, help="merge some of them")
        self.active.append(what)

    def _take(self, definition: Definition, flow: Flow, inner: Body, span: Span) -> None:
        """The names after `takes` for the tensors that arrive."""
        node = definition.node
        if isinstance(node, tree.Model) or not node.takes:
            return
        wires: tuple[Flow, ...] = flow if isinstance(flow, tuple) else (flow,)
        single = node.takes
        if node.gathers and len(wires) >= len(node.takes) - 1:
            # The last name takes all that the others leave.
            *single_, rest = node.takes
            single = tuple(single_)
            if rest != "_":
                inner.scope.names[rest] = wires[len(single) :]
            wires = wires[: len(single)]
        if len(wires) != len(single):
            raise fault(
                "wrong-number-of-tensors",
                f"`{definition.name}` takes {len(node.takes)} tensor{'s' if len(node.takes) > 1 else ''}, "
                f"and {len(wires)} arrive{'s' if len(wires) == 1 else ''}",
                span,
                f"expected {len(node.takes)} ({', '.join(node.takes)}), found {len(wires)}",
                help=f"begin the chain with them: `({', '.join(node.takes)}) → {definition.name}`"
                if len(node.takes) > 1
                else "give it one of them",
            )
        inner.scope.names |= {name: wire for name, wire in zip(single, wires, strict=True) if name != "_"}
        if self.walker.findings.recorder is not None:
            for name_span, wire in zip(node.take_spans, wires, strict=False):
                self.walker.findings.recorder.named(name_span, wire)

    def bind_parameters(self, value: BlockValue, inner: Body, span: Span) -> None:
        """Parameters from the arguments, else from their defaults, which may speak of earlier ones and of `in`."""
        definition = value.definition
        parameters = definition.node.parameters or ()
        names = [parameter.name for parameter in parameters]
        settable = {s.name for s in definition.node.body if isinstance(s, tree.Param)}
        found: dict[str, Given] = {g.name: g for g in value.presets if g.name in names}
        explicit: dict[str, Given] = {}
        position = 0
        for argument in value.given:
            name = argument.name
            if name is None:
                if position >= len(names):
                    raise fault(
                        "too-many-arguments",
                        f"`{definition.name}` takes {len(names)} argument{'' if len(names) == 1 else 's'}, found more",
                        argument.span,
                        notes=(f"they are {', '.join(names)}",) if names else (),
                        help="delete it",
                    )
                name = names[position]
                position += 1
            elif name in settable:
                inner.settings[name] = argument
                continue
            elif name not in names:
                close = nearest(name, [*names, *settable])
                raise fault(
                    "unknown-argument",
                    f"`{definition.name}` has no argument `{name}`",
                    argument.span,
                    notes=(f"expected one of {', '.join([*names, *sorted(settable)])}",)
                    if names or settable
                    else ("it takes none",),
                    help=f"did you mean `{close}`?" if close else "delete it",
                )
            if name in explicit:
                raise CnnError(
                    [
                        Diagnostic(
                            "repeated-argument",
                            f"`{name}` is given twice",
                            (Label(argument.span, "a second time"), Label(explicit[name].span, "first here")),
                            help="delete one of them",
                        )
                    ]
                )
            explicit[name] = found[name] = argument
        for parameter in parameters:
            value_ = self._parameter(parameter, found, inner, definition, span)
            if parameter.name not in ("", "_"):
                inner.scope.names[parameter.name] = value_
                if self.walker.findings.recorder is not None:
                    self.walker.findings.recorder.named(parameter.span, value_)

    def _parameter(
        self, parameter: tree.Parameter, found: dict[str, Given], inner: Body, definition: Definition, span: Span
    ) -> Any:
        if parameter.name in found:
            return found[parameter.name].value
        if parameter.default is None:
            raise fault(
                "missing-argument",
                f"`{definition.name}` needs `{parameter.name}`",
                span,
                f"expected `{parameter.name}`, found no such argument",
                help=f"give it one: `-P {parameter.name}=…`"
                if inner.top
                else f"write `{definition.name}({parameter.name}=…)`",
            )
        try:
            return evaluate(parameter.default, inner.place())
        except LostValue:
            return LOST

    def share(self, shared: Shared, flow: Flow, span: Span) -> Flow:
        """A share's output: its first use makes the layers, each later one runs them again."""
        self._enter(shared, f"the share `{shared.statement.name}`", span)
        assembly = self.walker.assembly
        opened = FrameDraft("block", shared.statement.name, span, names=shared.names if shared.drafts is None else None)
        outer, lender = assembly.open_frame(opened), assembly.lender
        start, positions = len(assembly.drafts), shared.names.positions
        lending = None if shared.drafts is None else Lending(shared, span)
        try:
            if isinstance(flow, Lost):
                return LOST
            assembly.lender = lending or lender
            inner = Body(shared.scope, shared.names, shared.entered)
            walked = self.walker.chain(shared.chain, flow, inner, in_middle=True)
            if lending is None:
                shared.drafts, shared.first_use = assembly.drafts[start:], span
            elif walked.flow is not LOST:
                lending.finish(len(assembly.drafts) - start)
            return walked.flow
        finally:
            # A share is counted where it is defined: its uses take no position.
            shared.names.positions = positions
            assembly.frame, assembly.lender = outer, lender
            if lending is not None and isinstance(lender, Lending):
                # A share inside a share that is used again: its nodes are among those the outer one lends.
                del lender.left[: len(assembly.drafts) - start]
            self.active.pop()
