"""The limits of programs, as a table: each from the constant that holds it."""

from __future__ import annotations

from cnndsl.passes.draft.assembly import MOST_NODES, MOST_SIZE, MOST_WEIGHTS
from cnndsl.passes.read_graph import MOST_GRAPH_BYTES
from cnndsl.passes.values.functions import MOST_INTEGER, MOST_ITEMS
from cnndsl.passes.values.scope import MOST_VALUE_STEPS
from cnndsl.passes.walk.calls import MOST_CALLS
from cnndsl.passes.walk.findings import MOST_REPORTED
from cnndsl.passes.walk.repeats import MOST_WALK_STEPS
from cnndsl.syntax.recovery import MOST_MISTAKES
from cnndsl.syntax.scan import MOST_BYTES, MOST_DEPTH

LIMITS: tuple[tuple[str, int, str], ...] = (
    ("bytes of a program's text", MOST_BYTES, "source-too-long"),
    ("brackets inside each other, and values", MOST_DEPTH, "too-deep"),
    ("blocks that call each other", MOST_CALLS, "too-deep"),
    ("layers of a network", MOST_NODES, "too-many-nodes"),
    ("elements walked, those that make no layer included", MOST_WALK_STEPS, "too-many-nodes"),
    ("steps of working out a file's values", MOST_VALUE_STEPS, "too-many-steps"),
    ("items of a list", MOST_ITEMS, "value-too-large"),
    ("a whole number", MOST_INTEGER, "value-too-large"),
    ("a size, a number of channels", MOST_SIZE, "out-of-range"),
    ("weights of a network", MOST_WEIGHTS, "value-too-large"),
    ("bytes of a network as JSON", MOST_GRAPH_BYTES, "source-too-long"),
    ("mistakes of a text told at once", MOST_MISTAKES, ""),
    ("mistakes of a network told at once", MOST_REPORTED, ""),
)
"""What is limited, the most there may be, and the id of what is told beyond."""


def limits_table() -> str:
    """The limits in Markdown: a part of `docs/language.md`."""
    rows = (f"| {what} | {_number(most)} | {f'`{id}`' if id else '–'} |" for what, most, id in LIMITS)
    return "\n".join(["| limit | at most | beyond it |", "|---|---:|---|", *rows])


def limits_page() -> str:
    """What `cnndsl explain limits` shows."""
    return f"# Limits\n\nEvery program ends, and none costs more than these allow.\n\n{limits_table()}\n"


def _number(most: int) -> str:
    power = most.bit_length() - 1
    return f"2^{power}" if most == 2**power and power > 20 else f"{most:,}"
