"""What this machine can do at most, measured with kernels of TVM's: multiply-adds in registers, bytes from memory and
cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnndsl.backends.tvm.kernels.words.nest import Nest
from cnndsl.backends.tvm.kernels.words.pairs import LANES, PairNest
from cnndsl.backends.tvm.kernels.words.quads import QuadNest, takes_quads
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.options import Precision
from cnndsl.backends.tvm.predict import aligned
from cnndsl.backends.tvm.target import Cpu

_ACCUMULATORS = 12
"""Enough to hide the latency of a multiply-add twice over, and few enough to stay in registers."""
_STEPS = 1 << 20
_MEMORY_BYTES = 3 << 26
_TRAFFIC = 16
"""Bytes that move for one element of `a = b + s·c`: two are read, and one is fetched before it is written."""


@dataclass(frozen=True)
class Limits:
    """Rates of all threads together, the best of several runs; `cache` is that of the last level, None where its size
    is unknown."""

    flops: float
    """Operations a second on numbers of the precision asked for; a multiply-add is two."""
    memory: float
    """Bytes a second."""
    cache: float | None
    cache_bytes: int | None


def measure_limits(cpu: Cpu, threads: int, precision: Precision = "f32", seconds: float = 0.2) -> Limits:
    """Measures for about three times `seconds`, on the threads that TVM's pool has; bf16 takes a processor with
    AVX512_BF16. A processor without AVX512-VNNI has in int8 the limit of float32: what it does with whole numbers is no faster
    for certain."""
    size = cache_bytes()
    if precision == "int8" and takes_quads(cpu):
        run, each = _quad_dots(cpu, threads), 4
    elif precision == "bf16":
        run, each = _pair_dots(cpu, threads), 2
    else:
        run, each = _multiply_adds(cpu, threads), 1
    macs = threads * _ACCUMULATORS * cpu.lanes * _STEPS * each
    return Limits(
        flops=2 * macs / _best(run, seconds),
        memory=_bandwidth(cpu, threads, _MEMORY_BYTES, seconds),
        # A quarter: other tenants of the machine have the cache too.
        cache=_bandwidth(cpu, threads, size // 4, seconds) if size else None,
        cache_bytes=size,
    )


def best(measured: Sequence[Limits]) -> Limits:
    """The highest rates of several measurements: whatever else ran meanwhile can only have lowered them."""
    caches = [limits.cache for limits in measured if limits.cache is not None]
    return Limits(
        flops=max(limits.flops for limits in measured),
        memory=max(limits.memory for limits in measured),
        cache=max(caches, default=None),
        cache_bytes=measured[0].cache_bytes,
    )


def cache_bytes() -> int | None:
    """Size of the last level of the first core's cache; None where Linux does not tell."""
    sizes = {}
    for level in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        text = (level / "size").read_text().strip()
        sizes[int((level / "level").read_text())] = int(text.removesuffix("K")) * (1024 if text.endswith("K") else 1)
    return sizes[max(sizes)] if sizes else None


def _multiply_adds(cpu: Cpu, threads: int) -> Callable[[], object]:
    """A run of chains `x = x·a + b`, each thread with its own and none touching memory."""
    import numpy as np

    n = Nest(cpu.lanes)
    with n.function():
        factors = n.argument("factors", (2, cpu.lanes))
        result = n.argument("result", (threads, _ACCUMULATORS, cpu.lanes))
        with n.parallel(threads) as thread:
            sums = n.local((_ACCUMULATORS, cpu.lanes))
            for i in range(_ACCUMULATORS):
                with n.vector() as lane:
                    n.store(sums, n.number(i), (i, lane))
            with n.serial(_STEPS):
                for i in range(_ACCUMULATORS):
                    with n.vector() as lane:
                        n.store(sums, sums[i, lane] * factors[0, lane] + factors[1, lane], (i, lane))
            for i in range(_ACCUMULATORS):
                with n.vector() as lane:
                    n.store(result, sums[i, lane], (thread, i, lane))
    values = np.full((2, cpu.lanes), 0.5, np.float32)
    return compiled(cpu, n, [values, np.zeros((threads, _ACCUMULATORS, cpu.lanes), np.float32)])


