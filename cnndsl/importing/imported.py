"""The front door: a network from elsewhere as a program, with the proof that it is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cnndsl.diagnostics.errors import CnnError
from cnndsl.importing.match import Net, match
from cnndsl.importing.refuse import Unproved, Unread, refusal, unreadable
from cnndsl.importing.simplify import simplify
from cnndsl.importing.structure.build import FORMS, renamed
from cnndsl.importing.structure.write import write
from cnndsl.importing.trace import Trace
from cnndsl.ir.graph import Graph


class Report(BaseModel):
    """What was compared, and how far it agrees. An error is None where nothing was run."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    version: Literal[1] = Field(default=1, alias="schema")
    source: str
    form: str
    """`blocks`, `brackets` or `flat`: the first of them that passed the proof."""
    lines: int
    params: int
    macs: int
    weights: int
    keys: str
    """`equal`, or `renamed` where the source has no names."""
    max_rel_error: float | None
    """Of outputs on drawn weights."""
    max_rel_error_given: float | None
    """Of outputs on the weights that came with the network."""

    def to_json(self) -> str:
        """The report as JSON."""
        return self.model_dump_json(indent=1, by_alias=True)

    def said(self) -> str:
        """The proof in a line."""
        parts = [f"{self.params:,} parameters", f"{self.macs:,} MACs"]
        parts.append(
            f"{self.weights:,} weights " + ("of the same keys and shapes" if self.keys == "equal" else "by new keys")
        )
        errors = [e for e in (self.max_rel_error, self.max_rel_error_given) if e is not None]
        if errors:
            parts.append(
                "outputs " + (f"that differ by at most {max(errors):.0e}" if max(errors) else "equal bit for bit")
            )
        else:
            parts.append("outputs not compared")
        return f"proved: {', '.join(parts)}; {self.lines} lines"


@dataclass(frozen=True)
class Imported:
    """A program, the graph it describes, its weights by our keys where the source has any, and what was proved."""

    text: str
    graph: Graph
    weights: Mapping[str, Any] | None
    report: Report


def net_of(trace: Trace, source: str) -> Net:
    """The layers of a trace. Raises `CnnError` (cannot-import) with all that has no counterpart."""
    matched = match(simplify(trace))
    if matched.lacks:
        raise refusal(source, matched.lacks)
    return renamed(matched.net)


Prove = Callable[[str], Graph]
"""The graph of a text that is the source's. Raises `Unproved` or `CnnError`."""


def first_proved(net: Net, head: str, source: str, forms: Sequence[str], prove: Prove) -> tuple[str, str, Graph]:
    """The form, text and graph of the most readable program that passes. Raises `CnnError` (cannot-import)."""
    reasons: list[str] = []
    for form, build in FORMS.items():
        if forms and form not in forms:
            continue
        try:
            text = write(build(net), head)
            return form, text, prove(text)
        except Unproved as why:
            reasons.append(f"{form}: {why}")
        except CnnError as error:
            reasons.append(f"{form}: {error.diagnostics[0].message}")
        except RecursionError:
            reasons.append(f"{form}: it is nested too deep")
    raise none_proved(source, reasons)


def none_proved(name: str, reasons: list[str]) -> CnnError:
    """The error for a network none of whose texts passed the proof."""
    return unreadable(
        name,
        Unread(
            "no text of it passed the proof",
            "this is a fault of the import, not of the network: report it, with the network",
            *dict.fromkeys(reasons),
        ),
    )


def lines_of(text: str) -> int:
    """The lines of a program, comments and blank ones aside."""
    return sum(1 for line in text.splitlines() if line.strip() and not line.startswith("#"))
