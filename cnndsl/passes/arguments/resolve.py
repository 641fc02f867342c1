"""A word and its arguments become an op; each wrong argument is told at its own place."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Fix, Label
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Span
from cnndsl.ir.op import Op
from cnndsl.ir.written import show
from cnndsl.passes.arguments.other_arguments import unknown_argument
from cnndsl.passes.arguments.other_order import in_other_order
from cnndsl.passes.draft.flow import Spans, Wire
from cnndsl.passes.values.kinds import kind
from cnndsl.passes.values.layer_value import Given, LayerValue

MOST_POSITIONAL = 2


def resolve(layer: LayerValue, span: Span) -> tuple[Op, Spans]:
    """The op, and where each of its arguments was written. Raises CnnError with all that is wrong with them."""
    values, spans, wrong = _by_name(layer)
    other = in_other_order(layer, values, spans, span)
    if other is not None:
        raise CnnError([other])
    for name in [name for name in values if name not in layer.op.model_fields or name in layer.op.implied]:
        wrong.append(unknown_argument(layer, name, spans[name], span))
        del values[name]
    if layer.window is not None:
        if "window" in values and any(g.name == "window" for g in layer.given):
            wrong.append(
                Diagnostic(
                    "repeated-argument",
                    f"the window of `{layer.word}` is given twice",
                    (Label(spans["window"], "expected no `window` beside the one in the word"),),
                    help="delete it, or write the word without sizes",
                )
            )
        values["window"], spans["window"] = layer.window, span
    missing = [name for name in _required(layer.op) if name not in values]
    if missing and not wrong:
        wrong.append(_missing(layer, missing[0], span))
    if wrong:
        raise CnnError(wrong)
    try:
        return layer.op.model_validate({name: _plain(name, value) for name, value in values.items()}), spans
    except ValidationError as error:
        raise CnnError(_explained(layer, error, values, spans, span)) from None


@cache
def _required(op: type[Op]) -> tuple[str, ...]:
    fields = op.model_fields.items()
    return tuple(name for name, field in fields if field.is_required() and name not in op.implied)


def _by_name(layer: LayerValue) -> tuple[dict[str, Any], Spans, list[Diagnostic]]:
    values: dict[str, Any] = {}
    spans: Spans = {}
    for preset in layer.presets:
        assert preset.name is not None
        values[preset.name], spans[preset.name] = preset.value, preset.span
    wrong: list[Diagnostic] = []
    names = layer.op.arguments()[:MOST_POSITIONAL]
    seen: dict[str, Given] = {}
    position = 0
    for argument in _gathered(layer) if layer.op.variadic else layer.given:
        name = argument.name
        if name is None:
            if position >= len(names):
                wrong.append(_too_many(layer, names, argument.span))
                break
            name = names[position]
            position += 1
        if name in seen:
            wrong.append(
                Diagnostic(
                    "repeated-argument",
                    f"`{name}` is given twice",
                    (Label(argument.span, "a second time"), Label(seen[name].span, "first here")),
                    help="delete one of them",
                )
            )
        seen[name] = argument
        values[name], spans[name] = argument.value, argument.span
    return values, spans, wrong


def _gathered(layer: LayerValue) -> tuple[Given, ...]:
    """All arguments without a name as one: a tuple of them, or the tuple that the only one already is."""
    unnamed = [given for given in layer.given if given.name is None]
    if len(unnamed) < 2:
        return layer.given
    together = Given(None, tuple(given.value for given in unnamed), unnamed[0].span.to(unnamed[-1].span))
    return (together, *(given for given in layer.given if given.name is not None))


def _too_many(layer: LayerValue, names: tuple[str, ...], span: Span) -> Diagnostic:
    rest = layer.op.arguments()[len(names) :]
    taken = " and ".join(f"`{name}`" for name in names) or "none"
    return Diagnostic(
        "too-many-arguments",
        f"`{layer.word}` takes {len(names) or 'no'} argument{'' if len(names) == 1 else 's'} without a name",
        (Label(span, "expected no more, or a name"),),
        notes=(f"they are {taken}",) if names else (),
        help=f"name it: `{rest[0]}=…`" if rest else "delete it",
    )


def _missing(layer: LayerValue, name: str, span: Span) -> Diagnostic:
    return Diagnostic(
        "missing-argument",
        f"`{layer.op.word}` needs `{name}`",
        (Label(span, f"expected `{name}`, found no such argument"),),
        notes=(_documentation(layer.op, name),),
        help=f"write `{layer.word}({'…' if name in layer.op.arguments()[:MOST_POSITIONAL] else name + '=…'})`",
    )


def _documentation(op: type[Op], name: str) -> str:
    text = op.documentation().get(name, "").rstrip(".")
    return f"`{name}`: {text[:1].lower()}{text[1:]}"


def _plain(name: str, value: Any) -> Any:
    """A value as an op's field holds it: of the tensor behind `like=` only its sizes count."""
    return value.type.size if name == "like" and isinstance(value, Wire) else _whole(value)


