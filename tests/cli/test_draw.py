"""Guards `cli/draw.py`. `cnndsl draw`, its styles and what they take."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from cnndsl.arrays.weights import initial_weights
from cnndsl.cli import cli, run
from cnndsl.pipeline import load

CAT = str(Path(__file__).resolve().parents[2] / "docs" / "images" / "cat.jpg")


def test_styles_write_svg(tmp_path: Path) -> None:
    for arguments in (
        ["--style", "volumes"],
        ["--style", "rf", "--image", CAT],
        ["--color", "macs", "--theme", "auto"],
    ):
        path = tmp_path / "net.svg"
        assert run(["draw", "lenet5", "-o", str(path), *arguments]) == 0
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
        path.unlink()


def test_weights_bring_the_effective_field(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from safetensors.numpy import save_file

    graph = load("lenet5").graph
    save_file(initial_weights(graph, 0), tmp_path / "w.safetensors")
    path = tmp_path / "net.svg"
    arguments = ["--style", "rf", "--image", CAT, "--weights", str(tmp_path / "w.safetensors"), "-o", str(path)]
    assert run(["draw", "lenet5", *arguments]) == 0
    root = ElementTree.parse(path).getroot()
    assert len([e for e in root.iter() if e.tag.endswith("image")]) == 2
    assert any("of the gradient lies within" in (e.text or "") for e in root.iter())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--style", "rf"], "--style rf draws over a picture: give one with --image"),
        (["--image", CAT], "--image is for --style rf, not diagram"),
        (["--style", "volumes", "--color", "rf"], "--color is for --style diagram, not volumes"),
        (["--style", "rf", "--image", CAT, "--depth", "1"], "--depth is for --style diagram or volumes, not rf"),
    ],
)
def test_options_of_another_style_are_refused(arguments: list[str], said: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["draw", "lenet5", "-o", str(tmp_path / "net.svg"), *arguments])
    assert result.exit_code == 2
    assert said in result.output
    assert not list(tmp_path.iterdir())
