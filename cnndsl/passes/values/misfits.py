"""Arguments that do not fit a function of the language."""

from __future__ import annotations

from cnndsl.diagnostics.errors import fault
from cnndsl.diagnostics.source import Span
from cnndsl.passes.values.functions import Function
from cnndsl.passes.values.layer_value import Given


def refuse_misfits(function: Function, values: tuple[Given, ...], span: Span) -> None:
    """Raises `unknown-argument`, `missing-argument`, `too-many-arguments`."""
    for argument in values:
        if argument.name is not None:
            raise fault(
                "unknown-argument",
                f"`{function.name}` takes no named arguments",
                argument.span,
                help=f"write `{function.usage}`",
            )
    if not function.least <= len(values) <= function.most:
        id = "missing-argument" if len(values) < function.least else "too-many-arguments"
        raise fault(
            id,
            f"`{function.name}` takes {_count(function.least, function.most)}, found {len(values)}",
            span,
            help=f"write `{function.usage}`",
        )


def _count(least: int, most: int) -> str:
    if least == most:
        return f"{least} argument{'s' if least > 1 else ''}"
    return f"{least} or more arguments" if most > 3 else f"{least} to {most} arguments"
