"""Ctrl-C stays what it is on its way through TVM."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interruptible() -> Iterator[None]:
    """Raises KeyboardInterrupt where the body ended in another error because of it.

    TVM calls our builder and its own runner from C++, and gives back a RuntimeError without a message for a KeyboardInterrupt that
    came meanwhile. Does nothing outside the main thread, and where the program hears Ctrl-C in a way of its own.
    """
    default = signal.default_int_handler
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is not default:
        yield
        return
    heard = False

    def hear(number: int, frame: Any) -> None:
        nonlocal heard
        heard = True
        default(number, frame)

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    except Exception:
        if heard:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, default)
