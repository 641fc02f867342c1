"""A package that is replaced is the old one or the new one, whole, whoever is killed, fails or reads at that moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cnndsl.backends.tvm.package.built import BuiltPackage
from cnndsl.backends.tvm.package.loaded import load
from cnndsl.disk import folders
from cnndsl.pipeline import parse_text

pytest.importorskip("tvm")
pytestmark = [pytest.mark.tvm, pytest.mark.skipif(sys.platform != "linux", reason="swaps names in one step")]

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("CNNDSL_KILLS", "20"))
RELU, SIGMOID = (f"input 3×8×8\nConv3x3(8) → {function} → GlobalAvgPool → FC(4)" for function in ("ReLU", "Sigmoid"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def built(text: str, kind: str = "llvm", seed: int = 0) -> BuiltPackage:
    from cnndsl.backends.tvm.build import build

    return build(parse_text(text).graph, None, kind, seed=seed)


@pytest.mark.parametrize("steps", [1, 2])
def test_killed_while_it_replaces_a_package(tmp_path: Path, steps: int) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.trust.replacing",
        str(tmp_path / "p"),
        str(KILLS if steps == 1 else KILLS // 4),
        str(steps),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen, wrong, _, left = json.loads(done.stdout)
    assert wrong == []
    assert min(seen) > 0
    assert left == 0


REPLACER = """
import sys
from itertools import count
from pathlib import Path
from cnndsl.disk import folders
if sys.argv[2] == "2":
    folders._swap = lambda one, other: False
for n in count():
    with folders.folder_aside(Path(sys.argv[1])) as aside:
        for name in "abcd":
            (aside / name).write_text(str(n))
    print(n, flush=True)
"""


@pytest.mark.parametrize("steps", ["1", "2"])
def test_killed_while_it_replaces_a_folder(tmp_path: Path, steps: str) -> None:
    place, draw = tmp_path / "place", random.Random(0)
    torn, most = [], 0
    for _ in range(KILLS):
        command = [sys.executable, "-c", REPLACER, str(place), steps]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(draw.random() * 0.02)
            child.send_signal(signal.SIGKILL)
        # In two steps it can have stepped aside; it comes back with the next that is written.
        (found,) = [place] if place.exists() else tmp_path.glob(".place.*.old")
        texts = {path.name: path.read_text() for path in found.iterdir()}
        torn += [texts] if sorted(texts) != list("abcd") or len(set(texts.values())) != 1 else []
        most = max(most, len(names(tmp_path)))
    assert torn == []
    assert most <= 3
    with pytest.raises(KeyError), folders.folder_aside(place):
        raise KeyError
    assert names(tmp_path) == ["place"]


@pytest.mark.parametrize("kind", ["llvm", "c"])
def test_a_package_replaced_while_the_old_one_is_in_use_gives_its_own_numbers(tmp_path: Path, kind: str) -> None:
    first, second = built(RELU, kind), built(SIGMOID, kind)
    x = np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)
    old = load(first.export(tmp_path / "p"))
    before = old(x)
    new = load(second.export(tmp_path / "p"))
    assert new.self_test() <= 1e-4
    assert np.array_equal(new(x), second(x))
    assert np.array_equal(old(x), before)
    assert not np.array_equal(new(x), before)


@pytest.fixture
def old_package(tmp_path: Path) -> Path:
    return built(RELU).export(tmp_path / "p")


def compiled(path: Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "cnndsl", "compile", "lenet5", "--to", "tvm", "-o", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def whole(path: Path) -> bool:
    return load(path).self_test() <= 1e-4 and names(path.parent) == [path.name]


def _limited() -> None:
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_full_disk_leaves_the_old_package(old_package: Path) -> None:
    done = compiled(old_package, preexec_fn=_limited)
    assert done.returncode == 3, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert load(old_package).self_test() <= 1e-4
    # LLVM ended the process in mid-writing: what that left is gone with the next export.
    assert whole(built(SIGMOID).export(old_package))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine mounts nothing")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_small_disk_that_is_full_leaves_the_old_package(disk: Path) -> None:
    path = built(RELU).export(disk / "p")
    done = compiled(path)
    assert done.returncode == 3, done.stderr.decode()
    assert b"No space left" in done.stderr
    assert whole(path)


def test_a_folder_that_may_not_be_written_leaves_the_old_package(disk: Path) -> None:
    path = built(RELU).export(disk / "p")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    done = compiled(path)
    assert done.returncode == 3, done.stderr.decode()
    assert b"cannot write" in done.stderr
    assert b"Read-only" in done.stderr
    assert whole(path)
