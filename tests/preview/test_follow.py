"""Guards `preview/follow.py` and `preview/knobs.py`: what a page is told of a program, with the settings of the moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cnndsl import pipeline
from cnndsl.backends.drawing.draw import to_svg
from cnndsl.backends.drawing.formats.graphviz import to_dot
from cnndsl.backends.drawing.formats.painter import Painter
from cnndsl.backends.drawing.words.description import description
from cnndsl.preview.follow import Followed, Settings

SMALL = "param width = 8\nparam dropped = 0.5\nparam deep = true\ninput 3×16×16\nConv3x3(width) → ReLU → FC(4)\n"


@pytest.fixture
def follow() -> Iterator[object]:
    made: list[Followed] = []

    def one(file: Path | str, settings: Settings | None = None) -> Followed:
        made.append(Followed(str(file), settings or Settings()))
        return made[-1]

    yield one
    for followed in made:
        followed.close()


def test_the_network_its_picture_and_what_can_be_set_are_told(follow, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "net.cnn").write_text(SMALL, "utf-8")
    state = follow(tmp_path / "net.cnn").read()
    assert state["wrong"] is None
    assert state["network"]["svg"].startswith("<svg")
    assert sum(layer["params"] for layer in state["network"]["data"]["layers"]) == 8 * 28 + 8 * 256 * 4 + 4
    assert [tuple(knob.values()) for knob in state["controls"]["knobs"]] == [
        ("width", "int", "8"),
        ("dropped", "float", "0.5"),
        ("deep", "bool", "true"),
    ]
    assert state["controls"]["inputs"] == [{"name": "input", "shape": [3, 16, 16]}]


def test_settings_are_those_of_the_command_line(follow, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "net.cnn").write_text(SMALL, "utf-8")
    followed = follow(tmp_path / "net.cnn", Settings(None, {"width": "16"}, {"": "3x8x8"}))
    layers = followed.read()["network"]["data"]["layers"]
    assert layers[0]["shape"] == "16×8×8"
    followed.settings = Settings(None, {"width": "none"}, {})
    wrong = followed.read()["wrong"]
    assert "error[" in wrong["text"]
    # What can be set stays known while a setting is wrong.
    assert followed.read()["controls"]["knobs"][0]["name"] == "width"


def test_a_variant_gives_its_parameters_the_values_of_its_line(follow) -> None:  # type: ignore[no-untyped-def]
    state = follow("resnet18").read()
    assert [(knob["name"], knob["text"]) for knob in state["controls"]["knobs"]] == [
        ("unit", "Basic"),
        ("counts", "[2, 2, 2, 2]"),
        ("classes", "1000"),
    ]
    assert {"resnet34", "wide_resnet50_2"} <= {*state["controls"]["models"]}


def test_a_wrong_program_is_told_with_its_place(follow, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "net.cnn"
    file.write_text("input 3×16×16\nConv3x3(8, , stride=2)\n", "utf-8")
    state = follow(file).read()
    assert state["network"] is None
    assert "error[syntax]" in state["wrong"]["text"]
    assert state["wrong"]["place"] == {"file": str(file), "line": 2, "column": 12}


def test_files_that_are_used_are_followed_too(follow, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "unit.cnn").write_text("block Unit(c) { Conv3x3(c) → ReLU }\n", "utf-8")
    (tmp_path / "net.cnn").write_text('use Unit from "unit.cnn"\ninput 3×16×16\nUnit(8)\n', "utf-8")
    followed = follow(tmp_path / "net.cnn")
    assert [path.name for path in followed.stamps()] == ["net.cnn"]
    followed.read()
    before = followed.stamps()
    assert sorted(path.name for path in before) == ["net.cnn", "unit.cnn"]
    (tmp_path / "unit.cnn").write_text("block Unit(c) { Conv3x3(c) → GELU }\n", "utf-8")
    changed = [path.name for path, stamp in followed.stamps().items() if before[path] != stamp]
    assert changed == ["unit.cnn"]


def test_a_painter_paints_what_the_program_of_its_own_paints() -> None:
    painter = Painter()
    try:
        for name in ("lenet5", "squeezenet1_1"):
            graph = pipeline.load(name).graph
            assert painter.svg(to_dot(graph, theme="auto"), description(graph)) == to_svg(graph, theme="auto")
    finally:
        painter.close()


def test_a_painter_whose_process_died_starts_another() -> None:
    graph = pipeline.load("lenet5").graph
    painter = Painter()
    try:
        first = painter.svg(to_dot(graph))
        if painter._child is not None:
            painter._child.kill()
            painter._child.wait()
        assert painter.svg(to_dot(graph)) == first
    finally:
        painter.close()
