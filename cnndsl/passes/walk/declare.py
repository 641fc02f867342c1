"""What a body declares before anything flows: its blocks and models, its defaults; and what may not stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Fix, Label, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Span
from cnndsl.ir.op import find
from cnndsl.passes.values.evaluate import given
from cnndsl.passes.values.scope import Definition, Formula
from cnndsl.passes.values.visible import is_layer, split_word, unknown_word, words_of
from cnndsl.passes.walk.body import Body
from cnndsl.passes.walk.findings import Findings
from cnndsl.syntax import tree

_ONLY_IN_MODELS = {tree.Input: "input", tree.Param: "param", tree.Assert: "assert"}
_KINDS: dict[type, str] = {tree.Block: "block", tree.Model: "model", tree.Function: "function"}
_ONLY_IN_FILES = {tree.Use: "use", tree.Model: "model", tree.Variant: "model"}


def refuse_stray(statement: tree.Statement, body: Body) -> None:
    if body.kind == "block" and type(statement) in _ONLY_IN_MODELS:
        word = _ONLY_IN_MODELS[type(statement)]
        raise fault(
            "stray-statement",
            f"`{word}` stands in models, not in blocks",
            statement.span,
            help="a block takes what arrives; give it parameters: `block Name(c)`"
            if word != "assert"
            else "move it to the model",
        )
    if body.kind != "file" and type(statement) in _ONLY_IN_FILES:
        word = _ONLY_IN_FILES[type(statement)]
        raise fault(
            "stray-statement",
            f"`{word}` stands at the top of a file",
            statement.span,
            help="move it out of the brackets",
        )


def refuse_letter_x(element: tree.Element, before: Span) -> None:
    """`[…]x2`, read as a chain that ends and a word `x2`, is a repetition written with a letter."""
    name = element.primary.name if isinstance(element.primary, tree.Invocation) else ""
    if re.fullmatch(r"x[0-9]+", name) and element.span.start == before.end:
        raise fault(
            "syntax",
            "a repetition is written with `×` or `*`, and `x` is a letter",
            element.span,
            f"expected `×{name[1:]}`, found `{name}`",
            help=f"write `×{name[1:]}` or `*{name[1:]}`",
            fixes=(Fix(element.span, f"×{name[1:]}"),) if element.span.text == name else (),
        )


def define(statements: tuple[tree.Statement, ...], body: Body, findings: Findings) -> None:
    """Makes the blocks and models of a body known, wherever in it they stand."""
    for statement in statements:
        if not isinstance(statement, tree.Block | tree.Model | tree.Function):
            continue
        name = statement.name
        if not name:
            continue
        if is_layer(name) or find(name) is not None:
            findings.add(
                fault(
                    "shadows-layer",
                    f"`{name}` is a layer and cannot be a {_KINDS[type(statement)]}",
                    statement.name_span,
                    help=f"call it `My{name}`",
                )
            )
            continue
        present = body.scope.names.get(name)
        if isinstance(present, Definition | Formula) and present.node is not statement:
            findings.add(
                CnnError(
                    [
                        Diagnostic(
                            "duplicate-name",
                            f"`{name}` is defined twice",
                            (
                                Label(statement.name_span, "the second one"),
                                Label(present.node.name_span, "the first one"),
                            ),
                            help="give one of them another name",
                        )
                    ]
                )
            )
            continue
        for error in _wrong_parameters(statement):
            findings.add(error)
        body.scope.names[name] = (
            Formula(statement, body.scope)
            if isinstance(statement, tree.Function)
            else Definition(statement, body.scope)
        )


def _wrong_parameters(statement: tree.Block | tree.Model | tree.Function) -> Iterator[CnnError]:
    """Parameters, and names after `takes`, that hide a layer or come twice."""
    named = [
        (p.name, Span(p.span.source, p.span.start, p.span.start + len(p.name))) for p in statement.parameters or ()
    ]
    if isinstance(statement, tree.Block):
        named += zip(statement.takes, statement.take_spans, strict=True)
    first: dict[str, Span] = {}
    for name, span in named:
        if is_layer(name):
            yield fault(
                "shadows-layer",
                f"`{name}` is a layer and cannot be a name",
                span,
                help=f"call it `{name.lower()}_`",
            )
        elif name in first and name != "_":
            labels = (Label(span, "the second one"), Label(first[name], "the first one"))
            message = f"`{statement.name}` has two parameters called `{name}`"
            yield CnnError([Diagnostic("duplicate-name", message, labels, help="give one of them another name")])
        first.setdefault(name, span)


def preset(statement: tree.Default, body: Body) -> None:
    """Notes the default arguments of a `default` statement. Raises CnnError for words and arguments that are none."""
    for item in statement.presets:
        found = split_word(item.name)
        try:
            known = found is None and isinstance(body.scope.find(item.name), Definition)
        except KeyError:
            known = False
        if found is None and not known:
            raise unknown_word(item.name, tree.Invocation(item.span, item.name, item.name_span, ()), body.scope)
        if found is not None and found[1] is not None:
            raise fault(
                "wrong-type",
                f"a default is for all of `{found[0].word}`, whatever its window",
                item.name_span,
                f"expected `{found[0].word}`, found `{item.name}`",
                help=f"write `default {found[0].word}(…)`",
            )
        words = words_of(found[0]) if found else {}
        arguments = given(item.arguments, body.place(), words)
        for argument in arguments:
            if argument.name is None:
                raise fault(
                    "wrong-type",
                    "a default has a name",
                    argument.span,
                    "expected `name=value`",
                    help=f"write `{item.name}(name=…)`",
                )
            if found and argument.name not in found[0].model_fields:
                names = list(found[0].model_fields)
                close = nearest(argument.name, names)
                raise fault(
                    "unknown-argument",
                    f"`{item.name}` has no argument `{argument.name}`",
                    argument.span,
                    notes=(f"expected one of {', '.join(names)}",),
                    help=f"did you mean `{close}`?" if close else "delete it",
                )
        body.scope.presets.append((item.name, item.span, arguments))
