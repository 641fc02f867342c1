"""Guards `training/trained`: every export of a run's weights, made by the command line, gives what the run's module gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.numpy import load_file

import cnndsl
from cnndsl.cli import run
from cnndsl.training.data.find import find_data
from cnndsl.training.run import Run

NETWORK = "input 1×8×8\nconv: Conv3x3(16) → bn: BN → ReLU → Flatten → fc: FC(10)\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    made = cnndsl.parse(NETWORK, "small.cnn").train(
        folder=tmp_path_factory.mktemp("runs") / "small", epochs=2, lr=0.01, augment=()
    )
    assert made.best["val_accuracy"] > 0.9
    return made.run


@pytest.fixture(scope="module")
def module(trained: Run) -> torch.nn.Module:
    net = cnndsl.parse(NETWORK).to_torch()
    net.load_state_dict({key: torch.tensor(array) for key, array in trained.weights().items()})
    assert isinstance(net, torch.nn.Module)
    return net.eval()


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """The held-out digits, N×1×8×8 from 0 to 1."""
    data = find_data("digits")
    pictures: np.ndarray = data.read((1, 8, 8))[data.parts(0.2, 0)[1]].astype(np.float32) / 255
    return pictures


def shipped(trained: Run, to: str, folder: Path) -> Path:
    """By the words of docs/training.md, with the text that the run keeps."""
    file = folder / f"small.{to}"
    weights = ["--weights", str(trained.folder / "best.safetensors")]
    assert run(["compile", str(trained.folder / "source.cnn"), "--to", to, *weights, "-o", str(file)]) == 0
    return file


def same(found: np.ndarray, module: torch.nn.Module, digits: np.ndarray) -> None:
    with torch.inference_mode():
        expected = module(torch.from_numpy(digits)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)
    np.testing.assert_array_equal(found.argmax(1), expected.argmax(1))


def test_onnx(trained: Run, module: torch.nn.Module, digits: np.ndarray, tmp_path: Path) -> None:
    file = shipped(trained, "onnx", tmp_path)
    onnx.checker.check_model(str(file), full_check=True)
    session = onnxruntime.InferenceSession(str(file))
    name = session.get_inputs()[0].name
    for batch in (digits[:1], digits[:7], digits):
        same(session.run(None, {name: batch})[0], module, batch)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_pt2(trained: Run, module: torch.nn.Module, digits: np.ndarray, tmp_path: Path) -> None:
    program = torch.export.load(shipped(trained, "pt2", tmp_path)).module()
    for batch in (digits[:1], digits[:7], digits):
        same(program(torch.from_numpy(batch)).detach().numpy(), module, batch)


def test_safetensors(trained: Run, tmp_path: Path) -> None:
    arrays = load_file(shipped(trained, "safetensors", tmp_path))
    assert arrays.keys() == trained.weights().keys()
    for key, array in trained.weights().items():
        np.testing.assert_array_equal(arrays[key], array, err_msg=key)


def test_tvm(trained: Run, module: torch.nn.Module, digits: np.ndarray, tmp_path: Path) -> None:
    package = shipped(trained, "tvm", tmp_path)
    np.save(tmp_path / "digits.npy", digits)
    command = [sys.executable, str(package / "predict.py"), str(tmp_path / "digits.npy"), str(tmp_path / "scores.npy")]
    subprocess.run(command, check=True, capture_output=True)
    same(np.load(tmp_path / "scores.npy"), module, digits)
