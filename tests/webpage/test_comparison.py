"""Guards `webpage/comparison.py` and its assets: what is coloured, that the page asks for nothing, and that it follows a click."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cnndsl import pipeline
from cnndsl.analyses.differences.several import Compared
from cnndsl.webpage.comparison import comparison_page
from tests.webpage.test_page import HOSTILE, Parts, browser  # noqa: F401  (a fixture)

BASE = "input 3×32×32\nconv1: Conv3x3(32) → BN → ReLU → conv2: Conv3x3(64) → GlobalAvgPool → fc: FC(10)"


def compared(old: str, new: str) -> str:
    return comparison_page(Compared.of({"": pipeline.parse_text(old).graph}, {"": pipeline.parse_text(new).graph}))


def coloured(page: str) -> dict[str, str]:
    """The kind of change that each element of a drawing is coloured by."""
    found = {}
    for attributes in re.findall(r"<g ([^>]*)>", page):
        kind = re.search(r"\bd-(\w+)", attributes)
        id = re.search(r'\bid="([^"]+)"', attributes)
        if kind and id:
            found[id[1]] = kind[1]
    return found


def test_what_changed_is_coloured_in_both_drawings() -> None:
    page = compared(BASE, BASE.replace("conv1", "stem").replace("(64)", "(96)").replace("ReLU", "SiLU"))
    found = coloured(page)
    assert {id: kind for id, kind in found.items() if id.startswith("old0-op")} == {
        "old0-op:conv1": "renamed",
        "old0-op:2": "changed",
        "old0-op:conv2": "changed",
        "old0-op:4": "resized",
        "old0-op:flatten": "resized",
        "old0-op:fc": "resized",
    }
    assert found["new0-op:stem"] == "renamed"
    assert found["new0-op:conv2"] == "changed"


def test_no_two_elements_of_the_page_have_one_id() -> None:
    ids = [attrs["id"] for _, attrs in Parts(compared(BASE, BASE.replace("64", "96"))).tags if "id" in attrs]
    assert len(set(ids)) == len(ids) > 20


def test_the_page_asks_for_nothing_and_what_a_program_says_stays_text() -> None:
    page = compared(HOSTILE, HOSTILE.replace("conv:", "stem:"))
    parts = Parts(page)
    assert [attrs.get(name) for _, attrs in parts.tags for name in ("src", "href", "action") if name in attrs] == []
    assert len(parts.all("script")) == 2
    assert not [name for _, attrs in parts.tags for name in attrs if name.startswith("on")]


def test_a_click_on_a_change_shows_it_in_both_drawings(browser: Any, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "page.html").write_text(compared(BASE, BASE.replace("conv1", "stem")), "utf-8")
    tab, said = browser.new_page(), []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(f"file://{tmp_path / 'page.html'}")
    tab.click("button[data-change='0']")
    lit = tab.evaluate("[...document.querySelectorAll('.pane .on')].map(e => e.id)")
    assert {"old0-op:conv1", "new0-op:stem"} <= set(lit)
    assert said == []
