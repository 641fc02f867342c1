"""Arguments that a layer does not have: called otherwise here, inferred, or elements of their own."""

from __future__ import annotations

import re

from cnndsl.diagnostics.errors import Diagnostic, Fix, Label
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Span
from cnndsl.passes.values.layer_value import LayerValue


def unknown_argument(layer: LayerValue, name: str, at: Span, span: Span) -> Diagnostic:
    """The error for an argument that the layer does not have, written at `at` in the element at `span`."""
    known = [*layer.op.arguments(), *(["window"] if layer.op.takes_window else [])]
    help, fixes = _meaning(layer, name, at, span, known)
    if help is None:
        close = nearest(name, known)
        help = f"did you mean `{close}`?" if close else f"`cnndsl explain {layer.op.word}` shows what it takes"
        fixes = (_named(at, close),) if close else ()
    return Diagnostic(
        "unknown-argument",
        f"`{layer.op.word}` has no argument `{name}`",
        (Label(at),),
        notes=(f"expected one of {', '.join(known)}",) if known else (f"`{layer.op.word}` takes none",),
        help=help,
        fixes=fixes,
    )


def _meaning(
    layer: LayerValue, name: str, at: Span, span: Span, known: list[str]
) -> tuple[str | None, tuple[Fix, ...]]:
    """What an argument of another framework is here: the help, and the text that says it."""
    # Only wrong programs pay for the tables.
    from cnndsl.habits.arguments import REMARKS, meanings, renamed
    from cnndsl.habits.words import foreign

    meaning = meanings().get(name)
    value = at.text.partition("=")[2].strip()
    ours = renamed(name, known)
    if meaning is None or name in known:
        return None, ()
    if ours in ("axis", "axes") and name.startswith(("dim", "axis", "axes", "perm")):
        # Axes are counted without the batch here.
        number = re.fullmatch(r"[1-3]", value)
        fixes = (Fix(at, f"{ours}={int(value) - 1}"),) if number else ()
        counted = f": write `{ours}={int(value) - 1}`" if number else ""
        return f"it is called `{ours}` here, and axes are counted without the batch{counted}", fixes
    if ours is not None:
        return f"it is called `{ours}` here: write `{ours}={_ours(value)}`", (_named(at, ours),)
    if meaning == "window" and layer.op.takes_window:
        if layer.window is None:
            return f"it stands in the word, as `{layer.op.word}3x3`, or is called `window`", (_named(at, "window"),)
        return f"it stands in the word, and `{layer.word}` says it: leave it out", (_without(at),)
    if meaning == "activation":
        act = foreign(value.strip("\"'"))
        word = act.write if act and act.write else value.strip("\"'")
        behind: tuple[Fix, ...] = (
            (_without(at), Fix(Span(at.source, span.end, span.end), f" → {word}")) if _alone(span) else ()
        )
        return f"an activation is an element of its own, behind the layer: `→ {word}`", behind
    if meaning == "norm":
        return "a norm is an element of its own, behind the layer: `→ BN`", ()
    if meaning == "label":
        label = value.strip("\"'")
        return (
            f"names stand before the layer: `{label}: {layer.word}`"
            if re.fullmatch(r"[\w.-]+", label)
            else REMARKS["label"]
        ), ()
    if name in ("dim", "axis") and layer.op.word in ("Softmax", "LogSoftmax", "GLU", "LN"):
        fixes = (_without(at),) if value in ("1", "-3") else ()
        return f"`{layer.op.word}` goes along the channels of each position: leave it out", fixes
    if meaning in REMARKS:
        return REMARKS[meaning], (_without(at),) if meaning in ("inferred", "nothing") else ()
    return None, ()


def _ours(value: str) -> str:
    return {"True": "true", "False": "false", "None": "none"}.get(value, value)


def _named(at: Span, ours: str) -> Fix:
    """The argument under its name here; a constant of Python in ours."""
    return Fix(at, f"{ours}={_ours(at.text.partition('=')[2].strip())}")


def _without(at: Span) -> Fix:
    """The text without the argument, and without the comma that parts it from the others."""
    text = at.source.text
    before = re.search(r",\s*\Z", text[: at.start])
    if before:
        return Fix(Span(at.source, before.start(), at.end), "")
    after = re.compile(r"\s*,\s*").match(text, at.end)
    if after:
        return Fix(Span(at.source, at.start, after.end()), "")
    around = re.compile(r"\s*\)").match(text, at.end)
    opened = re.search(r"\(\s*\Z", text[: at.start])
    if around and opened:
        return Fix(Span(at.source, opened.start(), around.end()), "")
    return Fix(at, "")


def _alone(span: Span) -> bool:
    """Whether nothing that is about the whole element follows it: a count, a name, a condition."""
    return not re.compile(r"\s*(?:[×*]|as\b|if\b|for\b)").match(span.source.text, span.end)
