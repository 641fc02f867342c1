"""Works out the values of a program: exact integers, IEEE doubles, lists, layers, sizes of tensors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from cnndsl.diagnostics.errors import CnnError, Fix, Refusal, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.passes.draft.flow import Lost, Wire
from cnndsl.passes.values.arithmetic import operand, operation
from cnndsl.passes.values.extent import extent
from cnndsl.passes.values.formula import worked_out
from cnndsl.passes.values.functions import CONSTANTS, FUNCTIONS, integer, limited, span_of_integers
from cnndsl.passes.values.kinds import kind
from cnndsl.passes.values.layer_value import IDENTITY, Given, LayerValue
from cnndsl.passes.values.loops import bound_rounds
from cnndsl.passes.values.misfits import refuse_misfits
from cnndsl.passes.values.place import Place, known
from cnndsl.passes.values.scope import BlockValue, Definition, Formula, Scope
from cnndsl.passes.values.sizes import attribute_of
from cnndsl.passes.values.visible import find_layer, unknown_word, words_of
from cnndsl.syntax import tree

T = TypeVar("T")


def evaluate(value: tree.Value, place: Place) -> Any:
    """The value of an expression. Raises CnnError, and LostValue where a tensor is lost."""
    try:
        place.scope.spend()
        return limited(_EVALUATORS[type(value)](value, place))
    except Refusal as refusal:
        raise fault(refusal.id, refusal.message, value.span, notes=refusal.notes, help=refusal.help) from None


def truth(value: tree.Value, place: Place) -> bool:
    """A condition's value. Raises `wrong-type` unless it is true or false."""
    result = evaluate(value, place)
    if not isinstance(result, bool):
        raise fault(
            "wrong-type",
            f"expected true or false, found {kind(result)}",
            value.span,
            help="compare it with something: `x ≠ 0`",
        )
    return result


def given(
    arguments: tuple[tree.Argument, ...], place: Place, words: dict[str, frozenset[str]], before: int = 0
) -> tuple[Given, ...]:
    """Arguments worked out in order. `words` gives the bare words that each argument knows; `before` of them have been
    given without a name already."""
    results = []
    named = False
    in_order = iter([bare for name, bare in words.items() if name != "window"][before:])
    for argument in arguments:
        if argument.name is None and named:
            raise fault(
                "positional-after-keyword",
                "an argument without a name follows one with a name",
                argument.span,
                "expected `name=value`",
                help="name it, or put it first",
            )
        following = next(in_order, frozenset())
        if argument.name is None:
            bare = following
        elif argument.name in words:
            named, bare = True, words[argument.name]
        else:
            # An argument that the layer does not have is told as that, whatever word it is given.
            named, bare = True, frozenset().union(*words.values())
        results.append(Given(argument.name, evaluate(argument.value, place.among(bare, words)), argument.span))
    return tuple(results)


def _constant(value: tree.Number | tree.Text | tree.Constant, place: Place) -> Any:
    if isinstance(value, tree.Constant) and value.value is None and "none" in place.words:
        return "none"
    return value.value


def _name(value: tree.Name, place: Place) -> Any:
    name = value.name
    if name == "id":
        return IDENTITY
    if name == "in":
        return place.arrived(place.entered, value.span)
    if name in place.words:
        return name
    try:
        return look_up(name, value, place.scope)
    except CnnError:
        owners = [argument for argument, words in place.elsewhere.items() if name in words]
        close = f"{owners[0]}={name}" if owners else nearest(name, place.words)
        if close is None:
            raise
        raise fault(
            "unknown-name",
            f"nothing is called `{name}`",
            value.span,
            f"expected {', '.join(sorted(place.words)) or 'a value'}, found `{name}`",
            help=f"did you mean `{close}`?",
            fixes=() if owners else (Fix(value.span, close),),
        ) from None


def look_up(name: str, value: tree.Name | tree.Call | tree.Invocation, scope: Scope) -> Any:
    """A name's value, or the block or layer of that name with the defaults in force. Raises `unknown-name` and its kin."""
    try:
        found = scope.find(name)
    except KeyError:
        layer = find_layer(name, scope)
        if layer is None and name in CONSTANTS:
            return CONSTANTS[name]
        if layer is None:
            raise unknown_word(name, value, scope) from None
        return layer
    if isinstance(found, Definition):
        return BlockValue(found, (), tuple(scope.defaults_for(name).values()))
    return known(found)


def _attribute(value: tree.Attribute, place: Place) -> Any:
    of = value.of
    arriving = isinstance(of, tree.Name) and of.name == "id"
    found = place.arrived(place.here, of.span) if arriving else evaluate(of, place)
    if isinstance(found, tuple) and found and all(isinstance(item, Wire | Lost) for item in found):
        raise fault(
            "ambiguous-in",
            f"{len(found)} tensors are here, and `.{value.name}` is of one",
            value.span,
            help="name one of them: `block Name takes a, b { … }` and `a.channels`",
        )
    if not isinstance(found, Wire):
        raise fault(
            "unknown-attribute",
            f"{kind(found)} has no `.{value.name}`",
            value.name_span,
            help="only tensors have sizes: `in.channels`",
        )
    return attribute_of(found, value)


