"""Serves a package from four threads in a process of its own: `python serving.py PACKAGE COUNT`.

Prints JSON: inferences, answers that were not those of one thread alone, kilobytes of memory that warming up took to and the
end found, and seconds. Needs what the package needs, and runs the `predict.py` that lies in it.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import cycle, islice
from pathlib import Path

import numpy as np

THREADS = 4
SIZES = (1, 8, 3, 1, 9, 2)
"""Examples in a call: runs of eight, of one, both, and those that are filled up."""


def resident() -> int:
    """Kilobytes of this process that are in memory."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def placed(array: np.ndarray, offset: int) -> np.ndarray:
    """A copy that starts so many bytes behind a multiple of 64."""
    room = np.empty(array.nbytes + 128, np.uint8)
    start = -room.ctypes.data % 64 + offset
    copy: np.ndarray = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def main(folder: str, count: int) -> None:
    sys.path.insert(0, folder)
    network = import_module("predict").load(folder)
    shape = network.manifest["inputs"][0]["shape"]
    draw = np.random.default_rng(0)
    # Each thread has inputs of its own, aligned ones and others, so that an answer given to the wrong one is seen.
    given = [
        placed(draw.standard_normal((size, *shape), np.float32), offset)
        for _ in range(THREADS)
        for size in SIZES
        for offset in (0, 4)
    ]
    expected = [network(x).copy() for x in given]
    each = len(given) // THREADS

    def serve(thread: int, calls: int) -> int:
        own = range(thread * each, (thread + 1) * each)
        return sum(not np.array_equal(network(given[i]), expected[i]) for i in islice(cycle(own), calls))

    def all_threads(calls: int) -> int:
        with ThreadPoolExecutor(THREADS) as pool:
            return sum(pool.map(serve, range(THREADS), [calls // THREADS] * THREADS))

    wrong = all_threads(400)
    before, begun = resident(), time.perf_counter()
    wrong += all_threads(count)
    print(json.dumps([count, wrong, before, resident(), round(time.perf_counter() - begun, 1)]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
