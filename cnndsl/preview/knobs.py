"""The parameters of a network as knobs: which there are, of what kind, and what they are where nobody sets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cnndsl.ir.written import show
from cnndsl.passes.choose_model import chosen
from cnndsl.passes.library.library import Unit
from cnndsl.syntax import tree

Kind = Literal["int", "float", "bool", "other"]
_WHOLE = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d+\.\d+(?:[eE][+-]?\d+)?|-?\d+[eE][+-]?\d+")


@dataclass(frozen=True)
class Knob:
    """A parameter; `text` is its value in the program, as the language writes it, "" where it has none."""

    name: str
    kind: Kind
    text: str


def knobs(unit: Unit, model: str | None, stem: str) -> tuple[Knob, ...]:
    """All that `-P` can set of one model of a file, in order of the text. Raises `unknown-model`."""
    found = dict(_params(unit.program.statements))
    if not unit.one_model and unit.models:
        _, value = chosen(unit, model, stem)
        own = value.definition.node.parameters or ()
        given = dict(zip([p.name for p in own], [g.value for g in value.given if g.name is None], strict=False))
        given |= {g.name: g.value for g in value.given if g.name is not None}
        for parameter in own:
            default = parameter.default.span.text if parameter.default is not None else ""
            found[parameter.name] = show(given[parameter.name]) if parameter.name in given else default
        found |= dict(_params(value.definition.node.body))
    return tuple(Knob(name, _kind(text), text) for name, text in found.items())


def _params(statements: tuple[tree.Statement, ...]) -> Iterator[tuple[str, str]]:
    for statement in statements:
        if isinstance(statement, tree.Param):
            yield statement.name, statement.value.span.text if statement.value is not None else ""


def _kind(text: str) -> Kind:
    if _WHOLE.fullmatch(text):
        return "int"
    if _NUMBER.fullmatch(text):
        return "float"
    return "bool" if text in ("true", "false") else "other"
