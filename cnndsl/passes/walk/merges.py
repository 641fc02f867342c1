"""Merges: branches expanded from the arriving tensor, then joined."""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.diagnostics.errors import CnnError, Fix, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Span
from cnndsl.ir.op import Op, find, registry
from cnndsl.passes.arguments.resolve import resolve
from cnndsl.passes.draft.flow import LOST, Flow, Lost, LostValue, Spans, Wire
from cnndsl.passes.draft.name import FrameDraft
from cnndsl.passes.values.evaluate import evaluate, given, truth
from cnndsl.passes.values.layer_value import LayerValue
from cnndsl.passes.values.visible import words_of
from cnndsl.passes.walk.body import Body
from cnndsl.passes.walk.repeats import rounds
from cnndsl.passes.walk.tensors import picked
from cnndsl.passes.walk.walker import Walker
from cnndsl.syntax import tree


class Merges:
    """Expands `word{ branch | branch }` with the chains of its branches."""

    def __init__(self, walker: Walker) -> None:
        self.walker = walker

    def merge(self, merge: tree.Merge, flow: Flow | None, body: Body, key: str | None) -> Flow:
        op, spans = self._merge_op(merge, flow, body)
        if len(merge.branches) < 2 and merge.each is None and not self._several_named(merge, flow, body):
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

    def _several_named(self, merge: tree.Merge, flow: Flow | None, body: Body) -> bool:
        """Whether the only branch is the name of a tuple."""
        branch = merge.branches[0]
        alone = named_alone(branch, flow, body) if isinstance(branch, tree.Chain) else None
        return alone is not None and not any(isinstance(part, int | float) for part in alone)

    def _merge_op(self, merge: tree.Merge, flow: Flow | None, body: Body) -> tuple[Op, Spans]:
        if not merge.name:
            raise LostValue
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

    def collected(self, primary: tree.Collected, flow: Flow | None, body: Body, key: str | None) -> Flow:
        """The tensors that `(chain for names in values)` leads to, as a tuple."""
        if key is None:
            return self._tuple(primary, flow, body)
        names = body.names.scope(key)
        body.names.take_position()
        outer = self.walker.assembly.open_frame(FrameDraft("group", key, primary.span, names=names))
        try:
            return self._tuple(primary, flow, body.inside(names))
        finally:
            self.walker.assembly.frame = outer

    def _tuple(self, primary: tree.Collected, flow: Flow | None, body: Body) -> Flow:
        wires: list[Wire] = []
        lost = False
        for end, span in self._rounds(primary.chain, primary.each, flow, body):
            if isinstance(end, Lost):
                lost = True
            elif isinstance(end, Wire):
                wires.append(end)
            else:
                raise _several(end, span)
        return LOST if lost else tuple(wires)

    def _joined(self, merge: tree.Merge, op: Op, spans: Spans, flow: Flow | None, body: Body) -> Flow:
        ends = self._branches(merge, flow, body)
        if any(end is LOST for end, _ in ends):
            return LOST
        wires: list[Wire] = []
        arrivals: list[Span] = []
        numbers: list[float | None] = []
        for end, span in ends:
            if isinstance(end, int | float):
                _refuse_number(merge, op, end, span)
                numbers.append(float(end))
                continue
            if not isinstance(end, Wire):
                raise _several(end, span)
            wires.append(end)
            arrivals.append(span)
            numbers.append(None)
        if not wires and len(numbers) > 0:
            raise fault(
                "wrong-number-of-tensors",
                f"`{merge.name}` joins tensors, and all branches are numbers",
                merge.span,
                "expected one tensor or more, found none",
                help="write the tensor among its branches: `id` is the one that arrives",
            )
        if not wires:
            raise fault(
                "empty-branch", f"`{merge.name}` has no branch left", merge.span, help="keep at least one branch"
            )
        if len(numbers) == 1:
            return wires[0]
        if any(number is not None for number in numbers):
            op = op.model_copy(update={"numbers": tuple(numbers)})
        return self.walker.assembly.apply(op, tuple(wires), body.names, None, merge.span, spans, tuple(arrivals))

    def _branches(self, merge: tree.Merge, flow: Flow | None, body: Body) -> list[tuple[Flow | float, Span]]:
        found: list[tuple[Flow | float, Span]] = []
        if merge.each is not None:
            chain = merge.branches[0]
            assert isinstance(chain, tree.Chain)
            return [*self._rounds(chain, merge.each, flow, body)]
        for branch in merge.branches:
            if isinstance(branch, tree.Chain):
                alone = named_alone(branch, flow, body) if len(branch.elements) == 1 else None
                if alone is not None:
                    found += [(part, branch.span) for part in alone]
                elif (end := self._branch(branch, flow, body)) is not None:
                    found.append(end)
            else:
                found.append((evaluate(branch, body.place(flow)), branch.span))
        return found

    def _rounds(self, chain: tree.Chain, each: tree.Each, flow: Flow | None, body: Body) -> Iterator[tuple[Flow, Span]]:
        """Where each round of a `for` that makes branches leads."""
        bound, _ = rounds(each, None, flow, body)
        self.walker.repeats.begin(chain, body)
        for names in bound:
            self.walker.step(chain.span)
            end = self._branch(chain, flow, body.inside(bound=dict(names)))
            if end is not None:
                yield end

    def _branch(self, chain: tree.Chain, flow: Flow | None, body: Body) -> tuple[Flow, Span] | None:
        """A branch's end; None if an `else none` leaves the branch out."""
        _refuse_misleading(chain)
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


