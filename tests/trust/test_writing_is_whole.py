"""Killed at any moment, on a full disk, in a folder that may not be written: the old file or the new one, never half."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CNNDSL = [sys.executable, "-m", "cnndsl"]

WRITER = """
import sys
from itertools import count
from pathlib import Path
from cnndsl.disk.files import write_atomically
path = Path(sys.argv[1])
for n in count():
    write_atomically(path, bytes([n % 251]) * 3_000_000)
    print(n, flush=True)
"""


def rounds() -> int:
    return int(os.environ.get("CNNDSL_KILLS", "12"))


def test_killed_while_it_writes(tmp_path: Path) -> None:
    path, draw = tmp_path / "out.bin", random.Random(0)
    torn = []
    for _ in range(rounds()):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(draw.random() * 0.02)
            child.send_signal(signal.SIGKILL)
        data = path.read_bytes()
        torn += [len(data)] if len(data) != 3_000_000 or len(set(data)) != 1 else []
    assert torn == []


def _limited() -> None:
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


@pytest.mark.parametrize(
    "command",
    [
        ["compile", "resnet18", "--to", "torch", "-o"],
        ["compile", "resnet18", "--to", "ir", "-o"],
        ["draw", "resnet18", "-o"],
    ],
    ids=["torch", "ir", "draw"],
)
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "old.dot"
    path.write_text("old")
    done = subprocess.run(
        [*CNNDSL, *command, str(path)], cwd=ROOT, capture_output=True, preexec_fn=_limited, check=False
    )
    assert (done.returncode, path.read_text()) == (3, "old"), done.stderr.decode()
    assert b"cannot write" in done.stderr
    assert b"Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["old.dot"]


def test_fmt_on_a_full_disk_keeps_the_program(tmp_path: Path) -> None:
    program = tmp_path / "long.cnn"
    text = "input 3x8x8\n" + " -> ".join(["Conv3x3(4)"] * 400)
    program.write_text(text, "utf-8")
    done = subprocess.run(
        [*CNNDSL, "fmt", str(program)], cwd=ROOT, capture_output=True, preexec_fn=_limited, check=False
    )
    assert done.returncode == 3, done.stderr.decode()
    assert program.read_text("utf-8") == text


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_a_small_disk_that_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    try:
        (disk / "net.json").write_text("old")
        done = subprocess.run(
            [*CNNDSL, "compile", "resnet152", "--to", "ir", "-o", str(disk / "net.json")],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, (disk / "net.json").read_text()) == (3, "old")
        assert b"No space left" in done.stderr
        assert [p.name for p in disk.iterdir()] == ["net.json"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [*CNNDSL, "compile", "lenet5", "--to", "torch", "-o", str(tmp_path / "file" / "net.py")],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3
    assert b"cannot write" in done.stderr
