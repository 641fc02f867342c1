"""Many at once: networks read and summarised in threads and processes, packages called from four threads, all alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import pytest

from cnndsl import load
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import parse_text

NAMES = ["lenet5", "alexnet", "resnet18", "squeezenet1_1", "mobilenet_v2"]
LOADS = int(os.environ.get("CNNDSL_LOADS", "50"))
INFERENCES = int(os.environ.get("CNNDSL_INFERENCES", "500"))
MOST_GROWTH_KB = 8192
ROOT = Path(__file__).resolve().parents[2]
NETWORK = """
input 3×16×16
Conv3x3(8) → BN → ReLU → MaxPool → Conv3x3(16) → ReLU → GlobalAvgPool → FC(10)
"""


def figures(name: str) -> str:
    """Everything that the summary says, in short."""
    return sha256(load(name).summary().to_json().encode()).hexdigest()


def faults(number: int) -> tuple[str, ...]:
    """What is wrong with a program, one of ten; labels with values in them are parsed within the parse."""
    text = (
        f"input 3×8×8\nblock{{{number} + 1}}: Conv3x3({number % 10} → ReLU"
        if number % 2
        else f"input 3×8×8\n{{{number}}}x: Conv3x3(c{number % 10})"
    )
    try:
        parse_text(text)
    except CnnError as error:
        return tuple(f"{d.id} {d.message}" for d in error.diagnostics)
    return ()


def test_threads_agree() -> None:
    once, rounds = {name: figures(name) for name in NAMES}, LOADS // len(NAMES)
    alone = [faults(number) for number in range(100)]
    assert all(alone)
    interval = sys.getswitchinterval()
    # Threads take turns a thousand times more often than they do by themselves.
    sys.setswitchinterval(5e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            many = list(pool.map(figures, NAMES * rounds))
            wrong = list(pool.map(faults, range(100)))
    finally:
        sys.setswitchinterval(interval)
    assert many == [once[name] for name in NAMES * rounds]
    assert wrong == alone


def test_processes_agree() -> None:
    once, rounds = {name: figures(name) for name in NAMES}, LOADS // len(NAMES)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(figures, NAMES * rounds)) == [once[name] for name in NAMES * rounds]


@pytest.fixture(scope="module", params=["llvm", "c"])
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with code for one example and for eight, on two threads."""
    pytest.importorskip("tvm")
    from cnndsl.backends.tvm.build import build

    graph = parse_text(NETWORK, "net.cnn").graph
    made = build(graph, None, request.param, (1, 8), CompileOptions(threads=2))
    return made.export(tmp_path_factory.mktemp("packages") / request.param)


@pytest.mark.tvm
@pytest.mark.skipif(sys.platform != "linux", reason="takes /proc")
def test_a_package_serves_four_threads_in_flat_memory(package: Path) -> None:
    command = [sys.executable, str(ROOT / "tests" / "trust" / "serving.py"), str(package), str(INFERENCES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count, wrong, before, after, _ = json.loads(done.stdout)
    assert (count, wrong) == (INFERENCES, 0)
    assert after - before < MOST_GROWTH_KB


FORKED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import predict

network = predict.load(sys.argv[1])
x = np.ones((1, 3, 16, 16), np.float32)
expected = network(x)
child = os.fork()
if not child:
    signal.alarm(60)
    os._exit(0 if np.array_equal(network(x), expected) else 1)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) or not np.array_equal(network(x), expected))
"""


@pytest.mark.tvm
@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes fork")
def test_a_package_serves_the_copy_that_a_fork_makes(package: Path) -> None:
    command = [sys.executable, "-c", FORKED, str(package)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
