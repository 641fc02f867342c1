"""What the playground's page asks of a text: JSON in, JSON out, so that it runs in any interpreter that a page can hold.

Places are offsets in UTF-16 code units, as JavaScript counts letters.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.diagnostics.source import Source
from cnndsl.ir.graph import Graph
from cnndsl.service.analysis import Analysis, Checked
from cnndsl.service.answers import Fact, Place, Problem
from cnndsl.service.completion import completions
from cnndsl.service.facts import facts, kept
from cnndsl.service.hover import hover
from cnndsl.service.problems import problems

NAME = "network.cnn"
HINTS = ("shape", "rf", "params")


def _no_time(_: Graph) -> float:
    """A page is no machine that was measured, and has no compiler."""
    raise fault(
        "not-measured",
        "how long a network takes is not known in a browser",
        notes=("a time belongs to a machine that `cnndsl limits` has measured",),
        help="check the text with `cnndsl check` on that machine",
    )


class Playground:
    """One text that is being edited. What it was before is remembered, so that figures outlive a mistake."""

    def __init__(self) -> None:
        self._analysis = Analysis(Source(NAME, ""), timer=_no_time)
        self._text = ""
        self._facts: tuple[Fact, ...] = ()

    def ask(self, request: str) -> str:
        """Answers one request: an object with `what` is asked and the arguments of the method of that name."""
        asked: dict[str, Any] = json.loads(request)
        answers: dict[str, Callable[..., Any]] = {
            "edit": self.edit,
            "view": self.view,
            "hover": self.hover,
            "complete": self.complete,
            "formatted": self.formatted,
            "explain": self.explain,
        }
        return json.dumps(answers[asked.pop("what")](**asked), ensure_ascii=False)

    def edit(self, text: str, cursor: int = 0) -> dict[str, Any]:
        """The text is this now: what is wrong with it, the figures of its lines, the totals of the model that the cursor is in."""
        analysis = self._analysis = Analysis(Source(NAME, text), timer=_no_time)
        units = _Units(text)
        model = analysis.model_at(units.offset(cursor)) if analysis.models else None
        wanted = (model,) if analysis.models else ()
        found = problems(analysis, wanted)
        whole = bool(wanted) and analysis.checked(model).whole
        self._facts = kept(self._facts, self._text, text, facts(analysis, wanted), whole=whole)
        self._text = text
        return {
            "problems": [_problem(problem, units) for problem in found],
            "hints": [
                {"at": units.unit(fact.offset), "text": fact.text(HINTS), "stale": fact.stale} for fact in self._facts
            ],
            "models": [name for name in analysis.models if name is not None],
            "model": model,
            "totals": _totals(analysis.checked(model)) if wanted else None,
        }

    def view(self, kind: str, model: str | None) -> dict[str, Any]:
        """The network in one form: `table` (HTML), `diagram` (DOT), `pytorch`, `json`, `mermaid`; `wrong` says why there is none."""
        checked = self._analysis.checked(model)
        if not checked.whole or checked.graph is None or checked.summary is None:
            return {"wrong": "", "content": None}
        graph = checked.graph
        try:
            return {"wrong": "", "content": _view(kind, graph, checked), "name": graph.name}
        except CnnError as error:
            return {"wrong": "\n".join(filter(None, (d.message for d in error.diagnostics))), "content": None}

    def hover(self, at: int) -> dict[str, Any] | None:
        """The page about what stands at a place, in Markdown."""
        units = _Units(self._text)
        found = hover(self._analysis, units.offset(at))
        return {**units.range(found.place), "text": found.text} if found is not None else None

    def complete(self, at: int) -> list[dict[str, Any]]:
        """What could stand at a place."""
        units = _Units(self._text)
        return [
            {
                **units.range(one.place),
                "label": one.label,
                "kind": one.kind,
                "text": one.text,
                "detail": one.detail,
                "snippet": one.snippet,
            }
            for one in completions(self._analysis, units.offset(at))
        ]

    def formatted(self) -> str | None:
        """The text as `cnndsl fmt` writes it; None for one that cannot be parsed."""
        from cnndsl.pipeline import format_text

        try:
            return format_text(self._analysis.source)
        except CnnError:
            return None

    def explain(self, name: str) -> str | None:
        """What `cnndsl explain` says of a layer or an id of an error, in Markdown; None for what it does not know."""
        from cnndsl.reference.explanation import explain

        return explain(name)


def tidy_svg(svg: str, description: str) -> str:
    """The picture that Graphviz has painted of a `diagram`, fit for a page."""
    from cnndsl.backends.drawing.formats.svg import tidy

    return tidy(svg.encode(), description).decode()


def _view(kind: str, graph: Graph, checked: Checked) -> Any:
    if kind == "table":
        from cnndsl.analyses.html_table import to_html
        from cnndsl.analyses.outline import rows

        assert checked.summary is not None
        return to_html(rows(graph, summary=checked.summary))
    if kind == "diagram":
        from cnndsl.backends.drawing.formats.graphviz import to_dot
        from cnndsl.backends.drawing.words.description import description

        # The Graphviz that runs in browsers knows the widths of letters only by a font's one name.
        dot = to_dot(graph, theme="auto").replace("Helvetica,Arial,sans-serif", "Arial")
        return {"dot": dot, "description": description(graph)}
    if kind == "pytorch":
        from cnndsl.backends.pytorch.writing.source import to_source

        return to_source(graph)
    if kind == "mermaid":
        from cnndsl.backends.drawing.formats.mermaid import to_mermaid

        return to_mermaid(graph)
    if kind == "json":
        assert checked.summary is not None
        return checked.summary.model_dump_json(indent=1)
    raise ValueError(f"no view {kind!r}")


def _totals(checked: Checked) -> list[list[str]] | None:
    if not checked.whole or checked.summary is None or checked.graph is None:
        return None
    from cnndsl.analyses.table import totals

    shapes = ", ".join(str(i.type) for i in checked.graph.inputs)
    ends = ", ".join(str(checked.graph.types[o.node]) for o in checked.graph.outputs if not o.training)
    return [["network", f"{shapes} → {ends}"], *([t.name, t.value] for t in totals(checked.summary))]


def _problem(problem: Problem, units: _Units) -> dict[str, Any]:
    return {
        "id": problem.id,
        "severity": problem.severity,
        "message": problem.message,
        **units.range(problem.place),
        "line": units.line(problem.place.start),
        "found": problem.found,
        "notes": [*(f"{r.text}" for r in problem.remarks), *problem.notes],
        "help": problem.help or "",
        "title": problem.title,
        "edits": [
            {"from": units.unit(edit.start), "to": units.unit(edit.end), "text": edit.text} for edit in problem.edits
        ],
    }


class _Units:
    """Places of a text in code points and in UTF-16 code units, which differ behind letters such as 😀."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._wide = [i for i, letter in enumerate(text) if ord(letter) > 0xFFFF]

    def unit(self, offset: int) -> int:
        return offset + sum(1 for wide in self._wide if wide < offset)

    def offset(self, unit: int) -> int:
        offset = unit
        for wide in self._wide:
            if wide < offset - 1:
                offset -= 1
        return max(0, min(offset, len(self._text)))

    def range(self, place: Place) -> dict[str, int]:
        return {"from": self.unit(place.start), "to": self.unit(place.end)}

    def line(self, offset: int) -> int:
        return self._text.count("\n", 0, offset) + 1