def named_alone(branch: tree.Chain, flow: Flow | None, body: Body) -> tuple[Wire | Lost | float, ...] | None:
    """What a branch stands for that is the name of a number, or of a tuple of tensors: one branch for each of these.
    None for all others."""
    if len(branch.elements) > 1:
        return None
    (element,) = branch.elements
    primary, condition = element.primary, element.condition
    if element.label is not None or element.repeat is not None or element.tap is not None:
        return None
    if not _is_name(primary) and (condition is None or not _is_name(condition.otherwise)):
        return None
    if condition is not None and not truth(condition.value, body.place(flow)):
        if condition.otherwise is None:
            return None
        primary = condition.otherwise
    if not isinstance(primary, tree.Invocation | tree.Pick) or not _is_name(primary):
        return None
    try:
        found = body.scope.find(primary.name)
    except KeyError:
        return None
    if isinstance(primary, tree.Pick) and isinstance(found, list | tuple):
        found = picked(primary, body)
    if isinstance(found, int | float) and not isinstance(found, bool):
        return (found,)
    if found is LOST:
        return (LOST,)
    several = isinstance(found, tuple) and all(isinstance(part, Wire | Lost) for part in found)
    return found if several else None


def _is_name(primary: tree.Primary | None) -> bool:
    return isinstance(primary, tree.Pick) or (isinstance(primary, tree.Invocation) and primary.arguments is None)


def _refuse_misleading(chain: tree.Chain) -> None:
    """`else none` leaves a whole branch out, and so stands on the only element of one."""
    for element in chain.elements if len(chain.elements) > 1 else ():
        if element.condition is not None and element.condition.nothing:
            raise fault(
                "misleading-none",
                "`else none` leaves out a whole branch, and here it stands on one element of several",
                element.condition.span,
                "expected it on an element that is alone in its branch",
                help="put brackets around the branch: `[A → B] if c else none`; for this element alone, leave "
                "`else none` out",
            )


def _refuse_number(merge: tree.Merge, op: Op, number: float, span: Span) -> None:
    if "numbers" not in type(op).model_fields:
        raise fault(
            "wrong-type",
            f"`{merge.name}` joins tensors, and {number} is a number",
            span,
            help="multiply by a number with `mul`, add one with `add`",
        )


def _several(flow: Flow, span: Span) -> CnnError:
    count = len(flow) if isinstance(flow, tuple) else 0
    return fault(
        "wrong-number-of-tensors",
        f"a branch brings one tensor, and this one {count}",
        span,
        help="pick one: `parts[0]`; or name them, `as parts`, and write that name alone as a branch",
    )
