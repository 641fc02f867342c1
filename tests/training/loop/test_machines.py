"""Guards `training/machine.py` and `loop/spread.py`: several processes learn as one does; what cannot be done is told first."""

from __future__ import annotations

import csv
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import cnndsl
from cnndsl.cli import run
from cnndsl.training.machine import check_machine
from cnndsl.training.options import Options

ROOT = Path(__file__).resolve().parents[3]
CNNDSL = [sys.executable, "-W", "error", "-m", "cnndsl", "train"]
NETWORK = "input 1×8×8\nconv: Conv3x3(16) → ReLU → mid: Conv3x3(8) → ReLU → Flatten → fc: FC(10)\n"
QUICK = ["--epochs", "3", "--lr", "0.01", "--augment", "none", "--accelerator", "cpu"]
FIGURES = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")


def start(folder: Path, name: str, *options: str, **environment: str) -> subprocess.Popen[str]:
    """A run in a session of its own, so that a signal reaches all its processes."""
    (folder / "n.cnn").write_text(NETWORK, "utf-8")
    return again([str(folder / "n.cnn"), *QUICK, *options, "-o", str(folder / name)], **environment)


def again(words: list[str], **environment: str) -> subprocess.Popen[str]:
    known = {**os.environ, "MASTER_ADDR": "127.0.0.1", **environment}
    return subprocess.Popen(
        [*CNNDSL, *words], cwd=ROOT, env=known, encoding="utf-8", start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> str:
    try:
        _, said = process.communicate(timeout=150)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said
    return said


def rows(folder: Path) -> list[dict[str, float]]:
    if not (folder / "metrics.csv").is_file():
        return []
    with (folder / "metrics.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def alike(one: Path, other: Path) -> None:
    assert len(rows(one)) == len(rows(other)) == 3
    for ours, theirs in zip(rows(one), rows(other), strict=True):
        for name in FIGURES:
            assert ours[name] == pytest.approx(theirs[name], rel=1e-4), name
    ours, theirs = load_file(one / "last.safetensors"), load_file(other / "last.safetensors")
    assert ours.keys() == theirs.keys()
    for key, array in ours.items():
        np.testing.assert_allclose(array, theirs[key], atol=1e-4, err_msg=key)


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    ended(start(folder, "run"))
    return folder / "run"


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_learn_as_one_does(strategy: str, alone: Path, tmp_path: Path) -> None:
    said = ended(start(tmp_path, "run", "--devices", "2", "--strategy", strategy))
    assert said.count("\n") == 5, said
    alike(alone, tmp_path / "run")


@pytest.mark.slow
def test_a_spread_run_goes_on_after_a_kill(alone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(tmp_path, "run", "--devices", "2", "--strategy", "fsdp")
    while not rows(folder):
        assert process.poll() is None
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert 1 <= len(rows(folder)) < 3
    assert "going on with n" in ended(again(["--resume", str(folder)]))
    alike(alone, folder)


@pytest.mark.slow
def test_two_machines_learn_as_one_does(alone: Path, tmp_path: Path) -> None:
    port = free_port()
    both = [start(tmp_path, "run", "--nodes", "2", NODE_RANK=rank, MASTER_PORT=port) for rank in "01"]
    first, second = [ended(process) for process in both]
    assert first.count("\n") == 5
    assert second == ""
    alike(alone, tmp_path / "run")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"strategy": "fsdp"}, "several processors, and there is one"),
        ({"strategy": "fsdp", "devices": 2, "ema": 0.9}, "`ema` needs whole weights"),
        ({"strategy": "fsdp", "devices": 2, "precision": "16"}, "computes in 32 or bf16"),
        ({"devices": 3}, "`batch` 32 cannot be shared evenly by 3 processors"),
        ({"devices": 64, "batch": 64}, "64 processors cannot share 50 examples"),
    ],
)
def test_options_that_do_not_go_together(given: dict[str, Any], says: str) -> None:
    with pytest.raises(cnndsl.CnnError, match="wrong-option") as told:
        check_machine(Options(**given), 50)
    assert says in told.value.diagnostics[0].message


def test_machines_that_do_not_know_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "TORCHELASTIC_RUN_ID", "SLURM_NTASKS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(
        cnndsl.diagnostics.errors.MissingPart, match="MASTER_ADDR, MASTER_PORT, NODE_RANK in the environment"
    ):
        check_machine(Options(nodes=2), 50)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "29500")
    monkeypatch.setenv("NODE_RANK", "2")
    with pytest.raises(cnndsl.diagnostics.errors.MissingPart, match="count from 0 to 1"):
        check_machine(Options(nodes=2), 50)
    monkeypatch.setenv("NODE_RANK", "1")
    check_machine(Options(nodes=2), 50)


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--accelerator", "cuda"], "PyTorch finds no GPU"),
        (["--accelerator", "mps"], "PyTorch finds no Apple GPU"),
        (["--precision", "16"], "16 is for GPUs"),
    ],
)
def test_hardware_that_is_not_there_leaves_no_run(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "n.cnn").write_text(NETWORK, "utf-8")
    assert run(["train", str(tmp_path / "n.cnn"), *options, "-o", str(tmp_path / "run")]) == 3
    assert says in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
