"""The pages of the diagnostics, `docs/errors/ID.md`, and the page that lists them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from cnndsl.disk.shelf import folder

_INDEX = "README"


@cache
def fault_pages() -> dict[str, str]:
    """What each diagnostic is about, by id, as Markdown."""
    entries = {
        entry.name.removesuffix(".md"): entry for entry in folder("docs/errors").iterdir() if entry.name.endswith(".md")
    }
    return {id: entries[id].read_text(encoding="utf-8") for id in sorted(entries) if id != _INDEX}


def faults_page() -> str:
    """Every diagnostic with the first sentence of its page: `docs/errors/README.md`."""
    pages = fault_pages()
    warnings = {id for id, page in pages.items() if f"warning[{id}]" in page}
    return "\n".join(
        [
            "# What a wrong program gets",
            "",
            "Written from the pages beside it by `make docs`. Every diagnostic has an id that stays, and a page: what is wrong,"
            " a program that gets it, what is said, letter by letter, and the mend. `cnndsl explain ID` shows it.",
            "",
            "## Errors",
            "",
            *_table(pages.keys() - warnings),
            "",
            "## Warnings",
            "",
            "`cnndsl check` tells them, `--strict` makes errors of them, `# allow: ID` at the end of a line silences one there.",
            "",
            *_table(warnings),
            "",
        ]
    )


def _table(ids: Iterable[str]) -> list[str]:
    return ["| id | what is wrong |", "|---|---|", *(f"| [{id}]({id}.md) | {_sentence(id)} |" for id in sorted(ids))]


def _sentence(id: str) -> str:
    """The first sentence of a page."""
    text = " ".join(fault_pages()[id].split("\n\n")[1].split())
    match = re.match(r".*?[.:](?= |$)", text)
    return f"{match[0][:-1]}." if match else text
