"""How what is being called is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cnndsl.passes.values.functions import FUNCTIONS
from cnndsl.reference.explanation import arguments_of
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Signature
from cnndsl.service.hover import documentation, op_of
from cnndsl.syntax import tree
from cnndsl.syntax.tolerant.parse import tokens

_OPENS = ("LPAR", "_CALL", "LSQB", "_INDEX", "LBRACE")
_CLOSES = ("RPAR", "RSQB", "RBRACE")


@dataclass
class Calling:
    """A call whose brackets are open: its word and where that stands, how many arguments are complete, which names were
    given, and the name of the argument that is being written."""

    word: str
    at: int
    position: int = 0
    given: list[str] = field(default_factory=list)
    name: str | None = None


def calling(analysis: Analysis, offset: int) -> Calling | None:
    """The innermost call that is open at an offset."""
    open_: list[Calling] = []
    word, at = "", 0
    for token in tokens(analysis.source):
        start = token.start_pos or 0
        if start >= offset:
            break
        if token.type == "COMMENT":
            continue
        if token.type in _OPENS:
            open_.append(Calling(word, at) if token.type == "_CALL" else Calling("", 0))
        elif token.type in _CLOSES:
            del open_[-1:]
        elif open_ and token.type == "COMMA":
            open_[-1].position, open_[-1].name = open_[-1].position + 1, None
        elif open_ and token.type == "EQUAL" and word:
            open_[-1].name = word
            open_[-1].given.append(word)
        word, at = (str(token), start) if token.type == "NAME" else ("", 0)
    return next((call for call in reversed(open_) if call.word), None)


def signature(analysis: Analysis, offset: int) -> Signature | None:
    """The signature of the innermost call that is open at an offset."""
    call = calling(analysis, offset)
    if call is None:
        return None
    arguments = list(parameters(analysis, call.word))
    if call.word in FUNCTIONS and not analysis.bindings.visible(offset).get(call.word):
        function = FUNCTIONS[call.word]
        inside = function.usage.partition(" or ")[0].partition("(")[2].rpartition(")")[0]
        names = [part.strip() for part in inside.split(",")] if inside else []
        active = min(call.position, len(names) - 1) if names else None
        return Signature(function.usage, function.doc, tuple((name, "") for name in names), active)
    if not arguments and op_of(call.word) is None and analysis.bindings.top.get(call.word) is None:
        return None
    label = f"{call.word}({', '.join(text for _, text, _ in arguments)})"
    names = [name for name, _, _ in arguments]
    active = names.index(call.name) if call.name in names else call.position
    return Signature(
        label,
        _about(analysis, call.word),
        tuple((text, doc) for _, text, doc in arguments),
        active if call.name is not None or active < len(names) else None,
    )


def parameters(analysis: Analysis, word: str) -> Iterator[tuple[str, str, str]]:
    """The arguments of a word in order: name, as it is shown, what it is."""
    symbol = analysis.bindings.top.get(word)
    node = symbol.node if symbol is not None else None
    while isinstance(node, tree.Variant):
        base = analysis.bindings.top.get(node.base)
        node = base.node if base is not None else None
    if isinstance(node, tree.Block | tree.Model | tree.Function):
        for parameter in node.parameters or ():
            yield parameter.name, " ".join(parameter.span.text.split()), ""
        for statement in () if isinstance(node, tree.Function) else node.body:
            if isinstance(statement, tree.Param):
                yield statement.name, statement.name, statement.type or ""
        return
    op = op_of(word)
    for argument in arguments_of(op) if op is not None else ():
        if argument.name == "window":
            continue
        text = argument.name if argument.default in (None, "") else f"{argument.name}={argument.default}"
        yield argument.name, text, ". ".join(filter(None, (argument.doc.rstrip("."), argument.kind)))


def _about(analysis: Analysis, word: str) -> str:
    symbol = analysis.bindings.top.get(word)
    if symbol is not None and isinstance(symbol.node, tree.Node):
        return documentation(analysis, symbol.node)
    op = op_of(word)
    return " ".join((op.__doc__ or "").split()) if op is not None else ""
