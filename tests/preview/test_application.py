"""Guards `cnndsl preview` as a whole: the server refuses others, and a browser's page follows the file, keeps what its reader has
chosen, and shows the last network that held while the text is wrong."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.webpage.test_page import browser  # noqa: F401  (a fixture)

SMALL = "param width = 8\ninput 3×32×32\nfirst: Conv3x3(width) → ReLU → MaxPool\n→ last: Conv3x3(16)\n→ GlobalAvgPool → FC(4)\n"


class Running(int):
    """The port of a preview."""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", int(self), timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, json.dumps(body) if body is not None else None, named)
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("preview") / "net.cnn"
    path.write_text(SMALL, "utf-8")
    return path


@pytest.fixture(scope="module")
def opened(file: Path) -> Path:
    """What the editor of the preview writes down when a line is opened in it."""
    return file.parent / "opened.txt"


@pytest.fixture(scope="module")
def running(file: Path, opened: Path) -> Iterator[Running]:
    write = f"import sys; open({str(opened)!r}, 'w').write(' '.join(sys.argv[1:]))"
    editor = f'{sys.executable} -c "{write}" {{file}} {{line}}:{{column}}'
    command = [sys.executable, "-m", "cnndsl", "preview", str(file), "--no-open", "--editor", editor]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        yield Running(address.rstrip("/").rpartition(":")[2])
        process.terminate()
        process.wait(20)


JSON = "application/json"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/", {"Host": "evil.example"}, 400),
        ("GET", "/events", {"Host": "127.0.0.1.evil.example"}, 400),
        ("GET", "/events", {"Origin": "http://evil.example"}, 403),
        ("GET", "/events", {"Sec_Fetch_Site": "cross-site"}, 403),
        ("POST", "/cursor", {"Content_Type": JSON, "Origin": "http://127.0.0.1:1"}, 403),
        ("POST", "/cursor", {"Content_Type": "text/plain"}, 415),
        ("POST", "/cursor", {"Content_Type": JSON}, 422),
        ("GET", "/cursor", {}, 405),
        ("GET", "/../../etc/passwd", {}, 404),
        ("GET", "/photo", {}, 404),
    ],
)
def test_only_its_own_page_may_ask(
    running: Running, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    body = {"line": "first"} if method == "POST" else None
    assert running.ask(method, path, body, **headers)[0] == status


def test_a_page_may_load_and_ask_for_nothing_elsewhere(running: Running) -> None:
    status, headers, _ = running.ask("GET", "/")
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert status == 200
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["script-src"].startswith("'sha256-")
    assert headers["x-frame-options"] == "DENY"


def test_no_file_but_those_of_the_program_is_opened(running: Running, opened: Path) -> None:
    place = {"file": "/etc/passwd", "line": 1}
    assert running.ask("POST", "/open", place, Content_Type=JSON)[0] == 404
    assert running.ask("POST", "/settings", {"parameters": {"a": "b" * 70_000}}, Content_Type=JSON)[0] == 413
    assert not opened.exists()


@pytest.fixture
def tab(browser: Any, running: Running, file: Path) -> Iterator[Any]:  # noqa: F811
    file.write_text(SMALL, "utf-8")
    page = browser.new_page(viewport={"width": 1300, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"http://127.0.0.1:{running}/")
    page.wait_for_selector("tbody tr")
    yield page
    page.close()
    assert said == []


def after(tab: Any, change: Callable[[], object]) -> None:
    """Makes a change, and waits until the page has shown what came of it."""
    before = tab.evaluate("document.documentElement.dataset.state")
    change()
    until(tab, f"document.documentElement.dataset.state !== '{before}'")


def until(tab: Any, condition: str) -> None:
    """Waits for a condition; the page's policy forbids playwright's own way, which evaluates texts inside of the page."""
    for _ in range(400):
        if tab.evaluate(condition):
            return
        tab.wait_for_timeout(25)
    raise AssertionError(condition)


def test_the_page_follows_the_file_and_keeps_what_its_reader_chose(tab: Any, file: Path) -> None:
    tab.evaluate("page.kept = page.layers.findIndex((l) => l.name === 'last'); show(page.kept); zoom(0.5)")
    tab.fill("#page-filter", "conv")
    tab.evaluate("window.scrollTo(0, 300)")
    looked = "[page.layers[page.kept].name, view[2], window.scrollY]"
    before = tab.evaluate(looked)
    there = "(() => { const e = document.getElementById('op:last').getBoundingClientRect(); return [e.x + e.width / 2, e.y + e.height / 2]; })()"
    at = tab.evaluate(there)
    after(tab, lambda: file.write_text(SMALL.replace("MaxPool\n", "MaxPool → BN → Conv1x1(6)\n"), "utf-8"))
    assert tab.evaluate(looked) == before
    # The layer that was chosen is where it was, though three layers came before it.
    assert tab.evaluate(there) == pytest.approx(at, abs=1.5)
    assert tab.locator("tbody tr:visible").count() == 3
    assert tab.locator("tbody tr.on").count() == 1


def test_a_wrong_text_leaves_the_last_picture_with_a_banner(tab: Any, file: Path) -> None:
    rows = tab.locator("tbody tr").count()
    after(tab, lambda: file.write_text(SMALL.replace("(16)", "(16, , 2)"), "utf-8"))
    assert "no value stands between" in tab.inner_text("#live-said")
    assert tab.is_visible("#live-wrong")
    assert tab.locator("tbody tr").count() == rows
    after(tab, lambda: file.write_text(SMALL, "utf-8"))
    assert not tab.is_visible("#live-wrong")


def test_knobs_and_sizes_draw_it_again(tab: Any) -> None:
    after(tab, lambda: tab.locator("[id='live-knob:width-range']").fill("12"))
    until(tab, "page.layers[0].shape === '12×32×32'")
    after(tab, lambda: tab.locator("[id='live-side:input']").fill("64"))
    until(tab, "page.layers[0].shape === '12×64×64'")
    after(tab, lambda: tab.click("#live-reset"))
    until(tab, "page.layers[0].shape === '8×32×32'")


def test_the_diagram_leads_to_the_text_and_the_text_to_the_diagram(
    tab: Any, running: Running, file: Path, opened: Path
) -> None:
    tab.locator("[id='op:last'] text >> nth=0").click()
    for _ in range(100):
        if opened.exists() and opened.read_text():
            break
        tab.wait_for_timeout(50)
    assert opened.read_text() == f"{file} 4:9"
    place = {"file": str(file), "line": 3, "column": 12}
    assert running.ask("POST", "/cursor", place, Content_Type=JSON)[0] == 204
    until(tab, "page.kept >= 0 && page.layers[page.kept].name === 'first'")


def test_the_receptive_field_follows_the_pointer(tab: Any) -> None:
    tab.evaluate("show(page.layers.findIndex((l) => l.name === 'last'))")
    # MaxPool halves; a window of 3 before it and of 3 behind it: 8 pixels, one position every 2.
    assert "position 7, 7 of 16×16: sees 8×8 pixels, rows 11 to 18" in tab.inner_text("#page-field-said")
    tab.evaluate("page.kept = page.chosen")
    tab.locator("#page-field").focus()
    tab.keyboard.press("ArrowDown")
    assert "position 8, 7 of 16×16: sees 8×8 pixels, rows 13 to 20" in tab.inner_text("#page-field-said")