def _pair_dots(cpu: Cpu, threads: int) -> Callable[[], object]:
    """The same with products of pairs of bfloat16 numbers, summed in float32."""
    import numpy as np

    n = PairNest()
    with n.function():
        factors = n.pairs("factors", (2, LANES))
        result = n.argument("result", (threads, _ACCUMULATORS, LANES))
        with n.block(), n.instructions(), n.parallel(threads) as thread:
            sums = n.local((_ACCUMULATORS, LANES))
            n.clear([sums])
            a, b = (n.bind(factors[i, n.ramp(0)]) for i in range(2))
            with n.serial(_STEPS):
                for i in range(_ACCUMULATORS):
                    n.store(sums, n.dot(sums[i, n.ramp(0)], a, b), (i, n.ramp(0)))
            for i in range(_ACCUMULATORS):
                n.store(result, sums[i, n.ramp(0)], (thread, i, n.ramp(0)))
    return compiled(cpu, n, [np.zeros((2, LANES), np.int32), np.zeros((threads, _ACCUMULATORS, LANES), np.float32)])


def _quad_dots(cpu: Cpu, threads: int) -> Callable[[], object]:
    """The same with products of four whole numbers, summed in int32."""
    import numpy as np

    n = QuadNest(cpu.lanes)
    with n.function():
        factors = n.whole("factors", (2, cpu.lanes))
        result = n.whole("result", (threads, _ACCUMULATORS, cpu.lanes))
        with n.block(), n.instructions(), n.parallel(threads) as thread:
            sums = n.local_sums((_ACCUMULATORS, cpu.lanes))
            for i in range(_ACCUMULATORS):
                n.store(sums, n.spread(n.quad(0)), (i, n.ramp(0)))
            a, b = (n.bind(factors[i, n.ramp(0)]) for i in range(2))
            with n.serial(_STEPS):
                for i in range(_ACCUMULATORS):
                    n.store(sums, n.dot(sums[i, n.ramp(0)], a, b), (i, n.ramp(0)))
            for i in range(_ACCUMULATORS):
                n.store(result, sums[i, n.ramp(0)], (thread, i, n.ramp(0)))
    shape = (threads, _ACCUMULATORS, cpu.lanes)
    return compiled(cpu, n, [np.zeros((2, cpu.lanes), np.int32), np.zeros(shape, np.int32)])


def _bandwidth(cpu: Cpu, threads: int, total: int, seconds: float) -> float:
    """Bytes a second of `a = b + s·c` over three arrays of `total` bytes together."""
    import numpy as np

    rows = total // (12 * threads * cpu.lanes)
    n = Nest(cpu.lanes)
    shape = (threads, rows, cpu.lanes)
    with n.function():
        a, b, c = (n.argument(name, shape) for name in "abc")
        with n.parallel(threads) as thread, n.serial(rows) as row, n.vector() as lane:
            n.store(a, b[thread, row, lane] + c[thread, row, lane] * n.number(3), (thread, row, lane))
    run = compiled(cpu, n, [np.ones(shape, np.float32) for _ in range(3)])
    return _TRAFFIC * threads * rows * cpu.lanes / _best(run, seconds)


def compiled(cpu: Cpu, n: Nest, arrays: list[Any]) -> Callable[[], object]:
    """A run of a function on these arrays, which it may change."""
    tvm = load_tvm()
    function = tvm.compile(tvm.IRModule({"main": n.finished().with_attr("global_symbol", "main")}), cpu.target)["main"]
    held = [aligned(array) for array in arrays]
    tensors = [tvm.runtime.from_dlpack(array) for array in held]
    return lambda: (function(*tensors), held)


def _best(run: Callable[[], object], seconds: float) -> float:
    """Seconds of the fastest run."""
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best
