"""Guards `docs/` and `tests/pages.py`. Pages show what programs and commands really get, and every diagnostic has a
page that earns it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from cnndsl.reference.error_pages import fault_pages, faults_page
from cnndsl.reference.explanation import explain, functions_page
from cnndsl.syntax.vocabulary import RESERVED, STATEMENTS
from tests.pages import ERRORS, PAGES, README, ROOT, PageError, refreshed

_ID = re.compile(r"[a-z]+(-[a-z0-9]+)+|syntax|rebinding")
_MAKERS = {"Diagnostic", "Refusal", "PydanticCustomError", "fault", "warning"}
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


def test_every_id_has_a_page_and_every_page_an_id() -> None:
    assert raised() == fault_pages().keys()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_show_what_programs_and_commands_get(path: Path) -> None:
    page = path.read_text("utf-8")
    assert refreshed(page) == page, "run `make docs`"


@pytest.mark.parametrize("id", fault_pages())
def test_a_page_shows_its_diagnostic_first_and_explain_shows_the_page(id: str) -> None:
    page = fault_pages()[id]
    assert page.startswith(f"# {id}\n\n")
    shown = re.search(r"(?:error|warning)\[([a-z0-9-]+)\]", page)
    assert shown is not None
    assert shown[1] == id
    assert explain(id) == page


def test_the_index_of_the_pages_is_fresh() -> None:
    assert (ERRORS / "README.md").read_text("utf-8") == faults_page() == explain("errors"), "run `make docs`"


def test_the_functions_are_listed() -> None:
    assert "| `round_to(x, q)` |" in functions_page()
    assert explain("functions") == functions_page()


def test_the_page_of_the_language_has_every_statement_function_and_word() -> None:
    page = (ROOT / "docs" / "language.md").read_text("utf-8")
    assert functions_page().split("\n\n", 1)[1] in page
    headings = set(re.findall(r"^### (\w+)$", page, re.MULTILINE))
    assert headings >= STATEMENTS
    listed = re.search(r"`(use param [a-z\s]+)` are words", page)
    assert listed is not None
    assert set(listed[1].split()) == RESERVED


def test_the_readme_shows_the_program_it_names() -> None:
    program = (ROOT / "docs" / "small.cnn").read_text("utf-8")
    assert f"```cnn\n{program}```" in README.read_text("utf-8")


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("```cnn\ninput 3×8×8\nRelu\n```", "unknown-layer"),
        ("```cnn error\ninput 3×8×8\nReLU\n```\n\n```text\n```", "expected errors"),
        ("```cnn warning\ninput 3×8×8\nReLU\n```\n\n```text\n```", "expected warnings"),
        ("```cnn error\ninput 3×8×8\nRelu\n```\n", "must show"),
        ("```cnn fragment 3×8\nConv3x3(8)\n```\n", "wrong-rank"),
        ("```console\ncnndsl list\n```\n", "begins with"),
        ("```sh\nfalse\n```\n", "ends with 1"),
    ],
)
def test_a_page_that_does_not_do_what_it_says_is_told(block: str, why: str) -> None:
    with pytest.raises(PageError, match=why):
        refreshed(block)


def test_what_a_page_shows_is_replaced_by_what_is_real() -> None:
    page = "```console\n$ cnndsl check lenet5\n{}\n```\n"
    real = page.format("1 file: no errors, no warnings")
    assert refreshed(page.format("42 errors")) == real
    assert refreshed(page.format("…")) == page.format("…")
    assert refreshed("```python\nprint(1)\n```\n\n```text\n2\n```\n") == "```python\nprint(1)\n```\n\n```text\n1\n```\n"
