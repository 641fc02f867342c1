"""Names of other frameworks where a layer, a function or a size is due: what they are called here."""

from __future__ import annotations

from cnndsl.diagnostics.errors import CnnError, Fix, fault
from cnndsl.diagnostics.source import Span
from cnndsl.syntax import tree

FUNCTIONS = {
    "int": "floor", "trunc": "floor", "math_floor": "floor", "ceiling": "ceil", "make_divisible": "round_to",
    "_make_divisible": "round_to", "makeDivisible": "round_to", "length": "len", "size": "len", "total": "sum",
    "maximum": "max", "minimum": "min", "arange": "range", "xrange": "range", "seq": "range", "ln": "log", "fabs": "abs",
    "rint": "round", "accumulate": "cumsum",
}  # fmt: skip
"""What functions of other languages are called here."""
_OPERATORS = {"pow": "`a ** b`", "str": 'a text, `"…"`', "float": "the number as it is", "bool": "a comparison",
              "log2": "`log(x) / log(2)`", "reversed": "a list written the other way round", "sorted": "a list in its order",
              "map": "`[f(x) for x in list]`", "filter": "`[x for x in list if …]`", "list": "`[…]`", "print": "nothing: no code runs",
              "divmod": "`//` and `%`", "mod": "`a % b`"}  # fmt: skip
ATTRIBUTES = {
    "c": "channels", "C": "channels", "h": "height", "H": "height", "w": "width", "W": "width", "d": "depth", "D": "depth",
    "out_channels": "channels", "in_channels": "channels", "num_channels": "channels", "filters": "channels",
    "features": "channels", "num_features": "channels", "out_features": "channels", "dim": "channels", "ch": "channels",
    "spatial": "size", "sizes": "size", "len": "length", "seq_len": "tokens", "rows": "height", "cols": "width", "T": "length",
}  # fmt: skip
"""What sizes of tensors are called elsewhere."""


def foreign_function(name: str, span: Span) -> CnnError | None:
    """The error for a function of another language."""
    if name in FUNCTIONS:
        ours = FUNCTIONS[name]
        fixes = (Fix(span, ours),)
        return fault("unknown-function", f"`{name}` is called `{ours}` here", span, help=f"write `{ours}`", fixes=fixes)
    if name in _OPERATORS:
        return fault("unknown-function", f"no function is called `{name}`", span, help=f"write {_OPERATORS[name]}")
    return None


def foreign_layer(name: str, value: tree.Name | tree.Call | tree.Invocation, span: Span) -> CnnError | None:
    """The error for a layer of another framework: what it is called here and, where that is certain, the text to write."""
    # Only wrong programs pay for the tables.
    from cnndsl.habits.calls import element
    from cnndsl.habits.words import foreign

    word = foreign(name)
    if word is None:
        return None
    id = "unknown-layer" if name[:1].isupper() or word.write else "unknown-name"
    if not word.write:
        return fault(id, f"no layer is called `{name}`", span, help=word.why)
    arguments = None if isinstance(value, tree.Name) else value.arguments
    whole = value.span.text
    made = element(whole) if arguments else word.write
    called = word.write.partition("(")[0].partition("{")[0].strip(" [")
    other_name = (
        called.isidentifier() and called != name and not word.write.startswith(("[", "input", "output", "model"))
    )
    title = f"`{name}` is called `{called}` here" if other_name else f"no layer is called `{name}`"
    why = f": {word.why}" if word.why else ""
    if made is None:
        return fault(id, title, span, help=f"write `{word.write}`{why}")
    at = value.span if arguments else span
    sure = arguments or made.isidentifier() or made in _CERTAIN
    fixes = (Fix(at, made),) if sure else ()
    return fault(id, title, span, help=f"write `{made}`{'' if arguments else why}", fixes=fixes)


_CERTAIN = ("Dropout(0.5)", "L2Norm(affine=false)")
"""Elements with arguments that a bare foreign word means all the same."""
