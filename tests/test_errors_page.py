"""docs/errors.md says what wrong programs really get, and leaves no id out."""

from __future__ import annotations

import ast
import re

from tests.errors_page import PAGE, ROOT, refreshed

_ID = re.compile(r"[a-z]+(-[a-z0-9]+)+|syntax")
_MAKERS = {"Diagnostic", "Refusal", "PydanticCustomError", "fail"}
"""Calls whose first argument, or `id=`, is the id of a diagnostic; modules may have a function of their own beside these."""


def raised() -> set[str]:
    """Every id that the code gives a diagnostic."""
    found: set[str] = set()
    for path in sorted((ROOT / "cnndsl").rglob("*.py")):
        calls = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
        for call in calls:
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if name in _MAKERS or name.startswith("_"):
                first = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "id")]
                constants = (part for value in first for part in ast.walk(value) if isinstance(part, ast.Constant))
                found |= {c.value for c in constants if isinstance(c.value, str) and _ID.fullmatch(c.value)}
    return found


def test_every_id_has_a_section_and_every_section_an_id() -> None:
    sections = re.findall(r"^## (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(sections) == len(set(sections))
    assert raised() == set(sections)


def test_the_page_shows_what_programs_get() -> None:
    page = PAGE.read_text("utf-8")
    assert refreshed(page) == page


def test_every_program_gets_the_id_of_its_section() -> None:
    for section in re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        id, _, text = section.partition("\n")
        if "```text" in text:
            assert f"error[{id}]" in text or f"warning[{id}]" in text, id
