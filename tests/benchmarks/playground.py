"""Measures the playground that `make playground` built, in Chromium: what a first visit transfers, the time to the first picture, and
from a keystroke to its diagram."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from cnndsl.disk import shelf
from tests.playground.serve import served

BUILT = Path("build/playground")
CHROMIUM = "/usr/bin/chromium"
KEYS = 12


def wait(tab: Any, condition: str) -> None:
    while not tab.evaluate(condition):
        tab.wait_for_timeout(10)


def keystrokes(tab: Any, name: str) -> None:
    """Types digits into the last number of the text."""
    took = []
    for turn in range(KEYS):
        tab.wait_for_timeout(150)
        tab.evaluate("delete document.documentElement.dataset.took")
        tab.keyboard.press("Backspace" if turn % 2 else "1")
        wait(tab, "document.documentElement.dataset.took !== undefined")
        took.append(int(tab.evaluate("document.documentElement.dataset.took")))
    print(f"{name:10} keystroke to diagram: median {statistics.median(took[2:]):.0f} ms, slowest {max(took[2:])} ms")


def main() -> None:
    """All of it, with files that the browser has and with files that it has not."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p, served(BUILT) as (address, sent, _):
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for visit in ("first", "second"):
            context = chromium.new_context(service_workers="block")
            tab = context.new_page()
            tab.goto(address)
            wait(tab, "document.querySelector('#view svg') !== null")
            marks = [tab.evaluate(f"document.documentElement.dataset.{name}") for name in ("editor", "python")]
            shown = tab.evaluate("Math.round(performance.now())")
            print(f"{visit} visit: editor {marks[0]} ms, Python {marks[1]} ms, first picture {shown} ms")
            if visit == "first":
                print(f"transferred: {sum(sent.values()) / 1e6:.2f} MB in {len(sent)} files")
        tab.click(".cm-content")
        tab.keyboard.press("Control+End")
        for _ in range(2):
            tab.keyboard.press("ArrowLeft")
        keystrokes(tab, "small")
        resnet = shelf.architecture("resnet50")
        assert resnet is not None
        tab.evaluate("localStorage.clear()")
        tab.goto(f"{address}?example=resnet")
        wait(tab, "document.querySelector('#view svg') !== null")
        tab.click(".cm-content")
        tab.evaluate("document.querySelector('.cm-content').focus()")
        tab.keyboard.press("Control+Home")
        tab.keyboard.press("End")
        keystrokes(tab, "resnet")
        chromium.close()


if __name__ == "__main__":
    main()
