"""Guards `backends/tvm/tuning/tune.py`, `backends/tvm/tuning/search.py`, `backends/tvm/tuning/acceptance.py`,
`backends/tvm/tuning/meta_schedule.py` and `backends/tvm/tuning/ledger.py`. Tuning of a small network: search,
acceptance, resuming, Ctrl-C, the command line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnndsl
from cnndsl.backends.tvm.kernels.choices import Choices
from cnndsl.backends.tvm.kernels.kernel import settings
from cnndsl.backends.tvm.kernels.traces import harmless
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.backends.tvm.tuning.acceptance import accept, final
from cnndsl.backends.tvm.tuning.events import Trial
from cnndsl.backends.tvm.tuning.ledger import Ledger
from cnndsl.backends.tvm.tuning.records import Measured, Verdict
from cnndsl.backends.tvm.tuning.search import search, winners
from cnndsl.backends.tvm.tuning.store import Store
from cnndsl.backends.tvm.tuning.timer import Timing
from cnndsl.backends.tvm.tuning.tune import known, place_of
from cnndsl.diagnostics.errors import CnnError, MissingPart
from tests.backends.tvm.tuning.networks import TEXT, subject_of


class Clock:
    """In place of a bench: a candidate's time is its place among the problem's ways."""

    def __init__(self, times: dict[str, float]) -> None:
        self.times, self.asked = times, 0

    def time(self, functions: list[Any]) -> list[Timing]:
        self.asked += len(functions)
        return [Timing(self.times.get(f.script(), 1.0)) for f in functions]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(Store(tmp_path / "store.jsonl"), place_of(find_cpu("llvm"), 1))


def quiet(_: object) -> None:
    """Tells nobody."""


def test_the_search_finds_what_is_faster_and_keeps_to_its_trials(ledger: Ledger) -> None:
    subject = subject_of(TEXT)
    problem = subject.problems[0]
    third = settings(problem.kernel)[3]
    clock: Any = Clock({third[1].prim_func().script(): 0.5})
    told: list[Trial] = []
    search(subject.problems, ledger, clock, 12, told.append)
    ((found, setting, saved),) = winners(subject.problems, ledger)
    assert (found.key, json.loads(setting), saved) == (problem.key, third[0], 0.5)
    candidates = {(t.problem.key, t.setting) for t in told} - {(p.key, p.rule) for p in subject.problems}
    assert len(candidates) == 12


def test_what_was_measured_is_not_measured_again(ledger: Ledger) -> None:
    subject, clock = subject_of(TEXT), Clock({})
    search(subject.problems, ledger, clock, 10, quiet)  # type: ignore[arg-type]
    asked = clock.asked
    again = Ledger(Store(ledger.store.path), ledger.place)
    search(subject.problems, again, clock, 0, quiet)  # type: ignore[arg-type]
    assert clock.asked == asked == len(subject.problems) + 10


class Track:
    """In place of a race track: kernels whose time in the network is known."""

    def __init__(self, subject: Any, gains: dict[str, float]) -> None:
        self.subject, self.gains, self.races = subject, gains, 0

    def race(self, one: Choices, other: Choices) -> tuple[float, float, bool]:
        self.races += 1
        before, after = (10.0 - sum(self.gains.get(key, 0.0) for key in c.settings) for c in (one, other))
        return before, after, after < before * 0.998


def test_only_what_makes_the_network_faster_is_taken(ledger: Ledger) -> None:
    subject = subject_of(TEXT)
    problems = subject.problems
    assert len(problems) >= 3
    offered = [(problem, list(problem.ways)[1], 1.0) for problem in problems]
    gains = {problem.key: -0.5 for problem in problems} | {problems[1].key: 1.0}
    track: Any = Track(subject, gains)
    accept(track, offered, ledger, quiet)
    assert list(ledger.choices().settings) == [problems[1].key]
    verdicts = [record for record in ledger.store.records if isinstance(record, Verdict)]
    assert {v.key: v.accepted for v in verdicts} == {p.key: p is problems[1] for p in problems}
    races = track.races
    accept(track, offered, ledger, quiet)
    assert track.races == races


def test_winners_that_keep_their_promise_are_taken_in_one_race(ledger: Ledger) -> None:
    subject = subject_of(TEXT)
    offered = [(problem, list(problem.ways)[1], 0.3) for problem in subject.problems]
    track: Any = Track(subject, {problem.key: 0.3 for problem in subject.problems})
    accept(track, offered, ledger, quiet)
    assert track.races == 1
    assert set(ledger.choices().settings) == {problem.key for problem in subject.problems}


def test_choices_that_together_bring_nothing_are_left(ledger: Ledger) -> None:
    subject = subject_of(TEXT)
    one, two, *_ = subject.problems
    for problem in (one, two):
        ledger.judge("small", {problem.key: list(problem.ways.values())[1][0]}, 2.0, 1.0, True)
    keys = [problem.key for problem in subject.problems]
    gaining: Any = Track(subject, {one.key: 1.0, two.key: -0.5})
    assert final(gaining, keys, ledger) == (ledger.choices(), 10.0, 9.5)
    losing: Any = Track(subject, {one.key: 0.5, two.key: -0.5})
    assert final(losing, keys, ledger) == (Choices({}), 10.0, 10.0)
    assert ledger.choices().settings == {}


def test_other_places_know_nothing_of_it(ledger: Ledger) -> None:
    ledger.judge("net", {"Dense": {"vectors": 2}}, 2.0, 1.0, True)
    other = Ledger(ledger.store, place_of(find_cpu("llvm"), 2))
    assert other.choices().settings == {}


@pytest.mark.slow
def test_tuned_packages_say_so_and_agree(tmp_path: Path) -> None:
    """The whole way, on the command line: tune, compile with what was found, run."""
    program, store = tmp_path / "small.cnn", tmp_path / "store.jsonl"
    program.write_text(TEXT)
    command = [sys.executable, "-m", "cnndsl"]
    done = subprocess.run(
        [*command, "tune", str(program), "--trials", "6", "--store", str(store), "--threads", "1"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "by the rules" in done.stdout
    assert " tried, best " in done.stderr
    measured = [r for r in Store(store).records if isinstance(r, Measured)]
    assert all(r.seconds for r in measured)

    # What the network takes is the machine's affair; here every kernel's second way is taken.
    net = cnndsl.load(str(program))
    ledger = Ledger(Store(store), place_of(find_cpu("llvm"), None))
    for problem in subject_of(TEXT).problems:
        ledger.judge("small", {problem.key: list(problem.ways.values())[1][0]}, 2.0, 1.0, True)
    keys = sorted(problem.key for problem in subject_of(TEXT).problems)
    tuned, plain = net.to_tvm(tuned=True, store=store), net.to_tvm()
    assert tuned.manifest.tuned == keys
    assert plain.manifest.tuned == []
    x = np.random.default_rng(0).standard_normal((1, 3, 30, 30)).astype(np.float32)
    assert np.abs(tuned(x) - plain(x)).max() <= 1e-5 * np.abs(plain(x)).max()


def test_ctrl_c_leaves_the_store_right(tmp_path: Path) -> None:
    program, store = tmp_path / "small.cnn", tmp_path / "store.jsonl"
    program.write_text("input 3×12×12\nConv3x3(24) → ReLU → FC(50)\n")
    command = [sys.executable, "-m", "cnndsl", "tune", str(program), "--store", str(store), "--threads", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    end = time.monotonic() + 120
    while not store.exists() and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    # On a busy machine the last trial may end in the moment before it is stopped.
    assert process.returncode in (130, 0)
    assert "Traceback" not in said
    found = Store(store)
    assert found.damaged == 0
    assert len(found.records) >= 1


def test_gpus_and_c_are_not_tuned() -> None:
    for target in ("c", "cuda:sm_80"):
        with pytest.raises(CnnError, match="not-tunable"):
            known(target)


def test_a_processor_that_is_not_here_is_told(tmp_path: Path) -> None:
    net = cnndsl.parse(TEXT)
    with pytest.raises(MissingPart, match="cannot be measured on this machine"):
        net.tune("aarch64:cortex-a72", trials=1, store=tmp_path / "store.jsonl")


@pytest.mark.parametrize(
    "trace",
    [
        "",
        "[]",
        "[" * 5000,
        '[[["Tensorize", ["b0"], ["dot", 1], []]], []]',
        '[[["Annotate", ["l0", "code"], ["pragma_import_llvm"], []]], []]',
        '[[["NoSuchStep", [], [], []]], []]',
    ],
)
def test_traces_that_do_more_than_arrange_loops_are_not_applied(trace: str) -> None:
    assert not harmless(trace)


@pytest.mark.slow
def test_the_generic_search_finds_schedules_that_are_right(tmp_path: Path) -> None:
    net = cnndsl.parse('input 8×20×20\nConv3x3(8, pad_mode="reflect") → GlobalAvgPool → Flatten')
    told: list[Any] = []
    net.tune(trials=8, space="generic", store=tmp_path / "store.jsonl", threads=1, tell=told.append)
    trials = [event for event in told if isinstance(event, Trial)]
    assert sum(t.timing.seconds is not None for t in trials) >= 4
    ledger = Ledger(Store(tmp_path / "store.jsonl"), place_of(find_cpu("llvm"), None))
    one = Ledger(ledger.store, place_of(find_cpu("llvm"), 1))
    for key in {t.problem.key for t in trials}:
        traces = [s for s in one.settings(key) if "trace" in s]
        if traces:
            ledger.judge("x", {key: traces[0]}, 2.0, 1.0, True)
    tuned, plain = net.to_tvm(tuned=True, store=tmp_path / "store.jsonl"), net.to_tvm()
    assert tuned.manifest.tuned
    x = np.random.default_rng(0).standard_normal((1, 8, 20, 20)).astype(np.float32)
    assert np.abs(tuned(x) - plain(x)).max() <= 1e-5 * np.abs(plain(x)).max()
