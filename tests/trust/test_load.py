"""Many at once: a thousand networks read and summarised in threads and processes, all alike."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from hashlib import sha256
from multiprocessing import get_context

from cnndsl import load
from cnndsl.errors import CnnError
from cnndsl.pipeline import parse_text

NAMES = ["lenet5", "alexnet", "resnet18", "squeezenet1_1", "mobilenet_v2"]
ROUNDS = int(os.environ.get("CNNDSL_LOADS", "40"))


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
    once = {name: figures(name) for name in NAMES}
    alone = [faults(number) for number in range(100)]
    assert all(alone)
    interval = sys.getswitchinterval()
    # Threads take turns a thousand times more often than they do by themselves.
    sys.setswitchinterval(5e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            many = list(pool.map(figures, NAMES * ROUNDS))
            wrong = list(pool.map(faults, range(100)))
    finally:
        sys.setswitchinterval(interval)
    assert many == [once[name] for name in NAMES * ROUNDS]
    assert wrong == alone


def test_processes_agree() -> None:
    once = {name: figures(name) for name in NAMES}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(figures, NAMES * 8)) == [once[name] for name in NAMES * 8]
