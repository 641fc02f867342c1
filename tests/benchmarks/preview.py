"""Measures `cnndsl preview` in Chromium: milliseconds from the end of a save to the picture that shows it."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cnndsl.disk import shelf

CHROMIUM = "/usr/bin/chromium"
SAVES = 12
_PAINTED = """new MutationObserver(() => requestAnimationFrame(() => { window.painted = Date.now(); }))
.observe(document.documentElement, { attributes: true, attributeFilter: ["data-state"] })"""


def measure(browser: Any, text: str, other: str, name: str) -> None:
    """Saves two texts in turns, and prints the median and the slowest."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.cnn"
        file.write_text(text, "utf-8")
        command = [sys.executable, "-m", "cnndsl", "preview", str(file), "--no-open"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            assert server.stdout is not None
            tab = browser.new_page(viewport={"width": 1300, "height": 900})
            tab.goto(server.stdout.readline().strip())
            tab.wait_for_selector("tbody tr")
            tab.evaluate(_PAINTED)
            waited = []
            for turn in range(SAVES):
                tab.evaluate("window.painted = 0")
                time.sleep(0.15 + 0.007 * turn)
                began = time.time() * 1000
                file.write_text(other if turn % 2 == 0 else text, "utf-8")
                while not (painted := tab.evaluate("window.painted")):
                    time.sleep(0.02)
                waited.append(painted - began)
            server.terminate()
        middle = statistics.median(waited[2:])
        print(f"{name:12} save to picture: median {middle:4.0f} ms, slowest {max(waited[2:]):4.0f} ms")


def main() -> None:
    """A small network and a large one."""
    from playwright.sync_api import sync_playwright

    small = Path("docs/small.cnn").read_text("utf-8")
    resnet = shelf.architecture("resnet50")
    assert resnet is not None
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        measure(browser, small, small.replace("Conv3x3(64)", "Conv3x3(48)"), "small")
        measure(browser, resnet.text, resnet.text.replace("MaxPool3x3(2, 1)", "MaxPool3x3(2, 1) → id"), "resnet50")
        browser.close()


if __name__ == "__main__":
    main()
