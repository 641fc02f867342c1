"""Guards `webpage/page.py` and its assets: what the page holds, that it asks for nothing, how it behaves in a real browser."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cnndsl import pipeline
from cnndsl.advice import advise_file
from cnndsl.analyses.summary import summarize
from cnndsl.calibration.report import QuantizationReport
from cnndsl.webpage.advised import advised
from cnndsl.webpage.facts import facts
from cnndsl.webpage.page import page

CHROMIUM = Path("/usr/bin/chromium")
HOSTILE = """
input 3×16×16
# </script><script>window.taken = 1</script> <img src=x onerror="window.taken = 2">
conv: Conv3x3(8) → BN → ReLU as a
→ add{ id | Conv3x3(8) } → GlobalAvgPool → FC(4)
"""


def made(text_or_name: str) -> str:
    loaded = pipeline.parse_text(text_or_name) if "\n" in text_or_name else pipeline.load(text_or_name)
    return page(loaded.graph, summarize(loaded.graph, loaded.warnings))


class Parts(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[int, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts[len(self.tags) - 1] = self.texts.get(len(self.tags) - 1, "") + data

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attrs, self.texts.get(n, "")) for n, (name, attrs) in enumerate(self.tags) if name == tag]


def test_the_page_holds_every_layer_and_its_figures() -> None:
    graph = pipeline.load("resnet18").graph
    data = facts(graph, summarize(graph))
    assert [layer["name"] for layer in data["layers"]] == [node.name for node in graph.nodes]
    assert sum(layer["macs"] for layer in data["layers"]) == 1_814_073_344
    assert sum(layer["params"] for layer in data["layers"]) == 11_689_512
    first = data["layers"][0]
    assert first["rf"] == {"size": [7, 7], "stride": [2, 2], "state": "exact"}
    # 3·224² in, 64·112² out, 64·3·7·7 weights, four bytes each.
    assert first["moved"] == 4 * (3 * 224**2 + 64 * 112**2 + 64 * 3 * 49)
    # Input and output of the first pooling, which is the widest place, and the picture.
    assert max(layer["live"] for layer in data["layers"]) == 4 * (3 * 224**2 + 2 * 64 * 112**2)


def test_the_page_asks_for_nothing_and_runs_its_own_script_only() -> None:
    text = made("lenet5")
    parts = Parts(text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    policy = next(attrs["content"] for attrs, _ in parts.all("meta") if "http-equiv" in attrs)
    assert policy is not None
    assert f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'")
    links = [
        attrs[name] for _, attrs in parts.tags for name in ("src", "href", "xlink:href", "action") if name in attrs
    ]
    assert links == []
    assert set(re.findall(r"https?://[^\s\"'<>)]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_what_a_program_says_stays_text() -> None:
    parts = Parts(made(HOSTILE))
    assert len(parts.all("script")) == 2
    assert parts.all("img") == []
    assert not [name for _, attrs in parts.tags for name in attrs if name.startswith("on")]
    (data,) = [body for attrs, body in parts.all("script") if attrs.get("type") == "application/json"]
    assert json.loads(data)["sources"][0]["lines"][2].startswith("# </script>")


def test_the_same_page_for_the_same_network() -> None:
    assert made("squeezenet1_1") == made("squeezenet1_1")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium")
    with sync.sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


def opened(browser: Any, folder: Path, text: str, scheme: str = "light") -> tuple[Any, list[str]]:
    """The page as a reader without network sees it, and everything that went wrong or was asked for."""
    (folder / "page.html").write_text(text, "utf-8")
    context = browser.new_context(color_scheme=scheme, offline=True, viewport={"width": 1300, "height": 900})
    tab, said = context.new_page(), []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
    tab.goto(f"file://{folder / 'page.html'}")
    assert tab.evaluate("document.documentElement.dataset.ready") == "yes"
    return tab, said


def test_a_layer_lights_up_everywhere(browser: Any, tmp_path: Path) -> None:
    tab, said = opened(browser, tmp_path, made("resnet18"))
    assert tab.locator("tbody tr").count() == len(pipeline.load("resnet18").graph.nodes)
    tab.hover("tbody tr:nth-child(1)")
    assert "conv1" in tab.inner_text("#page-readout")
    assert "118,013,952 MACs" in tab.inner_text("#page-readout")
    on = "[...document.querySelectorAll('.on')].map(e => e.id || e.tagName.toLowerCase())"
    lit = tab.evaluate(on)
    assert "op:conv1" in lit
    # Its row, four bars, its dot under the roof, its line of text.
    assert (lit.count("tr"), lit.count("g"), lit.count("div")) == (1, 5, 1)
    tab.hover("[id='op:conv1'] text >> nth=0")
    assert "on" in tab.locator("tbody tr").first.get_attribute("class").split()
    assert said == []


def test_the_table_sorts_and_filters(browser: Any, tmp_path: Path) -> None:
    tab, said = opened(browser, tmp_path, made("alexnet"))
    tab.click("th:nth-child(4) button")
    assert tab.inner_text("tbody tr:first-child td:nth-child(4)") == "37,752,832"
    tab.click("th:nth-child(4) button")
    assert tab.inner_text("tbody tr:last-child td:nth-child(4)") == "37,752,832"
    tab.fill("#page-filter", "conv")
    assert tab.locator("tbody tr:visible").count() == 5
    tab.fill("#page-filter", "conv 384")
    assert tab.locator("tbody tr:visible").count() == 1
    assert said == []


def test_the_diagram_zooms_and_moves(browser: Any, tmp_path: Path) -> None:
    tab, said = opened(browser, tmp_path, made("vgg11"))
    box = "document.querySelector('#page-canvas svg').getAttribute('viewBox').split(' ').map(Number)"
    before = tab.evaluate(box)
    tab.click("[data-zoom=in]")
    closer = tab.evaluate(box)
    assert closer[2] == pytest.approx(before[2] * 0.7)
    tab.focus("#page-canvas")
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate(box)[1] == pytest.approx(closer[1] + closer[2] / 10)
    tab.keyboard.press("0")
    whole = tab.evaluate(box)
    tab.mouse.move(200, 500)
    tab.mouse.wheel(0, -300)
    assert tab.evaluate(box)[2] < whole[2]
    tab.click("tbody tr:last-child")
    inside = tab.evaluate(
        "(() => { const e = document.querySelector('#page-canvas g.on').getBoundingClientRect(), "
        "f = document.getElementById('page-canvas').getBoundingClientRect(); "
        "return e.top >= f.top - 1 && e.bottom <= f.bottom + 1; })()"
    )
    assert inside
    assert said == []


def test_the_roofline_follows_the_machine(browser: Any, tmp_path: Path) -> None:
    tab, said = opened(browser, tmp_path, made("lenet5"))
    milliseconds = r"At best ([\d.]+) ms"
    before = float(re.search(milliseconds, tab.inner_text("#page-bound"))[1])  # type: ignore[index]
    tab.fill("#page-peak", "400")
    tab.fill("#page-bandwidth", "80")
    after = float(re.search(milliseconds, tab.inner_text("#page-bound"))[1])  # type: ignore[index]
    assert after == pytest.approx(before / 2, rel=0.01)
    assert said == []


def test_what_quantising_cost_is_a_table_with_histograms(browser: Any, tmp_path: Path) -> None:
    loaded = pipeline.load("lenet5")
    row = {"kept": False, "low": 0.0, "high": 2.5, "saturated": 0.0025, "own_db": 41.0, "through_db": None}
    names = [node.name for node in loaded.graph.nodes if node.op.word in ("Conv", "FC")]
    report = QuantizationReport.model_validate(
        {
            "network": "lenet5", "pictures": 8, "measured": 4, "held_out": True, "sqnr_db": 40.0, "error": 0.01,
            "agreement": 1.0, "weights_bytes": 100, "float_bytes": 400, "kept": [], "seconds": 1.0,
            "layers": [{"name": n, "layers": ["Conv"], "histogram": [9, *[0] * 14, 3], **row} for n in names],
        }
    )  # fmt: skip
    text = page(loaded.graph, summarize(loaded.graph, loaded.warnings), quantized=report)
    tab, said = opened(browser, tmp_path, text)
    assert tab.locator("#page-quantized tbody tr").count() == len(names)
    first = tab.locator("#page-quantized tbody tr").first
    assert "0.25%" in first.inner_text()
    assert first.locator("rect").count() == 16
    first.hover()
    assert names[0] in tab.locator("#page-readout").inner_text()
    assert said == []
    tab, _ = opened(browser, tmp_path, made("lenet5"))
    assert not tab.locator("#page-quantized").is_visible()


def test_advice_points_at_the_layers_that_it_is_about(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "net.cnn"
    path.write_text("input 3×32×32\nConv3x3(52) → ReLU → Flatten → hidden: FC(256) → ReLU → FC(10)\n", "utf-8")
    loaded = pipeline.load(str(path))
    summary = summarize(loaded.graph, loaded.warnings)
    found = advise_file(str(path), loaded.graph, None, {}, {})
    tab, said = opened(
        browser, tmp_path, page(loaded.graph, summary, advice=advised(loaded.graph, summary, found)), "dark"
    )
    assert [line.split("\n")[0] for line in tab.locator("#page-shares > div").all_inner_texts()] == [
        "parameters",
        "MACs",
    ]
    tab.hover("#page-shares button >> nth=0")
    assert "hidden" in tab.inner_text("#page-readout")
    first = tab.locator("#page-changes .change").first
    assert "write GlobalAvgPool → Flatten for Flatten" in first.inner_text()
    # 52·27 + 52, 52·32·32·256 + 256, 256·10 + 10.
    assert "13,635,770" in first.inner_text()
    first.click()
    assert "Flatten" in tab.inner_text("#page-readout")
    assert "on" in first.get_attribute("class").split()
    tab.set_viewport_size({"width": 400, "height": 900})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400
    assert said == []
    tab, _ = opened(browser, tmp_path, made("lenet5"))
    assert not tab.locator("#page-advice").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_reads_in_light_and_dark(browser: Any, tmp_path: Path, scheme: str) -> None:
    tab, said = opened(browser, tmp_path, made("lenet5"), scheme)
    colours = tab.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    light, ink = (sum(map(int, re.findall(r"\d+", colour)[:3])) / 3 for colour in colours)
    assert (light > 200 > 100 > ink) if scheme == "light" else (light < 60 < 180 < ink)
    assert said == []


def test_hostile_text_does_nothing_in_a_browser(browser: Any, tmp_path: Path) -> None:
    tab, said = opened(browser, tmp_path, made(HOSTILE))
    assert tab.evaluate("window.taken") is None
    assert "</script>" in tab.inner_text("#page-source")
    assert said == []


@pytest.mark.parametrize("width", [1280, 400])
def test_the_table_is_as_wide_as_the_page(browser: Any, tmp_path: Path, width: int) -> None:
    tab, _ = opened(browser, tmp_path, made("resnet18"))
    tab.set_viewport_size({"width": width, "height": 900})
    table, room = tab.evaluate(
        "[document.querySelector('#page-layers').scrollWidth, document.querySelector('.scroll').clientWidth]"
    )
    assert table <= room
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    # Nothing is pointed at: no bar. Every plot has its axis.
    assert not tab.is_visible("#page-readout")
    assert tab.locator("#page-plots svg text", has_text="layer, in order of execution").count() == 4
