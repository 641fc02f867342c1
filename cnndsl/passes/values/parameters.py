"""Values from outside: `-P name=value`, checked against what the program declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnndsl.diagnostics.errors import CnnError, Fix, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Source, Span
from cnndsl.passes.draft.flow import Lost, LostValue
from cnndsl.passes.values.evaluate import evaluate
from cnndsl.passes.values.kinds import kind
from cnndsl.passes.values.layer_value import Given, IdentityValue, LayerValue
from cnndsl.passes.values.place import Place
from cnndsl.passes.values.scope import BlockValue, Scope
from cnndsl.syntax import tree
from cnndsl.syntax.parser import parse_value

TYPES = ("int", "float", "bool", "text", "list", "block")
_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "text": "a text",
    "list": "a list",
    "block": "a layer or block",
}


def checked(value: Any, statement: tree.Param, span: Span) -> Any:
    """The value as the parameter's type holds it. Raises `wrong-type`, `not-an-integer`."""
    if isinstance(value, Lost):
        return value
    declared = statement.type
    assert declared is not None
    assert statement.type_span is not None
    if declared not in TYPES:
        from cnndsl.habits.statements import TYPES as FOREIGN

        close = FOREIGN.get(declared) or nearest(declared, TYPES)
        raise fault(
            "wrong-type",
            f"no type is called `{declared}`",
            statement.type_span,
            f"expected one of {', '.join(TYPES)}",
            help=f"did you mean `{close}`?" if close else "write `int` for a whole number, `float` for any other",
            fixes=(Fix(statement.type_span, close),) if close else (),
        )
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if declared == "int" and isinstance(value, float) and value.is_integer():
        return int(value)
    if declared == "float" and number:
        return float(value)
    fits = {
        "int": number and isinstance(value, int),
        "float": number,
        "bool": isinstance(value, bool),
        "text": isinstance(value, str),
        "list": isinstance(value, list),
        "block": isinstance(value, LayerValue | BlockValue | IdentityValue),
    }
    if not fits[declared]:
        id = "not-an-integer" if declared == "int" and number else "wrong-type"
        raise fault(
            id,
            f"`{statement.name}` must be {_WANTED[declared]}, and is {kind(value)}",
            span,
            help=f"give it {_WANTED[declared]}",
        )
    return value


def typed(statement: tree.Param, default: Any) -> tree.Param:
    """The statement with its type, which is that of the default where none is written. Raises `wrong-type`."""
    if statement.type is not None or isinstance(default, Lost):
        return statement
    kinds: dict[str, tuple[type, ...]] = {
        "bool": (bool,),
        "int": (int,),
        "float": (float,),
        "text": (str,),
        "list": (list,),
        "block": (LayerValue, BlockValue, IdentityValue),
    }
    for name, classes in kinds.items():
        if isinstance(default, classes):
            return tree.Param(
                statement.span, statement.name, statement.name_span, name, statement.name_span, statement.value
            )
    raise fault(
        "wrong-type",
        f"no parameter holds {kind(default)}, the default of `{statement.name}`",
        statement.value.span if statement.value else statement.span,
        f"expected one of {', '.join(TYPES)}, found {kind(default)}",
        help=f"give it {_WANTED['list']}, or a number",
    )


def types(statements: tuple[tree.Statement, ...]) -> dict[str, str]:
    """The types of parameters by name; nothing for one whose default is to be worked out first."""
    return {
        s.name: s.type or ("text" if isinstance(s.value, tree.Text) else "")
        for s in statements
        if isinstance(s, tree.Param)
    }


def settings(parameters: Mapping[str, Any], scope: Scope, types: Mapping[str, str]) -> dict[str, Given]:
    """Values from outside. A text is read as a value of the language, unless a text is what is wanted."""
    made: dict[str, Given] = {}
    for name, value in parameters.items():
        text = Source("-P", f"{name}={value}")
        span = Span(text, len(name) + 1, len(text.text))
        if isinstance(value, str) and not (types.get(name) == "text" and not value.startswith('"')):
            written = parse_value(text, span.start, span.end)
            try:
                value = evaluate(written, Place(scope, (), ()))
            except LostValue:
                continue
            except CnnError as error:
                if error.diagnostics[0].id != "unknown-name" or not isinstance(written, tree.Name):
                    raise
                # A word alone is often meant as a text.
                wanted = _WANTED.get(types.get(name, ""), "")
                raise fault(
                    "wrong-type" if wanted else "unknown-name",
                    f"`{name}` must be {wanted}, and is the word `{value}`"
                    if wanted
                    else f"nothing is called `{value}`",
                    span,
                    help=f"give it {wanted}" if wanted else f'a text is written in quotes: `"{value}"`',
                ) from None
        made[name] = Given(name, value, span)
    return made
