"""Pools of child processes come to an end, whatever they are doing."""

from __future__ import annotations

import time
from typing import Any

_PAUSE_S = 0.01


def end_pool(pool: Any) -> None:
    """Ends the processes of one of TVM's `PopenPoolExecutor`s.

    TVM's own `shutdown` fails where it meets a process that another thread is just starting, and keeps its lock: whatever asks for
    that lock afterwards, the end of the interpreter included, waits for ever. Here the lock is given back and the process awaited.
    """
    while True:
        try:
            pool.shutdown()
            return
        except AttributeError:
            pool._lock.release()
            time.sleep(_PAUSE_S)
