"""Guards `backends/tvm/predict.py`. Any batch, DLPack without copies, threads, self-test, and no file from
elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.backends.tvm.package.loaded import load
from cnndsl.diagnostics.errors import CnnError, Refused
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import inputs_for, torch_outputs

pytestmark = pytest.mark.tvm

TEXT = "input 3×12×12\nConv3x3(16) → BN → ReLU → MaxPool → FC(5)"


@pytest.fixture(scope="module")
def network() -> Graph:
    return parse_text(TEXT, "net.cnn").graph


@pytest.fixture(scope="module")
def exported(network: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    package = build(network, drawn_weights(network, 3), batch=(4, 1), options=CompileOptions(threads=2))
    return package.export(tmp_path_factory.mktemp("packages") / "p")


@pytest.fixture(scope="module")
def older(network: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for TVM's runtime."""
    package = build(network, drawn_weights(network, 3), options=CompileOptions(threads=2, runtime="tvm"))
    return package.export(tmp_path_factory.mktemp("packages") / "older")


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def test_the_largest_batch_that_fits_runs_first(
    exported: Path, network: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load(exported)
    assert loaded.manifest.batches == [1, 4]
    sizes: list[int] = []
    run = loaded.network._run

    def noted(size: int, inputs: list[np.ndarray]) -> list[np.ndarray]:
        sizes.append(size)
        return run(size, inputs)

    monkeypatch.setattr(loaded.network, "_run", noted)
    inputs = inputs_for(network, 10)
    (expected,) = torch_outputs(network, drawn_weights(network, 3), inputs).values()
    found = loaded(**inputs)
    assert sizes == [4, 4, 1, 1]
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


def test_equal_constants_of_two_batch_sizes_are_kept_once(exported: Path) -> None:
    (variant,) = json.loads((exported / "manifest.json").read_text("utf-8"))["variants"]
    stored = predict.read_weights(exported / "weights.safetensors")
    one, four = (part["constants"] for part in variant["programs"])
    assert set(one) | set(four) == set(stored)
    contents = [(key.partition("@")[0], a.shape, a.tobytes()) for key, a in stored.items()]
    assert len(set(contents)) == len(contents)


def test_torch_tensors_are_read_where_they_are(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(exported)
    tensor = torch.ones(1, 3, 12, 12)
    assert tensor.data_ptr() % predict.ALIGNMENT == 0
    seen: list[int] = []

    def noted(inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        seen.append(inputs[0].ctypes.data)
        return list(inputs)

    monkeypatch.setitem(loaded.network._runnables, 1, noted)
    loaded.network._run(1, [predict._batched(tensor, loaded.network.manifest["inputs"][0])])
    assert seen == [tensor.data_ptr()]
    array = predict._viewed(tensor, "x")
    assert predict.aligned(array) is array
    monkeypatch.undo()
    assert np.array_equal(loaded(tensor), loaded(np.ones((3, 12, 12), np.float32)))
    with pytest.raises(CnnError, match=r"wrong-input.*require.*grad"):
        loaded(tensor.requires_grad_())


def test_arrays_that_start_anywhere_are_copied_and_outputs_are_the_callers(exported: Path) -> None:
    loaded = load(exported)
    x = np.random.default_rng(0).standard_normal((4, 3, 12, 12)).astype(np.float32)
    expected = loaded(x)
    room = np.zeros(x.nbytes + 4, np.uint8)
    odd = room[4:].view(np.float32).reshape(x.shape)
    odd[...] = x
    odd.flags.writeable = False
    assert np.array_equal(loaded(odd), expected)
    assert np.array_equal(loaded(np.asfortranarray(x)), expected)
    first = loaded(x)
    second = loaded(x * 2)
    assert np.array_equal(first, expected)
    assert not np.array_equal(first, second)
    unchanged = build(parse_text("input 4\nDropout").graph)
    given = np.arange(16, dtype=np.float32).reshape(4, 4)[:1].copy()
    result = unchanged(given)
    result += 1
    assert np.array_equal(given, [[0, 1, 2, 3]])


@pytest.mark.parametrize("kind", ["exported", "older"])
def test_threads_that_come_and_go_share_one_pool_and_agree(kind: str, request: pytest.FixtureRequest) -> None:
    loaded = load(request.getfixturevalue(kind))
    x = np.random.default_rng(1).standard_normal((3, 3, 12, 12)).astype(np.float32)
    expected = loaded(x)
    found: list[np.ndarray] = []

    def call() -> None:
        found.append(loaded(x))

    def several(count: int) -> None:
        threads = [threading.Thread(target=call) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def tasks() -> int:
        folder = Path("/proc/self/task")
        return len(list(folder.iterdir())) if folder.is_dir() else 0

    several(2)
    before = tasks()
    several(12)
    # Linux counts a thread for a moment after it was joined; a pool of its own would stay.
    for _ in range(200):
        if tasks() <= before:
            break
        time.sleep(0.05)
    assert tasks() <= before
    assert len(found) == 14
    assert all(np.array_equal(y, expected) for y in found)


FRESH = """
import os, sys
sys.path.insert(0, __FOLDER__)
for name in ("cnndsl", "pydantic"):
    sys.modules[name] = None
from predict import load
network = load(__FOLDER__)
assert network.self_test() <= 1e-4
print(os.environ["TVM_NUM_THREADS"], "torch" in sys.modules, "tvm" in sys.modules)
"""


def test_a_fresh_process_loads_neither_torch_nor_tvms_compiler(older: Path) -> None:
    program = FRESH.replace("__FOLDER__", repr(str(older)))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TVM"))}
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stdout) == (0, "2 False False\n"), done.stderr


def test_the_self_test_tells_other_numbers(copy: Path) -> None:
    assert load(copy).self_test() <= 1e-6
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    arrays = predict.read_weights(copy / "sample.safetensors")
    data = bytearray((copy / "sample.safetensors").read_bytes())
    last = list(arrays)[-1]
    assert last.startswith("output.")
    data[-4 * arrays[last].size :] = (np.array(arrays[last]) * 1.001).tobytes()
    (copy / "sample.safetensors").write_bytes(data)
    manifest["files"]["sample.safetensors"] = sha256(data).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(Refused, match=r"failed-self-test.*off by 1\.0e-03"):
        load(copy).self_test()


@pytest.mark.parametrize(
    ("key", "value"),
    [("tolerance", float("nan")), ("tolerance", 2.0), ("threads", 10**6), ("inputs", []), ("outputs", "x")],
)
def test_a_manifest_that_cannot_be_meant_is_damaged(copy: Path, key: str, value: object) -> None:
    """A self-test passes at once where nothing is larger than what is allowed, and TVM dies of a million threads."""
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    (copy / "manifest.json").write_text(json.dumps(manifest | {key: value}), "utf-8")
    with pytest.raises(predict.DamagedError, match="is damaged"):
        predict.load(copy)


@pytest.mark.parametrize("name", ["weights.safetensors", "sample.safetensors"])
def test_arrays_that_are_not_the_packages_are_told(copy: Path, name: str) -> None:
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    other = "sample.safetensors" if name.startswith("weights") else "weights.safetensors"
    shutil.copy(copy / other, copy / name)
    manifest["files"][name] = manifest["files"][other]
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(Refused, match=r"damaged-package.*has no"):
        load(copy)


def test_predict_py_tells_what_it_cannot_read_and_writes_whole(exported: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((3, 12, 12), np.float32))
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "zip.npz").write_bytes(b"PK\x03\x04")
    os.mkfifo(tmp_path / "pipe.npy")
    for given, wrote in (("empty.npy", None), ("zip.npz", None), ("pipe.npy", None), ("x.npy", "no/y.npy")):
        command = [
            sys.executable,
            str(exported / "predict.py"),
            str(tmp_path / given),
            *([str(tmp_path / wrote)] if wrote else []),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stderr[:7]) == (1, "error: "), done.stderr


@pytest.mark.parametrize("kind", ["link", "elsewhere", "absolute", "pipe", "folder"])
def test_files_from_elsewhere_are_refused(copy: Path, tmp_path: Path, kind: str) -> None:
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    (tmp_path / "lib.so").write_bytes((copy / "lib-batch1.so").read_bytes())
    part = manifest["variants"][0]["programs"][0]
    target = copy / "lib-batch1.so"
    if kind in ("elsewhere", "absolute"):
        name = "../lib.so" if kind == "elsewhere" else str(tmp_path / "lib.so")
        manifest["files"][name] = manifest["files"].pop("lib-batch1.so")
        part["library"] = name
    else:
        target.unlink()
        if kind == "link":
            target.symlink_to(tmp_path / "lib.so")
        elif kind == "pipe":
            os.mkfifo(target)
        else:
            target.mkdir()
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(Refused, match=r"damaged-package.*(no plain file|no name for a file)"):
        load(copy)
