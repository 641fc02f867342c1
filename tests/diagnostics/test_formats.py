"""Guards `diagnostics/formats.py`. Diagnostics for machines."""

from __future__ import annotations

import json

from cnndsl.diagnostics.errors import Diagnostic, Label, Severity
from cnndsl.diagnostics.formats import CheckReport, to_github, to_json, to_sarif
from cnndsl.diagnostics.source import Source, Span

SOURCE = Source("my net,1.cnn", "input 3×32×32\nConv3x3(8) → Bm\n")
OTHER = Source("b.cnn", "block BN { id }")
UNKNOWN = Diagnostic(
    "unknown-layer",
    "no layer is called `Bm`",
    (Label(Span(SOURCE, 27, 29), "found here"), Label(Span(OTHER, 6, 8), "nearest: 100%")),
    notes=("a\nb",),
    help="did you mean `BN`?",
)
LATE = Diagnostic("unused-name", "never used", severity=Severity.WARNING)


def test_json_is_schema_1() -> None:
    assert json.loads(to_json([UNKNOWN, LATE])) == {
        "schema": 1,
        "diagnostics": [
            {
                "id": "unknown-layer",
                "severity": "error",
                "message": "no layer is called `Bm`",
                "file": "my net,1.cnn",
                "span": [2, 14, 2, 16],
                "labels": [
                    {"span": [2, 14, 2, 16], "text": "found here"},
                    {"span": [1, 7, 1, 9], "text": "nearest: 100%", "file": "b.cnn"},
                ],
                "notes": ["a\nb"],
                "help": "did you mean `BN`?",
            },
            {
                "id": "unused-name",
                "severity": "warning",
                "message": "never used",
                "file": None,
                "span": None,
                "labels": [],
                "notes": [],
                "help": None,
            },
        ],
    }


def test_the_json_schema_names_what_is_printed() -> None:
    schema = CheckReport.model_json_schema()
    assert schema["required"] == ["diagnostics"]
    assert schema["properties"]["schema"]["const"] == 1
    assert set(schema["$defs"]["DiagnosticReport"]["properties"]) == {
        "id", "severity", "message", "file", "span", "labels", "notes", "help",
        "fixes",
    }  # fmt: skip


def test_github_annotations_escape_what_would_end_them() -> None:
    first, second = to_github([UNKNOWN, LATE]).split("\n")
    assert first == (
        "::error file=my net%2C1.cnn,line=2,col=14,endLine=2,endColumn=16,title=unknown-layer::"
        "no layer is called `Bm`%0Aa%0Ab%0Ahelp: did you mean `BN`?"
    )
    assert second == "::warning title=unused-name::never used"


def test_sarif_says_where_by_code_points_and_percent_encodes_files() -> None:
    log = json.loads(to_sarif([UNKNOWN, LATE]))
    (run,) = log["runs"]
    assert (log["version"], run["columnKind"]) == ("2.1.0", "unicodeCodePoints")
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["unknown-layer", "unused-name"]
    error, warning = run["results"]
    assert error["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "my%20net%2C1.cnn"},
        "region": {"startLine": 2, "startColumn": 14, "endLine": 2, "endColumn": 16},
    }
    assert error["relatedLocations"][0]["message"] == {"text": "nearest: 100%"}
    assert (warning["level"], "locations" in warning) == ("warning", False)
