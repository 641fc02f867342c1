"""Guards `backends/tvm/tuning/timer.py` and `backends/tvm/tuning/worker.py`. Times, crashes, hangs and errors in
child processes, and a real tracker's servers.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnndsl.backends.tvm.kernels.dense import Dense
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.backends.tvm.tuning import timer as module
from cnndsl.backends.tvm.tuning.remote import Tracker
from cnndsl.backends.tvm.tuning.timer import Timer
from cnndsl.diagnostics.errors import MissingPart
from tests.backends.tvm.tuning.networks import TEXT, subject_of

GOOD = Dense(1, 64, 4, 4, 16, ())


def calling(name: str, *numbers: int) -> Any:
    """A function that calls one of the C library's."""
    tvm = load_tvm()
    data = tvm.te.placeholder((1,), "int32", name="data")
    result = tvm.te.compute((1,), lambda i: data[i] + tvm.tirx.call_extern("int32", name, *numbers), name="result")
    return tvm.te.create_prim_func([data, result])


@pytest.fixture(scope="module")
def timer() -> Iterator[Timer]:
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "RUN_S", 4)
    made = Timer(find_cpu("llvm"), 1, repeats=3)
    yield made
    made.close()
    patch.undo()


def test_times_are_those_of_the_functions_in_order(timer: Timer) -> None:
    small, large = Dense(1, 64, 1, 4, 16, ()), Dense(1, 4096, 64, 4, 16, ())
    times = [timing.seconds for timing in timer.time([small.prim_func(), large.prim_func(), small.prim_func()])]
    assert all(t is not None and 0 < t < 1 for t in times)
    assert times[1] == max(t for t in times if t)


def test_a_crash_is_a_reason_and_the_next_candidate_is_measured(timer: Timer) -> None:
    crashed, fine = timer.time([calling("raise", signal.SIGSEGV), GOOD.prim_func()])
    assert (crashed.seconds, crashed.error) == (None, "it brought its process down")
    assert fine.error is None
    assert fine.seconds


def test_a_hang_is_a_reason_and_the_next_candidate_is_measured(timer: Timer) -> None:
    hung, fine = timer.time([calling("sleep", 1000), GOOD.prim_func()])
    assert hung.seconds is None
    assert "killed after 4 seconds" in str(hung.error)
    assert fine.seconds


def test_what_cannot_be_compiled_is_a_reason(timer: Timer) -> None:
    failed, fine = timer.time([calling("there_is_no_such_function"), GOOD.prim_func()])
    assert failed.seconds is None
    assert failed.error
    assert fine.seconds


def test_networks_are_raced_by_turns(timer: Timer) -> None:
    subject = subject_of(TEXT)
    lowered, ports, _ = subject.lowered()
    (library,) = timer.build([lowered])
    times = timer.race([library, library], [ports, ports], blocks=3, runs=2)
    assert [len(blocks) for blocks in times] == [3, 3]
    assert all(0 < t < 1 for blocks in times for t in blocks)


def test_a_network_that_crashes_is_told(timer: Timer, tmp_path: Path) -> None:
    (tmp_path / "broken.so").write_bytes(b"\x7fELF")
    with pytest.raises(MissingPart, match="the network could not be measured"):
        timer.race([str(tmp_path / "broken.so")], [[]], blocks=1, runs=1)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tracker, list[Path]]]:
    """A tracker and two servers on this machine, with their logs."""
    folder, port = tmp_path_factory.mktemp("rpc"), free_port()
    tracker = Tracker("127.0.0.1", port, "test")
    # TVM's tracker and servers take the first free port from the given one on.
    commands = [["rpc_tracker", "--port", str(port), "--port-end", str(port + 1)]]
    commands += [
        [
            "rpc_server",
            "--port",
            str(port + 10),
            "--port-end",
            str(port + 90),
            "--tracker",
            f"127.0.0.1:{port}",
            "--key",
            "test",
        ]
    ] * 2
    logs, running = [], []
    for number, (name, *arguments) in enumerate(commands):
        logs.append(folder / f"{number}.log")
        with logs[-1].open("w") as log:
            command = [sys.executable, "-m", f"tvm.exec.{name}", "--host", "127.0.0.1", *arguments]
            running.append(subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True))
    try:
        _wait_for(tracker, 2)
        yield tracker, logs[1:]
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(tracker: Tracker, count: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if tracker.servers() == count:
                return
        except MissingPart:
            pass
        time.sleep(0.3)
    raise AssertionError("the servers did not come up")


@pytest.mark.slow
def test_two_servers_share_the_work(servers: tuple[Tracker, list[Path]]) -> None:
    tracker, logs = servers
    timer = Timer(find_cpu("llvm"), 1, tracker, repeats=3)
    try:
        timings = timer.time([Dense(1, 512, blocks, 4, 16, ()).prim_func() for blocks in range(1, 9)])
        lowered, ports, _ = subject_of(TEXT).lowered()
        (library,) = timer.build([lowered])
        times = timer.race([library, library], [ports, ports], blocks=2, runs=2)
    finally:
        timer.close()
    assert [timing.error for timing in timings] == [None] * 8
    assert all(0 < t < 1 for blocks in times for t in blocks)
    assert [log.read_text().count("load_module") > 0 for log in logs] == [True, True]


@pytest.mark.slow
def test_a_tracker_without_servers_of_the_key_is_told(servers: tuple[Tracker, list[Path]]) -> None:
    tracker, _ = servers
    with pytest.raises(MissingPart, match="no server with the key 'other'"):
        Tracker(tracker.host, tracker.port, "other").servers()


def test_no_tracker_is_told() -> None:
    with pytest.raises(MissingPart, match="no tracker answers"):
        Tracker("127.0.0.1", free_port(), "test").servers()
