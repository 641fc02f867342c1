"""Pages show what programs and commands really get, and docs/errors.md leaves no id out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.pages import ERRORS, README, ROOT, refreshed

_ID = re.compile(r"[a-z]+(-[a-z0-9]+)+|syntax")
_MAKERS = {"Diagnostic", "Refusal", "PydanticCustomError", "fail", "warning"}
"""Calls whose first argument, or `id=`, is the id of a diagnostic; modules may have a function of their own beside these."""


def raised() -> set[str]:
    """Every id that the code gives a diagnostic."""
    found: set[str] = set()
    for path in sorted((ROOT / "cnndsl").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        for assignment in (node for node in nodes if isinstance(node, ast.Assign)):
            if any(isinstance(target, ast.Name) and target.id == "id" for target in assignment.targets):
                found |= _ids(assignment.value)
        for call in (node for node in nodes if isinstance(node, ast.Call)):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if name in _MAKERS or name.startswith("_"):
                first = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "id")]
                found |= {id for value in first for id in _ids(value)}
    return found


def _ids(value: ast.expr) -> set[str]:
    constants = (part.value for part in ast.walk(value) if isinstance(part, ast.Constant))
    return {c for c in constants if isinstance(c, str) and _ID.fullmatch(c)}


def test_every_id_has_a_section_and_every_section_an_id() -> None:
    sections = re.findall(r"^## (.+)$", ERRORS.read_text("utf-8"), re.MULTILINE)
    assert len(sections) == len(set(sections))
    assert raised() == set(sections)


@pytest.mark.parametrize("path", [ERRORS, README], ids=lambda path: path.name)
def test_pages_show_what_programs_and_commands_get(path: Path) -> None:
    page = path.read_text("utf-8")
    assert refreshed(page) == page, "run `make docs`"


def test_the_readme_shows_the_program_it_names() -> None:
    program = (ROOT / "docs" / "small.cnn").read_text("utf-8")
    assert f"```cnn\n{program}```" in README.read_text("utf-8")


def test_every_program_gets_the_id_of_its_section() -> None:
    for section in re.split(r"^## ", ERRORS.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        id, _, text = section.partition("\n")
        if "```text" in text:
            assert f"error[{id}]" in text or f"warning[{id}]" in text, id
