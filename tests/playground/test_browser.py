"""Guards the playground as it is built: a person's path from an empty editor to a shared link, in Chromium, by keyboard alone, offline, on a
phone. It takes `build/playground`, which `make playground` makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playground.serve import served
from tests.webpage.test_page import browser  # noqa: F401  (a fixture)

BUILT = Path(__file__).resolve().parents[2] / "build" / "playground"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BUILT / "app.zip").exists(), reason="`make playground` has not been run"),
]
MOST_BYTES = 7_000_000
"""What a first visit may transfer with brotli."""


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, dict[str, int], Any]]:
    with served(BUILT) as running:
        yield running


def opened(browser: Any, address: str, said: list[str], **options: Any) -> Any:  # noqa: F811
    context = browser.new_context(**options)
    tab = context.new_page()
    tab.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: said.append(request.url) if "127.0.0.1" not in request.url else None)
    tab.goto(address)
    until(tab, "document.documentElement.dataset.shown >= '1'")
    return tab


def until(tab: Any, condition: str) -> None:
    for _ in range(1200):
        if tab.evaluate(condition):
            return
        tab.wait_for_timeout(50)
    raise AssertionError(f"{condition}: {tab.inner_text('#status')}")


def test_from_an_empty_editor_to_a_shared_link(browser: Any, site: Any) -> None:  # noqa: F811
    address, sent, _ = site
    said: list[str] = []
    tab = opened(browser, address, said, permissions=["clipboard-read", "clipboard-write"])
    assert sum(sent.values()) <= MOST_BYTES
    tab.click(".cm-content")
    tab.keyboard.press("Control+a")
    tab.keyboard.press("Delete")
    tab.keyboard.type("input 3x32x32\nConv3x3(16) -> Relu -> FC(10)\n")
    until(tab, "document.querySelector('#problems').textContent.includes('Relu')")
    assert "→" in tab.inner_text(".cm-content")
    tab.click("text=Mend it")
    until(tab, "document.querySelector('#totals').textContent.includes('164,298')")
    until(tab, "document.querySelector('#view svg') !== null")
    assert "10  rf all" in tab.inner_text(".cm-content")
    for name, words in (
        ("PyTorch", "nn.Conv2d(3, 16"),
        ("JSON", '"params": 164298'),
        ("Mermaid", "flowchart"),
        ("Table", "164,298"),
    ):
        tab.click(f"[role=tab]:has-text('{name}')")
        until(tab, f"document.querySelector('#view').textContent.includes({words!r})")
    tab.click("#share")
    until(tab, "location.hash.startsWith('#1:')")
    link = tab.url
    text = tab.evaluate("navigator.clipboard.readText()")
    assert text == link
    tab.click("#markdown")
    until(tab, "document.querySelector('#status').textContent.includes('Markdown copied')")
    assert "```cnn\ninput 3x32x32" in tab.evaluate("navigator.clipboard.readText()")
    other = opened(browser, link, said)
    until(other, "document.querySelector('#totals').textContent.includes('164,298')")
    assert "Conv3x3(16)" in other.inner_text(".cm-content")
    assert said == []


def test_it_works_without_a_network_after_the_first_visit(browser: Any, site: Any) -> None:  # noqa: F811
    address, _, _ = site
    said: list[str] = []
    tab = opened(browser, address, said)
    tab.evaluate("navigator.serviceWorker.ready.then(() => true)")
    tab.context.set_offline(True)
    tab.reload()
    until(tab, "document.documentElement.dataset.shown >= '1' && document.querySelector('#view svg') !== null")
    assert "75,818" in tab.inner_text("#totals")
    assert said == []


def test_a_phone_has_all_of_it_in_its_width(browser: Any, site: Any) -> None:  # noqa: F811
    address, _, _ = site
    said: list[str] = []
    tab = opened(browser, address, said, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    until(tab, "document.querySelector('#view svg') !== null")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    for name in ("#share", "#format", "[role=tab] >> nth=4"):
        assert tab.locator(name).bounding_box()["width"] > 20
    assert said == []


def test_the_keyboard_reaches_everything_and_readers_are_told(browser: Any, site: Any) -> None:  # noqa: F811
    address, _, _ = site
    tab = opened(browser, address, [])
    tab.focus("#examples")
    reached = []
    for _ in range(14):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.id || document.activeElement.className.split(' ')[0]"))
    # Tab leaves the editor, as everything else.
    for name in ("format", "share", "markdown", "cm-content", "tab-diagram", "view"):
        assert name in reached
    tab.focus("#tab-diagram")
    tab.keyboard.press("ArrowRight")
    assert tab.get_attribute("#tab-pytorch", "aria-selected") == "true"
    assert tab.get_attribute(".cm-content", "aria-label") == "Program in the language cnn"
    assert tab.get_attribute("#status", "aria-live") == "polite"
    unnamed = "[...document.querySelectorAll('button,select,input,[role=tab]')].filter((e) => !(e.textContent.trim() || e.labels?.length || e.ariaLabel)).length"
    assert tab.evaluate(unnamed) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_light_or_dark_as_its_reader_is(browser: Any, site: Any, scheme: str) -> None:  # noqa: F811
    address, _, _ = site
    tab = opened(browser, address, [], color_scheme=scheme)
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert (paper > 200) == (scheme == "light")


def test_an_address_that_is_broken_or_too_long_is_told(browser: Any, site: Any) -> None:  # noqa: F811
    address, _, _ = site
    tab = opened(browser, f"{address}#1:AAAA", [])
    assert "3×32×32" in tab.inner_text(".cm-content")
