"""Guards `disk/kinds.py`: files that are something else are told as what they are, where a program or weights were due."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from cnndsl.arrays.weights import checked, initial_weights, read_weights, write_weights
from cnndsl.cli import run
from cnndsl.diagnostics.errors import CnnError
from cnndsl.passes.read_program import read_program as read
from cnndsl.pipeline import parse_text

Captured = pytest.CaptureFixture[str]
NET = "input 3×8×8\nconv: Conv3x3(4) → bn: BN → ReLU"


class Small(torch.nn.Module):  # type: ignore[misc]
    """A network that a file of PyTorch holds."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.bn = torch.nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.bn(self.conv(x)))


def _script(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Small().eval(), torch.zeros(1, 3, 8, 8)).save(str(path))


def _archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("some.txt", "text")


MADE: dict[str, Callable[[Path], object]] = {
    "state.pth": lambda path: torch.save(Small().state_dict(), path),
    "module.pth": lambda path: torch.save(Small(), path),
    "script.pt": _script,
    "old.pkl": lambda path: path.write_bytes(pickle.dumps({"a": 1})),
    "weights.safetensors": lambda path: write_weights(path, {"a": np.zeros(3, np.float32)}),
    "arrays.npz": lambda path: np.savez(path, a=np.zeros(3)),
    "cat.png": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64)),
    "net.h5": lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64)),
    "net.tflite": lambda path: path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(64)),
    "net.onnx": lambda path: path.write_bytes(b"\x08\x08\x12\x07pytorch" + bytes(64)),
    "renamed": lambda path: path.write_bytes(b"\x08\x08\x12\x07pytorch" + bytes(64)),
    "net.py": lambda path: path.write_text("import torch\n"),
    "some.zip": _archive,
    "noise": lambda path: path.write_bytes(bytes(range(256))),
}


@pytest.mark.parametrize(
    ("name", "what", "help"),
    [
        ("state.pth", "a file of weights that PyTorch saved", "`--weights state.pth`"),
        ("module.pth", "a whole module that Python pickled", "torch.export.save"),
        ("script.pt", "a TorchScript archive", "cnndsl import net.pt2 -o net.cnn"),
        ("old.pkl", "a Python pickle", "torch.export"),
        ("weights.safetensors", "a file of weights", "--weights weights.safetensors"),
        ("arrays.npz", "arrays of NumPy", "file of the network"),
        ("cat.png", "a picture", "cnndsl predict NETWORK cat.png"),
        ("net.h5", "an HDF5 file", "ONNX"),
        ("net.tflite", "a TensorFlow Lite file", "ONNX"),
        ("net.onnx", "an ONNX file", "`cnndsl import net.onnx -o net.cnn`"),
        ("renamed", "an ONNX file", "`cnndsl import renamed -o net.cnn`"),
        ("net.py", "a Python file", "cnndsl.from_torch"),
        ("some.zip", "an archive", "unpack it"),
        ("noise", "no text", "UTF-8"),
    ],
)
def test_a_file_that_is_no_program_is_told_as_what_it_is(tmp_path: Path, name: str, what: str, help: str) -> None:
    MADE[name](tmp_path / name)
    with pytest.raises(CnnError) as caught:
        read(str(tmp_path / name))
    (said,) = caught.value.diagnostics
    assert (said.id, what in said.message, help in (said.help or "")) == ("not-a-program", True, True), said


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("module.pth", "torch.save(model.state_dict()"),
        ("script.pt", "a TorchScript archive: save its weights"),
        ("net.onnx", "cnndsl import net.onnx"),
        ("net.h5", "HDF5"),
    ],
)
def test_a_file_that_holds_no_weights_is_told_as_what_it_is(tmp_path: Path, name: str, help: str) -> None:
    MADE[name](tmp_path / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CnnError) as caught:
            read_weights(tmp_path / name)
    assert help in (caught.value.diagnostics[0].help or ""), caught.value.diagnostics[0]


@pytest.mark.parametrize("text", [NET, "", "# nothing\n", "{}", "PKs", "BMW → x", "input 3\u00d78\u00d78\n\u0151"])
def test_texts_are_texts(tmp_path: Path, text: str) -> None:
    (tmp_path / "net.cnn").write_text(text, encoding="utf-8")
    assert read(str(tmp_path / "net.cnn")).source.text == text


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.", "model.backbone."])
def test_a_prefix_before_all_keys_is_told_once(prefix: str) -> None:
    graph = parse_text(NET).graph
    arrays = {f"{prefix}{key}": value for key, value in initial_weights(graph, 0).items()}
    with pytest.raises(CnnError) as caught:
        checked(graph, arrays, "w.pth")
    (said,) = caught.value.diagnostics
    assert said.message.startswith(f"all 7 keys of w.pth begin with `{prefix}`")
    assert f'removeprefix("{prefix}")' in (said.help or "")


def test_a_label_that_all_layers_share_is_no_prefix() -> None:
    graph = parse_text("input 3×8×8\nbody: [c: Conv3x3(4) → n: BN]").graph
    arrays = initial_weights(graph, 0)
    assert all(key.startswith("body.") for key in arrays)
    assert checked(graph, arrays, "w").keys() == arrays.keys()


def test_a_count_of_batches_may_have_been_saved_as_another_number() -> None:
    graph = parse_text(NET).graph
    arrays = initial_weights(graph, 0) | {"bn.num_batches_tracked": np.array(12, np.float16)}
    assert checked(graph, arrays, "w")["bn.num_batches_tracked"] == 12
    with pytest.raises(CnnError):
        checked(graph, arrays | {"bn.num_batches_tracked": np.array(np.inf, np.float16)}, "w")


def test_of_many_wrong_keys_the_first_are_told_and_the_rest_are_counted() -> None:
    graph = parse_text("input 3×8×8\n[Conv3x3(8) → BN → ReLU]×20").graph
    with pytest.raises(CnnError) as caught:
        checked(graph, {"nothing": np.zeros(1, np.float32)}, "w.pth")
    said = caught.value.diagnostics
    assert len(said) == 12
    assert said[-1].message == "110 more keys of w.pth are missing, unexpected or of another shape"


def test_the_exit_code_of_a_file_that_is_no_program_is_1(tmp_path: Path, capsys: Captured) -> None:
    MADE["state.pth"](tmp_path / "state.pth")
    assert run(["summary", str(tmp_path / "state.pth")]) == 1
    assert "error[not-a-program]" in capsys.readouterr().err
