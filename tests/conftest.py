"""What all test processes share: one thread each, and a garbage collector that seldom looks at everything.

Test processes that share the cores run on one thread each: two pools of threads that spin take turns, badly.
"""

from __future__ import annotations

import gc
import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TVM_NUM_THREADS", "1")


def pytest_collection_finish() -> None:
    """Modules and collected tests stay until the end: the collector need not visit them, which took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 20)