def _index(value: tree.Index, place: Place) -> Any:
    of = evaluate(value.of, place)
    if not isinstance(of, list | tuple):
        raise fault(
            "wrong-type", f"expected a list, found {kind(of)}", value.of.span, help="only lists and tuples have parts"
        )
    if isinstance(value.index, tree.Range):
        first = integer(evaluate(value.index.first, place))
        last = len(of) - 1 if value.index.last is None else integer(evaluate(value.index.last, place))
        if not (0 <= first <= last + 1 and last < len(of)):
            raise Refusal(
                "out-of-range",
                f"positions {first} to {last} of a list of {len(of)}",
                help=f"use positions from 0 to {len(of) - 1}",
            )
        return of[first : last + 1]
    index = integer(evaluate(value.index, place))
    if not -len(of) <= index < len(of):
        raise fault(
            "out-of-range",
            f"position {index} of a list of {len(of)}",
            value.index.span,
            notes=(f"expected 0 to {len(of) - 1}, found {index}",) if of else ("the list is empty",),
            help="positions count from 0",
        )
    return known(of[index])


def _call(value: tree.Call, place: Place) -> Any:
    try:
        callee = place.scope.find(value.name)
    except KeyError:
        if value.name in FUNCTIONS:
            return _function(value, place)
        callee = look_up(value.name, value, place.scope)
    if isinstance(callee, Definition):
        callee = BlockValue(callee, (), tuple(place.scope.defaults_for(value.name).values()))
    if isinstance(callee, LayerValue | BlockValue):
        return with_arguments(callee, value.arguments, place)
    if isinstance(callee, Formula):
        return worked_out(callee, given(value.arguments, place, {}), value.span, evaluate)
    raise fault(
        "not-callable",
        f"`{value.name}` is {kind(known(callee))} and takes no arguments",
        value.span,
        help="delete the brackets",
    )


def with_arguments(
    callee: LayerValue | BlockValue, arguments: tuple[tree.Argument, ...], place: Place
) -> LayerValue | BlockValue:
    """A layer or block with these arguments after the ones it has; a named one replaces its like."""
    before = sum(argument.name is None for argument in callee.given)
    new = given(arguments, place, words_of(callee.op) if isinstance(callee, LayerValue) else {}, before)
    named = {argument.name for argument in new if argument.name}
    kept = tuple(argument for argument in callee.given if argument.name is None or argument.name not in named)
    # Positional arguments go before named ones, whoever gave them.
    both = (*kept, *new)
    ordered = (*(a for a in both if a.name is None), *(a for a in both if a.name is not None))
    return _made(replace(callee, given=ordered), place)


def _function(value: tree.Call, place: Place) -> Any:
    function = FUNCTIONS[value.name]
    values = given(value.arguments, place, {})
    refuse_misfits(function, values, value.span)
    for argument in values:
        if isinstance(argument.value, list | tuple):
            place.scope.spend(len(argument.value))
    return _made(function.work(*(argument.value for argument in values)), place)


def _unary(value: tree.Unary, place: Place) -> Any:
    if value.operator == "not":
        return not truth(value.operand, place)
    return -operand(value.operand, evaluate(value.operand, place))


def _operation(value: tree.Operation, place: Place) -> Any:
    return operation(value, lambda part: _made(evaluate(part, place), place), lambda part: truth(part, place))


def _choice(value: tree.Choice, place: Place) -> Any:
    return evaluate(value.then if truth(value.condition, place) else value.otherwise, place)


def _range(value: tree.Range, place: Place) -> list[int]:
    assert value.last is not None
    first, last = (integer(operand(end, evaluate(end, place))) for end in (value.first, value.last))
    return span_of_integers(first, last + 1)


def _list(value: tree.ListValue, place: Place) -> list[Any]:
    return _made([evaluate(item, place) for item in value.items], place)


def _tuple(value: tree.TupleValue, place: Place) -> tuple[Any, ...]:
    return _made(tuple(evaluate(item, place) for item in value.items), place)


def _comprehension(value: tree.Comprehension, place: Place) -> list[Any]:
    results = []
    for names in rounds(value.targets, value.values, place):
        # A round takes about as long as five plain expressions.
        place.scope.spend(5)
        inner = replace(place, scope=Scope(place.scope, place.scope.source, names))
        if value.condition is None or truth(value.condition, inner):
            results.append(evaluate(value.item, inner))
    return _made(results, place)


def _made(value: T, place: Place) -> T:
    """A value that holds others, once it is known to be no larger and no deeper than the limits, however often it
    holds the same one."""
    if isinstance(value, list | tuple | LayerValue | BlockValue):
        place.scope.spend(extent(value))
    return value


def rounds(targets: tree.Targets, values: tree.Value, place: Place) -> list[dict[str, Any]]:
    """What the names of a `for` stand for, round by round."""
    return bound_rounds(targets, evaluate(values, place), values.span, place.scope)


_EVALUATORS: dict[type, Any] = {
    tree.Number: _constant,
    tree.Text: _constant,
    tree.Constant: _constant,
    tree.Name: _name,
    tree.Attribute: _attribute,
    tree.Index: _index,
    tree.Call: _call,
    tree.Unary: _unary,
    tree.Operation: _operation,
    tree.Choice: _choice,
    tree.Range: _range,
    tree.Parenthesised: lambda value, place: evaluate(value.value, place),
    tree.TupleValue: _tuple,
    tree.ListValue: _list,
    tree.Comprehension: _comprehension,
}
