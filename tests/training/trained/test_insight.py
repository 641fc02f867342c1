"""Guards `training/trained/insight.py`: kernels, maps and Grad-CAM are those of torch's own hooks and autograd."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from cnndsl.arrays.drawn import drawn_inputs, drawn_weights
from cnndsl.arrays.weights import write_weights
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.backends.pytorch.live.saliency import grad_cam
from cnndsl.cli.shared.group import Verbs
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import load, parse_text
from cnndsl.published.weights import Given
from cnndsl.training.trained.insight import cam_picture, class_index, kernels_picture, maps_picture
from cnndsl.training.trained.recogniser import Recogniser

TEXT = """input image: 3×20×18
stem: [Conv3x3(8, stride=2) → BN → ReLU]
→ body: [add{ id | Conv3x3(8) → BN } → ReLU]
→ head: [GlobalAvgPool → FC(5)]
"""


def recogniser(graph: Graph) -> Recogniser:
    return Recogniser.of_graph(graph, Given(drawn_weights(graph, 0), "drawn"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 30, 3), np.uint8)).save(path)
    return path


def test_grad_cam_is_what_torch_finds_with_hooks() -> None:
    graph = parse_text(TEXT).graph
    weights, inputs = drawn_weights(graph, 0), drawn_inputs(graph, 0)
    relu = next(n.name for n in reversed(graph.nodes) if n.op.word == "ReLU")
    module = to_torch(graph)
    module.load_state_dict({key: torch.from_numpy(np.array(value)) for key, value in weights.items()})
    module.eval()
    maps: list[torch.Tensor] = []
    # The last ReLU's result is what global pooling is fed.
    pool = next(m for m in module.modules() if isinstance(m, torch.nn.AdaptiveAvgPool2d))
    pool.register_forward_pre_hook(lambda _, given: maps.append(given[0]))
    for index in range(5):
        maps.clear()
        score = module(torch.from_numpy(inputs["image"]))[0, index]
        (gradient,) = torch.autograd.grad(score, maps[0])
        expected = torch.relu((gradient.mean((2, 3), keepdim=True) * maps[0]).sum(1))[0]
        expected = expected / expected.max() if expected.max() > 0 else expected
        found = grad_cam(graph, weights, inputs, relu, index)
        np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-5)


def test_a_map_that_nothing_hangs_on_is_empty() -> None:
    graph = parse_text("input 1×6×6\nConv3x3(2) → ReLU as a\n→ GlobalAvgPool → FC(3)").graph
    weights = {key: np.zeros_like(value) for key, value in drawn_weights(graph, 0).items()}
    assert not grad_cam(graph, weights, drawn_inputs(graph, 0), graph.nodes[0].name, 0).any()


@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_pictures_are_made_in_every_format(photo: Path, format: str) -> None:
    network = recogniser(parse_text(TEXT).graph)
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[format]
    for picture in (
        kernels_picture(network, format),
        maps_picture(network, photo, (), format),
        cam_picture(network, photo, None, None, format),
    ):
        assert picture.startswith(start)


def test_a_picture_says_what_it_shows(photo: Path) -> None:
    network = recogniser(parse_text(TEXT).graph)
    kernels = kernels_picture(network).decode()
    assert ": the 8 kernels of stem.0" in kernels
    # Eight kernels in colour, no axes.
    assert kernels.count("<image") == 8
    maps = maps_picture(network, photo, ["stem.1"]).decode()
    assert "stem.1 (BN), 8×10×9: the 8 channels" in maps
    # The picture itself stands above its maps.
    assert maps.count("<image") == 9
    assert "photo.png; below, each channel from its least (black) to its most (white)" in maps
    still = parse_text("input 3×8×8\nConv3x3(4, bias=false) → ReLU → GlobalAvgPool → FC(2)").graph
    zeros = Recogniser.of_graph(
        still, Given({k: np.zeros_like(v) for k, v in drawn_weights(still, 0).items()}, "zeros")
    )
    assert "4 channels; 4 the same everywhere on this picture" in maps_picture(zeros, photo, ["1"]).decode()
    cam = cam_picture(network, photo, "3", None).decode()
    assert "Grad-CAM of" in cam or "nothing speaks" in cam
    assert "speaks for it, share of the most" in cam
    assert "class 3 (" in cam or "nothing speaks for class 3" in cam


def test_names_that_are_not_there() -> None:
    network = recogniser(parse_text(TEXT).graph)
    for call, id in (
        (lambda: maps_picture(network, Path("x.png"), ["stem.9"]), "unknown-node"),
        (lambda: maps_picture(network, Path("x.png"), ["head.1"]), "nothing-to-inspect"),
        (lambda: kernels_picture(recogniser(parse_text("input 3\nFC(4)").graph)), "nothing-to-inspect"),
        (lambda: class_index(("cat", "dog"), "cot"), "unknown-class"),
        (lambda: class_index(("", ""), "2"), "unknown-class"),
    ):
        with pytest.raises(CnnError) as caught:
            call()
        assert [d.id for d in caught.value.diagnostics] == [id]
    with pytest.raises(CnnError) as caught:
        class_index(("cat", "dog", "owl"), "house")
    assert caught.value.diagnostics[0].notes == (
        "expected a number from 0 to 2, or one of the names `cat`, `dog`, `owl`",
    )
    assert (class_index(("cat", "dog"), "dog"), class_index(("", ""), "1")) == (1, 1)


def test_from_the_command_line(tmp_path: Path, photo: Path) -> None:
    (tmp_path / "net.cnn").write_text(TEXT, "utf-8")
    write_weights(tmp_path / "w.safetensors", drawn_weights(load(str(tmp_path / "net.cnn")).graph, 0))
    run = CliRunner()
    common = ["inspect", str(tmp_path / "net.cnn"), "--weights", str(tmp_path / "w.safetensors")]
    for arguments in (
        ["--kernels"],
        ["--feature-maps", str(photo), "--layer", "stem.0"],
        ["--grad-cam", str(photo), "--class", "2"],
    ):
        done = run.invoke(Verbs(name="cnndsl"), [*common, *arguments, "-o", str(tmp_path / "out.svg")])
        assert done.exit_code == 0, done.output
        assert (tmp_path / "out.svg").read_bytes().startswith(b"<?xml")
    for arguments in (
        ["--kernels", "--grad-cam", str(photo)],
        [],
        ["--kernels", "--layer", "stem.0"],
        ["--kernels", "--class", "1"],
    ):
        done = run.invoke(Verbs(name="cnndsl"), [*common, *arguments, "-o", str(tmp_path / "out.svg")])
        assert done.exit_code == 2
