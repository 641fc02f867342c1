"""Guards `playground.py` and what `docs/playground` is built from: the answers to the page, and PyTorch files written without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from cnndsl import pipeline
from cnndsl.backends.pytorch.writing.source import to_source
from cnndsl.disk import shelf
from cnndsl.playground import Playground

DOCS = Path(__file__).resolve().parents[2] / "docs"
SMALL = "input 3×32×32\nConv3x3(8) → ReLU\n→ FC(10)\n"


def loaded(path: str) -> Any:
    """A script of `docs/` as a module."""
    spec = spec_from_file_location(path.replace("/", "_"), DOCS / f"{path}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ask(play: Playground, what: str, **arguments: Any) -> Any:
    return json.loads(play.ask(json.dumps({"what": what, **arguments})))


def test_lines_have_their_figures_and_keep_them_through_a_mistake() -> None:
    play = Playground()
    state = ask(play, "edit", text=SMALL)
    assert [(hint["at"], hint["text"]) for hint in state["hints"]] == [
        (13, "3×32×32"),
        (31, "8×32×32  rf 3 /1  224 params"),
        (40, "10  rf all  81.9K params"),
    ]
    assert ["parameters", "82,154"] in state["totals"]
    state = ask(play, "edit", text=SMALL.replace("Conv3x3(8)", "Conv3x3(8, , 2)"))
    assert state["totals"] is None
    assert [hint["stale"] for hint in state["hints"]][-1]
    (problem,) = state["problems"]
    assert (problem["id"], problem["line"], problem["edits"]) == (
        "syntax",
        2,
        [{"from": 24, "to": 26, "text": ""}],
    )


def test_places_count_as_javascript_does() -> None:
    play = Playground()
    text = "# 😀😀\ninput 3×32×32\nRelu\n"
    (problem,) = ask(play, "edit", text=text)["problems"]
    assert text.encode("utf-16-le")[2 * problem["from"] : 2 * problem["to"]].decode("utf-16-le") == "Relu"
    assert ask(play, "hover", at=text.index("input") + 2) == ask(play, "hover", at=text.index("input") + 3)


def test_the_network_comes_in_all_forms() -> None:
    play = Playground()
    ask(play, "edit", text=SMALL)
    graph = pipeline.parse_text(SMALL, "network.cnn").graph
    assert 'fontname="Arial"' in ask(play, "view", kind="diagram", model=None)["content"]["dot"]
    assert "82,154" in ask(play, "view", kind="table", model=None)["content"]
    assert json.loads(ask(play, "view", kind="json", model=None)["content"])["totals"]["params"] == 82_154
    assert ask(play, "view", kind="mermaid", model=None)["content"].startswith("flowchart")
    written = ask(play, "view", kind="pytorch", model=None)["content"]
    assert written == to_source(graph)


def test_a_time_that_is_demanded_is_refused_at_its_place() -> None:
    text = "input 3×8×8\nConv3x3(8)\nassert latency < 5ms\n"
    (problem,) = ask(Playground(), "edit", text=text)["problems"]
    assert (problem["id"], problem["line"]) == ("not-measured", 3)
    assert "not known in a browser" in problem["message"]


def test_a_model_is_the_one_that_the_cursor_is_in() -> None:
    play = Playground()
    text = "model small { input 3×8×8 Conv3x3(4) }\nmodel large { input 3×8×8 Conv3x3(64) }\n"
    assert ask(play, "edit", text=text, cursor=5)["model"] == "small"
    state = ask(play, "edit", text=text, cursor=50)
    assert (state["model"], state["models"]) == ("large", ["small", "large"])


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["resnet50", "unet", "mobilenet_v3_small"], id="some"),
        pytest.param(sorted(shelf.architectures()), id="all", marks=pytest.mark.slow),
    ],
)
def test_a_pytorch_file_written_without_torch_is_the_one_written_with_it(names: list[str], tmp_path: Path) -> None:
    for path, text in loaded("playground/torch_table").files().items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    script = (
        "import sys, json, torch\nassert not hasattr(torch, 'tensor')\nfrom cnndsl import pipeline\n"
        "from cnndsl.backends.pytorch.writing.source import to_source\n"
        "print(json.dumps([to_source(pipeline.load(name).graph) for name in sys.argv[1:]]))"
    )
    path = f"{tmp_path}:{DOCS.parent}"
    done = subprocess.run(
        [sys.executable, "-c", script, *names], capture_output=True, text=True, env={"PYTHONPATH": path}, check=True
    )
    assert json.loads(done.stdout) == [to_source(pipeline.load(name).graph) for name in names]


def test_an_address_of_the_site_holds_the_program() -> None:
    from base64 import urlsafe_b64decode
    from zlib import decompress

    site = loaded("site/make")
    packed = site.address(SMALL).removeprefix("#1:")
    assert decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), -15).decode() == SMALL
    assert site.whole_program(" fragment 64×8×8", "ReLU\n") == "input 64×8×8\nReLU\n"
    assert site.whole_program("", 'use Unit from "unit.cnn"\n') is None


def test_links_of_pages_lead_to_pages_of_the_site() -> None:
    site = loaded("site/make")
    known = {"language", "errors/README", "index", "networks/resnet"}
    text = "[a](../../architectures/resnet.cnn), [b](../language.md#x), [c](../../cnndsl/pipeline.py), [d](https://arxiv.org)"
    assert site.page(text, "errors/README", known) == (
        "[a](../networks/resnet.md), [b](../language.md#x), c, [d](https://arxiv.org)"
    )


def test_the_steps_of_the_tour_are_those_of_the_tutorial_and_build() -> None:
    lessons = loaded("site/make").lessons()
    assert len(lessons) == 9
    for lesson in lessons:
        pipeline.parse_text(lesson["text"])
        assert lesson["said"]


def test_a_registry_shows_no_link_that_leads_nowhere() -> None:
    registry = loaded("registry")
    readme = (DOCS.parent / "README.md").read_text("utf-8")
    plain = registry.registry_page(readme, "")
    assert "](docs/" not in plain
    assert "<img" not in plain
    absolute = registry.registry_page(readme, "https://example.org/a/b")
    assert "](https://example.org/a/b/blob/HEAD/docs/tutorial.md)" in absolute
    assert 'src="https://example.org/a/b/raw/HEAD/docs/images/small.svg"' in absolute
