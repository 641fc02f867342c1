"""Inputs: the type a statement declares, and what a model used as a block is given."""

from __future__ import annotations

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Fix, Label, Refusal, Severity, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Span
from cnndsl.ir.arguments import MOST_SIZE
from cnndsl.ir.tensor import BYTES, MOST_AXES, TensorType
from cnndsl.ir.written import sizes
from cnndsl.passes.draft.flow import LOST, Flow, Wire
from cnndsl.passes.values.evaluate import evaluate
from cnndsl.passes.values.functions import integer
from cnndsl.passes.values.kinds import kind
from cnndsl.passes.walk.body import Body
from cnndsl.syntax import tree


def input_type(statement: tree.Input, body: Body) -> TensorType:
    """The type an `input` statement declares. Raises CnnError for lengths beyond the limits."""
    lengths = []
    for dimension in statement.dimensions:
        value = evaluate(dimension, body.place())
        try:
            size = integer(value)
        except Refusal:
            raise fault(
                "not-an-integer",
                f"a size must be a whole number from 1, found {kind(value)}",
                dimension.span,
                help="write a whole number",
            ) from None
        if not 1 <= size <= MOST_SIZE:
            raise fault(
                "out-of-range",
                f"a size must be from 1 to 2^31, found {size}",
                dimension.span,
                help="write a size within the limits",
            )
        lengths.append(size)
    most = 2 if statement.tokens else MOST_AXES
    if len(lengths) > most or (statement.tokens and len(lengths) != 2):
        found = sizes(lengths)
        expected = "tokens×channels" if statement.tokens else "channels and at most five axes behind them"
        raise fault(
            "wrong-rank",
            f"an input has {expected}, found {found}",
            statement.span,
            help="leave the batch axis out" if not statement.tokens else "write `input tokens 50×768`",
        )
    dtype = statement.dtype or "float32"
    if dtype not in BYTES:
        close = nearest(dtype, BYTES)
        raise fault(
            "wrong-type",
            f"no numbers are called {dtype}",
            statement.dtype_span or statement.span,
            f"expected one of {', '.join(BYTES)}",
            help=f"did you mean `{close}`?" if close else "write `of int64`",
        )
    return TensorType(shape=tuple(lengths), dtype=dtype, channel_axis=1 if statement.tokens else 0)


_LEAST_SIDE = 24


def channels_last(statement: tree.Input, found: TensorType) -> Diagnostic | None:
    """A warning for an input that reads as height×width×channels: `224×224×3`."""
    shape = found.shape
    if len(shape) != 3 or shape[2] not in (1, 3, 4) or min(shape[:2]) < _LEAST_SIDE:
        return None
    turned = sizes((shape[2], *shape[:2]))
    literal = all(isinstance(dimension, tree.Number) for dimension in statement.dimensions)
    name = f"{statement.name}: " if statement.name else ""
    fix = Fix(statement.span, f"input {name}{turned}")
    return Diagnostic(
        "channels-last",
        f"channels come first: this is a map of {shape[1]}×{shape[2]} with {shape[0]} channels",
        (Label(statement.span, f"expected `{turned}` for a picture of {shape[0]}×{shape[1]}, found `{sizes(shape)}`"),),
        help=f"write `{fix.text}`",
        severity=Severity.WARNING,
        fixes=(fix,) if literal and statement.dtype is None else (),
    )


def arrival(statement: tree.Input, wanted: TensorType, arrived: list[Flow], call: Span) -> Flow:
    """A model used as a block, by `call`: its input checks the axes and channels of what arrives."""
    if not arrived:
        raise _unfit(
            "wrong-number-of-tensors",
            "the model has more inputs than tensors arrive",
            call,
            "expected one tensor for each input",
            statement.span,
            "nothing is left for this one",
            "give it all of them: `(a, b) → …`",
        )
    wire = arrived.pop(0)
    if not isinstance(wire, Wire):
        return LOST
    found = wire.type
    if (
        len(found.shape) != len(wanted.shape)
        or found.channel_axis != wanted.channel_axis
        or found.channels != wanted.channels
    ):
        axes = f"{wanted.rank} {'axis' if wanted.rank == 1 else 'axes'}"
        raise _unfit(
            "shape-mismatch",
            f"the model takes {wanted} and {found} arrives",
            call,
            f"found {found}",
            statement.span,
            f"expected {wanted.channels} channels and {axes} behind them, of any size",
            f"bring the tensor to {wanted.channels} channels before it"
            if len(found.shape) == len(wanted.shape)
            else "bring the tensor to as many axes before it",
        )
    return wire


def _unfit(id: str, message: str, call: Span, found: str, input: Span, expected: str, help: str) -> CnnError:
    return CnnError([Diagnostic(id, message, (Label(call, found), Label(input, expected)), help=help)])


def replace_shape(wanted: TensorType, lengths: tuple[int, ...]) -> TensorType:
    return TensorType(shape=lengths, dtype=wanted.dtype, channel_axis=wanted.channel_axis)