def _whole(value: Any) -> Any:
    """Whole doubles as integers, wherever they stand: a field for real numbers takes either."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list | tuple):
        return tuple(_whole(item) for item in value)
    return value


def _explained(
    layer: LayerValue, error: ValidationError, values: dict[str, Any], spans: Spans, span: Span
) -> list[Diagnostic]:
    """pydantic's errors, one a field, in the language's words."""
    first: dict[str, ErrorDetails] = {}
    for details in error.errors(include_url=False):
        first.setdefault(str(details["loc"][0]) if details["loc"] else "", details)
    return [_one(layer, name, details, values.get(name), spans.get(name, span)) for name, details in first.items()]


_OURS = ("wrong-type", "not-an-integer", "out-of-range")
_BOUNDS = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
}
_BOUND_KEYS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}


def _one(layer: LayerValue, name: str, details: ErrorDetails, value: Any, span: Span) -> Diagnostic:
    kind_of_error, context = details["type"], details.get("ctx", {})
    found = show(value) if _is_written(value) else kind(value)
    if kind_of_error in _OURS:
        id, expected = kind_of_error, details["msg"].removeprefix("expected ").rsplit(", found", 1)[0]
    elif kind_of_error in _BOUNDS:
        id, expected = "out-of-range", f"{_BOUNDS[kind_of_error]} {context[_BOUND_KEYS[kind_of_error]]:g}"
    else:
        id, expected = "wrong-type", _expected(layer.op.model_fields[name].annotation)
    words = _words(layer.op.model_fields[name].annotation)
    close = nearest(value, words) if isinstance(value, str) and words else None
    return Diagnostic(
        id,
        f"`{name}` of `{layer.op.word}` must be {expected}, and is {found}",
        (Label(span, f"expected {expected}, found {found}"),),
        notes=(_documentation(layer.op, name),),
        help=f"did you mean `{close}`?" if close else _advice(layer.op, name, id, span, expected),
        fixes=_division(span) if id == "not-an-integer" else (),
    )


def _advice(op: type[Op], name: str, id: str, span: Span, expected: str) -> str:
    """What to do about a value that does not fit."""
    if id == "not-an-integer" and (fixes := _division(span)):
        return f"`//` divides whole numbers: write `{fixes[0].text}`"
    if name == "like":
        return "give it a tensor that has a name: `as e1` behind a layer, then `like=e1`"
    if name == "p" and id == "out-of-range":
        return "give a share from 0 to 1: `0.5` for one half"
    example = _example(op, name)
    return f"give `{name}` {expected}" + (f", as `{name}={example}`" if id == "wrong-type" else "")


def _division(span: Span) -> tuple[Fix, ...]:
    """`33 / 2` with the sign that divides whole numbers."""
    text = span.text
    return (Fix(span, text.replace("/", "//")),) if "/" in text and "//" not in text else ()


def _is_written(value: Any) -> bool:
    """Whether a value can be shown as it would be written: numbers, texts, and lists of them."""
    if isinstance(value, list | tuple):
        return all(map(_is_written, value))
    return isinstance(value, bool | int | float | str)


def _words(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation) if isinstance(word, str)]
    return [word for part in get_args(annotation) for word in _words(part)]


def _expected(annotation: Any) -> str:
    words = _words(annotation)
    parts = [*words]
    arms = {annotation, *get_args(annotation)}
    if bool in arms:
        parts.append("true or false")
    if float in arms:
        parts.append("a number")
    elif int in arms:
        parts.append("a whole number")
    if any(get_origin(arm) is tuple for arm in arms):
        parts.append("one number per axis")
    if str in arms and not words:
        parts.append("a text")
    return (
        " or ".join([", ".join(parts[:-1]), parts[-1]])
        if len(parts) > 1
        else parts[0]
        if parts
        else "another kind of value"
    )


def _example(op: type[Op], name: str) -> str:
    field = op.model_fields[name]
    default = field.default
    if name == "like":
        return "in"
    if get_origin(field.annotation) is tuple:
        return "(1, 2)"
    if field.is_required() or default is None:
        return "1"
    return show(default) if not isinstance(default, str) else default
