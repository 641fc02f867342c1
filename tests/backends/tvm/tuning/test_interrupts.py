"""Guards `backends/tvm/tuning/interrupts.py`. Ctrl-C is told as Ctrl-C, whatever TVM makes of it."""

from __future__ import annotations

import signal
import threading

import pytest

from cnndsl.backends.tvm.tuning.interrupts import interruptible


def through_tvm() -> None:
    """What TVM gives back for a KeyboardInterrupt in a function that it calls."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise RuntimeError from None


def test_what_became_of_ctrl_c_is_ctrl_c_again() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        through_tvm()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="something else"), interruptible():
        raise RuntimeError("something else")


def test_another_thread_is_left_alone() -> None:
    done = []

    def work() -> None:
        with interruptible():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.getsignal(signal.SIGINT)]
