"""Finds the layer that a word names, and says what an unknown word may have meant."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from cnndsl.diagnostics.errors import CnnError, Fix, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Span
from cnndsl.ir.op import Op, find, registry
from cnndsl.passes.draft.flow import LostValue
from cnndsl.passes.values.foreign_words import foreign_function, foreign_layer
from cnndsl.passes.values.functions import FUNCTIONS
from cnndsl.passes.values.layer_value import Given, LayerValue
from cnndsl.passes.values.scope import Definition, Scope
from cnndsl.syntax import tree
from cnndsl.syntax.vocabulary import STATEMENTS

_WINDOWED = re.compile(r"(.*?[A-Za-z])([0-9]{1,6}(?:x[0-9]{1,6}){0,2})")


@cache
def split_word(word: str) -> tuple[type[Op], int | tuple[int, ...] | None] | None:
    """A layer's class and the window in its word: `Conv1x7` is (Conv, (1, 7)). Whole words go first: `ReLU6`."""
    whole = find(word)
    if whole is not None:
        return None if whole.merges else (whole, None)
    match = _WINDOWED.fullmatch(word)
    base = find(match[1]) if match else None
    if match is None or base is None or not base.takes_window:
        return None
    sizes = tuple(int(n) for n in match[2].split("x"))
    return base, sizes if len(sizes) > 1 else sizes[0]


def find_layer(word: str, scope: Scope) -> LayerValue | None:
    """The layer of this word, with the defaults in force; None if there is none."""
    found = split_word(word)
    if found is None:
        return None
    op, window = found
    presets: dict[str | None, Given] = {}
    if op.follows is not None:
        presets |= {name: g for name, g in scope.defaults_for(op.follows).items() if name in op.model_fields}
    presets |= scope.defaults_for(op.word)
    return LayerValue(op, word, window, (), tuple(presets.values()))


def is_layer(word: str) -> bool:
    return split_word(word) is not None


def unknown_word(name: str, value: tree.Name | tree.Call | tree.Invocation, scope: Scope) -> CnnError:
    """The error for a name that stands for nothing here."""
    span = value.span if isinstance(value, tree.Name) else value.name_span
    if not name:
        # A hole: what stands here is still to be written.
        raise LostValue
    if name == "_":
        return fault(
            "unknown-name", "`_` names what is not used", span, help="give what it stands for a name of its own"
        )
    hidden = scope.why_hidden(name)
    if hidden is not None:
        return fault(
            "tap-out-of-scope",
            f"`{name}` cannot be seen here",
            span,
            hidden,
            help="name it outside, or carry it along the chain",
        )
    later = scope.set_later(name)
    if later is not None:
        line, _ = later.source.line_and_column(later.start)
        return fault(
            "used-before-definition",
            f"`{name}` is used before it is set",
            span,
            f"it is set in line {line}",
            help="move it up",
        )
    merges = {word for word, op in registry().items() if op.merges}
    if name in merges and not isinstance(value, tree.Name):
        return fault(
            "syntax",
            f"`{name}` joins branches",
            span,
            f"expected `{name}{{ … | … }}`",
            help=f"write its branches: `{name}{{ … | id }}`",
        )
    return _nothing_called(name, value, scope, span)


def _nothing_called(name: str, value: tree.Name | tree.Call | tree.Invocation, scope: Scope, span: Span) -> CnnError:
    from cnndsl.habits.values import CONSTANTS

    if name in CONSTANTS:
        constant = CONSTANTS[name]
        if not isinstance(value, tree.Name):
            return fault(
                "unknown-name",
                f"no layer is called `{name}`",
                span,
                help="leave it out, or write `id`, which changes nothing",
            )
        return _meant("unknown-name", f"`{name}` is no word of the language", span, constant, "")
    layers = {word for word, op in registry().items() if not op.merges}
    folded = name.lower() in {word.lower() for word in layers} or split_folded(name, layers)
    if isinstance(value, tree.Call) and name[:1].islower():
        other = foreign_function(name, span)
        if other is not None:
            return other
        close = nearest(name, {*FUNCTIONS, *scope.visible()})
        return _meant(
            "unknown-function", f"no function is called `{name}`", span, close, "`cnndsl explain functions` lists them"
        )
    close = nearest(name, scope.visible())
    foreign = None if folded or (close is not None and len(name) > 3) else foreign_layer(name, value, span)
    if foreign is not None:
        return foreign
    if isinstance(value, tree.Name) or name[:1].islower():
        statements = frozenset() if isinstance(value, tree.Name) else STATEMENTS
        close = nearest(name, {*scope.visible(), *layers, *statements})
        if not isinstance(value, tree.Name) or close in layers:
            close = _windowed(name, layers, layers) or close
        otherwise = (
            f"set it first: `let {name} = …`"
            if isinstance(value, tree.Name)
            else f"name a tensor before it is used: `as {name}` behind its layer, or `{name} = …`"
        )
        return _meant("unknown-name", f"nothing is called `{name}`", span, close, otherwise)
    window = _WINDOWED.fullmatch(name)
    blocks = {n for n in scope.visible() if isinstance(scope.find(n), Definition)}
    if window is not None and window[1] in layers | blocks:
        return fault(
            "unknown-layer",
            f"`{window[1]}` takes no window",
            span,
            f"expected `{window[1]}`, found `{name}`",
            help=f"write `{window[1]}`",
            fixes=(Fix(span, window[1]),),
        )
    plain = name.replace("_", "")
    joined = plain if plain != name and is_layer(plain) else None
    close = joined or _windowed(name, layers, layers | blocks) or nearest(name, layers | blocks)
    return _meant(
        "unknown-layer",
        f"no layer or block is called `{name}`",
        span,
        close,
        "`cnndsl explain layers` lists the layers",
    )


def split_folded(name: str, layers: set[str]) -> bool:
    """Whether a word is one of the language's with a window, but for the case of its letters: `conv3x3`."""
    match = _WINDOWED.fullmatch(name)
    return match is not None and match[1].lower() in {word.lower() for word in layers if registry()[word].takes_window}


def _windowed(name: str, layers: set[str], known: set[str]) -> str | None:
    """What a word that ends in a window may have meant: `Con3x3` is nearest to `Conv3x3`."""
    window = _WINDOWED.fullmatch(name)
    if name.lower() in {word.lower() for word in known}:
        # `Relu6` is a whole word in other letters.
        return None
    close = nearest(window[1], known) if window else None
    if window is None or close is None:
        return None
    return close + window[2] if close in layers and registry()[close].takes_window else close


def _meant(id: str, message: str, span: Span, close: str | None, otherwise: str) -> CnnError:
    """The error for a word that may have been meant as one that is close to it."""
    if close is None:
        return fault(id, message, span, help=otherwise)
    op = find(close)
    if op is not None and op.takes_window and op.model_fields["window"].default is None:
        return fault(id, message, span, help=f"did you mean `{close}3x3`? The window stands in the word")
    return fault(id, message, span, help=f"did you mean `{close}`?", fixes=(Fix(span, close),))


@cache
def words_of(op: type[Op]) -> dict[str, frozenset[str]]:
    """Bare words by argument: the literals in a field's type, `id` of `approximate=none` among them."""
    return {name: _literals(field.annotation) for name, field in op.model_fields.items()}


def _literals(annotation: Any) -> frozenset[str]:
    found: set[str] = set()
    pending = [annotation]
    while pending:
        part = pending.pop()
        for inner in getattr(part, "__args__", ()):
            if isinstance(inner, str):
                found.add(inner)
            else:
                pending.append(inner)
    return frozenset(found)
