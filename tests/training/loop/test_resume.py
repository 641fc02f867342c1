"""Guards `training/loop/checkpoint.py` and `recorder.py`: a run killed at any moment and resumed ends as one left alone does."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from cnndsl.diagnostics.errors import CnnError
from cnndsl.training.loop.checkpoint import FORMAT, check, packed, unpacked
from cnndsl.training.run import open_run
from cnndsl.training.train import resume

ROOT = Path(__file__).resolve().parents[3]
CNNDSL = [sys.executable, "-W", "error", "-m", "cnndsl"]
NETWORK = """input 1×16×16
conv: Conv3x3(8) → bn: BN → ReLU → MaxPool2x2 → drop: Dropout(0.2) → Flatten → fc: FC(10)
"""


def start(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    (folder / "n.cnn").write_text(NETWORK, "utf-8")
    command = [*CNNDSL, "train", str(folder / "n.cnn"), "--epochs", "6", "--augment", "crop,mixup", "--warmup", "2"]
    return subprocess.Popen([*command, *options], cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def whole(folder: Path, *options: str) -> Path:
    process = start(folder, *options, "-o", str(folder / "whole"))
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()
    return folder / "whole"


def rows(run: Path) -> list[list[str]]:
    """`metrics.csv` without what a clock says."""
    return [line.split(",")[:6] for line in (run / "metrics.csv").read_text().splitlines()]


def alike(one: Path, other: Path) -> None:
    for name in ("last.safetensors", "best.safetensors"):
        ours, theirs = load_file(one / name), load_file(other / name)
        assert ours.keys() == theirs.keys()
        for key, array in ours.items():
            np.testing.assert_array_equal(array, theirs[key], err_msg=key)
    assert rows(one) == rows(other)


@pytest.mark.slow
def test_kill_9_in_mid_run(tmp_path: Path) -> None:
    options = ("--ema", "0.9", "--early-stop", "5")
    left_alone = whole(tmp_path, *options)
    killed = tmp_path / "killed"
    process = start(tmp_path, *options, "-o", str(killed))
    # Twice, at moments of no choice of ours: in the third epoch or a little later, and soon after.
    for epochs in (2, 4):
        while not (killed / "metrics.csv").is_file() or len(rows(killed)) < epochs + 1:
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert len(rows(killed)) < 7
        process = subprocess.Popen([*CNNDSL, "train", "--resume", str(killed)], cwd=ROOT, stderr=subprocess.PIPE)
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()
    assert b"going on with n" in said
    alike(killed, left_alone)


@pytest.mark.slow
def test_a_run_without_a_whole_epoch_begins_again(tmp_path: Path) -> None:
    left_alone = whole(tmp_path)
    killed = tmp_path / "killed"
    process = start(tmp_path, "-o", str(killed))
    while not (killed / "run.json").is_file():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (killed / "checkpoint.safetensors").exists()
    subprocess.run([*CNNDSL, "train", "--resume", str(killed)], cwd=ROOT, check=True, capture_output=True)
    alike(killed, left_alone)


@pytest.mark.slow
def test_ctrl_c_leaves_everything_that_is_done(tmp_path: Path) -> None:
    process = start(tmp_path, "-o", str(tmp_path / "run"))
    while not (tmp_path / "run" / "metrics.csv").is_file():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert f"go on with `cnndsl train --resume {tmp_path / 'run'}`".encode() in said
    assert b"Traceback" not in said
    assert {"best.safetensors", "last.safetensors", "curves.svg"} <= {
        path.name for path in (tmp_path / "run").iterdir()
    }
    subprocess.run([*CNNDSL, "train", "--resume", str(tmp_path / "run")], cwd=ROOT, check=True, capture_output=True)
    alike(tmp_path / "run", whole(tmp_path))


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    shared = torch.arange(6.0).reshape(2, 3)
    state = {
        "a": [1, 2.5, None, True, "text", (3, (4,))],
        "b": {0: {"step": torch.tensor(3.0), "half": shared.to(torch.bfloat16)}, "t": shared.T, "s": shared},
        "empty": {},
        "inf": float("-inf"),
    }
    (tmp_path / "c.safetensors").write_bytes(packed(state))
    found = unpacked(tmp_path / "c.safetensors")
    assert {**found, "b": 0} == {**state, "b": 0}
    assert found["b"][0]["half"].dtype == torch.bfloat16
    assert torch.equal(found["b"]["t"], shared.T)
    assert torch.equal(found["b"]["s"], shared)
    with pytest.raises(TypeError, match="holds a set"):
        packed({"a": {1}})


class Hostile:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def torchs_own(path: Path, value: object) -> None:
    torch.save(value, path)


def plain_pickle(path: Path, value: object) -> None:
    path.write_bytes(pickle.dumps(value))


@pytest.mark.parametrize("write", [torchs_own, plain_pickle])
def test_pickles_in_a_run_are_not_loaded(tmp_path: Path, write: object) -> None:
    assert callable(write)
    write(tmp_path / "checkpoint.safetensors", {"state_dict": Hostile(tmp_path / "harm")})
    with pytest.raises(CnnError, match="damaged-run"):
        unpacked(tmp_path / "checkpoint.safetensors")
    assert not (tmp_path / "harm").exists()


def test_other_files_are_no_state_of_training(tmp_path: Path) -> None:
    from safetensors.torch import save

    path = tmp_path / "c.safetensors"
    contents: list[dict[str, str] | None] = [
        None,
        {"format": FORMAT},
        {"format": FORMAT, "state": "{"},
        {"format": FORMAT, "state": "[1]"},
        {"format": FORMAT, "state": '{"tensor": "9"}'},
        {"format": FORMAT, "state": '{"code": "1"}'},
        {"format": FORMAT, "state": "[" * 100_000},
    ]
    tensors = {"a": torch.zeros(1)}
    for about in contents:
        if about and "state" in about:
            about["check"] = check(about["state"], tensors)
        path.write_bytes(save(tensors, about))
        with pytest.raises(CnnError, match="damaged-run"):
            unpacked(path)
    path.unlink()
    with pytest.raises(CnnError, match="damaged-run"):
        unpacked(path)


def test_a_state_that_has_changed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    whole = packed({"epoch": 3, "weights": [torch.arange(4.0), torch.tensor(True), torch.zeros(0)]})
    path.write_bytes(whole)
    assert unpacked(path)["epoch"] == 3
    places = [whole.index(b'[[\\"epoch\\", 3') + 13, len(whole) - 3]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(CnnError, match=r"damaged-run.*has changed since"):
            unpacked(path)


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(CnnError, match="not-a-run"):
        resume(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(CnnError, match="damaged-run"):
        open_run(tmp_path)
