"""Guards the site that `make docs-site` builds: every link leads somewhere, nothing is asked of elsewhere, programs open in the playground."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

SITE = Path(__file__).resolve().parents[2] / "build" / "site"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SITE / "index.html").exists(), reason="`make docs-site` has not been run"),
]


class Page(HTMLParser):
    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.ids |= {named[name] for name in ("id", "name") if name in named}
        if tag == "a" and "href" in named:
            self.links.append(unescape(named["href"]))
        elif tag in ("script", "img", "source", "iframe") and "src" in named:
            self.loads.append(named["src"])
        elif tag == "link" and named.get("rel") in ("stylesheet", "icon", "preload", "modulepreload"):
            self.loads.append(named["href"])


def pages() -> dict[Path, Page]:
    return {
        file: Page(file)
        for file in sorted(SITE.rglob("*.html"))
        if "playground" not in file.relative_to(SITE).parts[:1]
    }


def test_every_link_leads_somewhere_and_nothing_is_asked_of_elsewhere() -> None:
    found = pages()
    assert len(found) > 150
    wrong = []
    for file, page in found.items():
        for target in [*page.links, *page.loads]:
            if re.match(r"(https?:)?//", target):
                if target in page.loads:
                    wrong.append(f"{file.relative_to(SITE)} loads {target}")
                continue
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            there = (file.parent / unquote(path.partition("?")[0])).resolve() if path else file
            there = there / "index.html" if there.is_dir() else there
            if "playground" in there.relative_to(SITE.resolve()).parts and not (SITE / "playground").exists():
                continue
            if not there.exists():
                wrong.append(f"{file.relative_to(SITE)} → {target}")
            elif anchor and there in found and unquote(anchor) not in found[there].ids:
                wrong.append(f"{file.relative_to(SITE)} → {target}: no such place")
    assert wrong == []
    sheets = "".join(file.read_text("utf-8") for file in (SITE / "_static").rglob("*.css"))
    assert re.findall(r"(?:url\(|@import )[\"']?https?:[^)\"']*", sheets) == []


def test_error_pages_open_their_wrong_program() -> None:
    page = Page(SITE / "errors" / "shape-mismatch.html")
    assert sum("playground/index.html#1:" in link for link in page.links) == 2


def test_the_site_is_searched_without_a_server() -> None:
    index = (SITE / "searchindex.js").read_text("utf-8")
    assert "shape-mismatch" in index
    assert "tutorial" in index
