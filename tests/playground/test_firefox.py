"""Guards the playground in Firefox, as it is installed: a person's path from an empty editor to a shared link. It takes `build/playground`, which
`make playground` makes, Firefox, and `pip install marionette-driver`, which speaks to any Firefox; Playwright speaks only to its own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playground.serve import served

BUILT = Path(__file__).resolve().parents[2] / "build" / "playground"
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BUILT / "app.zip").exists(), reason="`make playground` has not been run"),
    # The driver leaves a socket to its end.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.skipif(FIREFOX is None, reason="there is no Firefox"),
]


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Any]:
    driver = pytest.importorskip("marionette_driver.marionette")
    running = driver.Marionette(bin=FIREFOX, headless=True, port=0, gecko_log=str(tmp_path / "firefox.log"))
    running.start_session()
    yield running
    running.quit()


def until(firefox: Any, condition: str) -> None:
    for _ in range(1200):
        if firefox.execute_script(f"return {condition}"):
            return
        time.sleep(0.05)
    said = firefox.execute_script("return document.querySelector('#status').textContent")
    raise AssertionError(f"{condition}: {said}")


def test_from_an_empty_editor_to_a_shared_link(firefox: Any) -> None:
    keys = pytest.importorskip("marionette_driver.keys").Keys
    with served(BUILT) as (address, _, _):
        firefox.navigate(address)
        until(firefox, "document.querySelector('#view svg') !== null")
        editor = firefox.find_element("css selector", ".cm-content")
        editor.click()
        for typed in (keys.CONTROL + "a", keys.DELETE, "input 3x32x32", keys.ENTER, "Conv3x3(16) -> Relu -> FC(10)"):
            editor.send_keys(typed)
        until(firefox, "document.querySelector('#problems').textContent.includes('Relu')")
        assert "→" in firefox.execute_script("return document.querySelector('.cm-content').innerText")
        firefox.find_element("xpath", "//button[contains(., 'Mend it')]").click()
        until(firefox, "document.querySelector('#totals').textContent.includes('164,298')")
        firefox.find_element("xpath", "//*[@role='tab'][contains(., 'PyTorch')]").click()
        until(firefox, "document.querySelector('#view').textContent.includes('nn.Conv2d(3, 16')")
        firefox.find_element("css selector", "#share").click()
        until(firefox, "location.hash.startsWith('#1:')")
        link = firefox.get_url()
        firefox.navigate("about:blank")
        firefox.navigate(link)
        until(firefox, "document.querySelector('#totals').textContent.includes('164,298')")
