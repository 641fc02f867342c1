"""Diagnostics for machines: JSON, SARIF 2.1.0 and GitHub's annotations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cnndsl.diagnostics.errors import Diagnostic, Label, Severity
from cnndsl.diagnostics.source import Span
from cnndsl.version import __version__

Range = tuple[int, int, int, int]
"""Line, column, end line, end column: from 1, the end column exclusive."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


class LabelReport(_Frozen):
    """A place and what is said of it; `file` only where it is another one than the diagnostic's."""

    span: Range
    text: str
    file: str | None = Field(default=None, exclude_if=lambda value: value is None)


class FixReport(_Frozen):
    """A text and the place in the diagnostic's file that it takes."""

    span: Range
    text: str


class DiagnosticReport(_Frozen):
    """One diagnostic; the first of `labels` is the guilty place again, with what was found there."""

    id: str
    severity: Literal["error", "warning"]
    message: str
    file: str | None
    span: Range | None
    labels: tuple[LabelReport, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fixes: tuple[FixReport, ...] = Field(default=(), exclude_if=lambda value: not value)
    """Replacements that together do what `help` says; given where there are any."""

    @classmethod
    def of(cls, diagnostic: Diagnostic) -> DiagnosticReport:
        span = diagnostic.span
        return cls(
            id=diagnostic.id,
            severity="error" if diagnostic.severity is Severity.ERROR else "warning",
            message=diagnostic.message,
            file=span.source.name if span else None,
            span=span.place.range if span else None,
            labels=tuple(_label(label, span) for label in diagnostic.labels),
            notes=diagnostic.notes,
            help=diagnostic.help,
            fixes=tuple(FixReport(span=fix.span.place.range, text=fix.text) for fix in diagnostic.fixes),
        )


class CheckReport(_Frozen):
    """What `cnndsl check --format json` prints."""

    version: Literal[1] = Field(default=1, alias="schema")
    diagnostics: tuple[DiagnosticReport, ...]


def _label(label: Label, guilty: Span | None) -> LabelReport:
    same = guilty is not None and label.span.source.name == guilty.source.name
    return LabelReport(span=label.span.place.range, text=label.text, file=None if same else label.span.source.name)


def to_json(diagnostics: Iterable[Diagnostic]) -> str:
    """The report as `check --format json` prints it."""
    report = CheckReport(diagnostics=tuple(map(DiagnosticReport.of, diagnostics)))
    return json.dumps(report.model_dump(by_alias=True, mode="json"), ensure_ascii=False, indent=1)


def to_github(diagnostics: Iterable[Diagnostic]) -> str:
    """One workflow command a line: GitHub shows each beside the line it is about."""
    return "\n".join(map(_annotation, diagnostics))


def _annotation(diagnostic: Diagnostic) -> str:
    properties: dict[str, object] = {}
    if diagnostic.span:
        place = diagnostic.span.place
        properties = {"file": place.file, "line": place.line, "col": place.column}
        properties |= {"endLine": place.end_line, "endColumn": place.end_column}
    properties["title"] = diagnostic.id
    message = "\n".join(
        [diagnostic.message, *diagnostic.notes, *([f"help: {diagnostic.help}"] if diagnostic.help else [])]
    )
    listed = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in properties.items())
    return f"::{diagnostic.severity} {listed}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def to_sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """A SARIF 2.1.0 log with one run; columns count code points."""
    found = tuple(diagnostics)
    rules = [{"id": id} for id in dict.fromkeys(d.id for d in found)]
    run = {
        "tool": {"driver": {"name": "cnndsl", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic) for diagnostic in found],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=1)


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    remarks = [*diagnostic.notes, *([f"help: {diagnostic.help}"] if diagnostic.help else [])]
    result: dict[str, Any] = {
        "ruleId": diagnostic.id,
        "level": str(diagnostic.severity),
        "message": {"text": "\n".join([diagnostic.message, *remarks])},
    }
    if diagnostic.labels:
        first, *others = diagnostic.labels
        result["locations"] = [{"physicalLocation": _location(first.span)}]
        result["relatedLocations"] = [
            {"physicalLocation": _location(other.span), "message": {"text": other.text}} for other in others
        ]
    return result


def _location(span: Span) -> dict[str, Any]:
    from urllib.parse import quote

    place = span.place
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }
    return {"artifactLocation": {"uri": quote(place.file.replace("\\", "/"))}, "region": region}
