"""How long each kernel of a compiled network takes in a real run, where it finds caches as its predecessors leave
them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from cnndsl.analyses.cost import cost
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.backends.tvm.predict import aligned
from cnndsl.backends.tvm.program.steps import Step

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.code.compiled import Compiled
    from cnndsl.backends.tvm.code.kinds import Native


@dataclass
class KernelTime:
    """One call in a run, in order: whose work it does, how much, and the median of its seconds."""

    layers: tuple[str, ...]
    """Nodes whose work ends here; none for changes of layout on the way out."""
    kernel: str
    """What computes it: a kernel of ours, or the function that TVM made of plain forms."""
    function: str
    shape: tuple[int, ...]
    """Of the result, batch included."""
    weight_bytes: int
    map_bytes: int
    """Bytes of the maps that are read and written."""
    macs: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def time(self) -> float:
        return median(self.seconds)


def profile(compiled: Compiled, inputs: Sequence[np.ndarray], seconds: float) -> list[KernelTime]:
    """Runs a network that was compiled for this machine for about `seconds`, at least five times.

    The multiply-adds of all rows together are those of the network, times the batch. Each time holds a few
    microseconds of Python that TVM spends on calling back.
    """
    tvm = load_tvm()
    code: Native = compiled.code  # type: ignore[assignment]
    machine = tvm.relax.VirtualMachine(code.executable, tvm.cpu())
    arrays = [aligned(x) for x in (*inputs, *compiled.constants.values())]
    tensors = [tvm.runtime.from_dlpack(array) for array in arrays]
    weights = {array.ctypes.data for array in arrays[len(inputs) :]}
    watch = _Watch({str(v.name_hint) for v, f in compiled.lowered.functions_items() if _is_loops(f)}, weights)
    machine.set_instrument(watch)
    machine["main"](*tensors)
    watch.describe_no_more()
    rows = _named(compiled, watch.seen)
    end, runs = time.perf_counter() + seconds, 0
    while time.perf_counter() < end or runs < 5:
        watch.started.clear()
        watch.ended.clear()
        machine["main"](*tensors)
        for row, start, stop in zip(rows, watch.started, watch.ended, strict=True):
            row.timing.seconds.append(stop - start)
        runs += 1
    _share_work(compiled, rows)
    return [row.timing for row in rows]


@dataclass(frozen=True, eq=False)
class _Seen:
    """A call as the machine made it."""

    function: str
    shape: tuple[int, ...]
    weight_bytes: int
    map_bytes: int


class _Watch:
    """What TVM calls before and after each call: notes when, and in the first run also what is called with what."""

    def __init__(self, functions: set[str], weights: set[int]) -> None:
        self._functions, self._weights = functions, weights
        self.seen: list[_Seen] = []
        self.started: list[float] = []
        self.ended: list[float] = []
        self._described = False

    def __call__(self, _function: Any, name: str, before: bool, _result: Any, *arguments: Any) -> None:
        if not before:
            now = time.perf_counter()
            if name in self._functions:
                self.ended.append(now)
        elif name in self._functions:
            if not self._described:
                self._describe(name, arguments)
            self.started.append(time.perf_counter())

    def describe_no_more(self) -> None:
        self._described = True

    def _describe(self, name: str, arguments: Sequence[Any]) -> None:
        import numpy as np

        arrays = [np.from_dlpack(x) for x in arguments if hasattr(x, "__dlpack__")]
        own = [x.nbytes for x in arrays if x.ctypes.data in self._weights]
        total = sum(x.nbytes for x in arrays)
        self.seen.append(_Seen(name, arrays[-1].shape, sum(own), total - sum(own)))


@dataclass(frozen=True, eq=False)
class _Row:
    timing: KernelTime
    group: Group | None


def _is_loops(function: Any) -> bool:
    return isinstance(function, load_tvm().tirx.PrimFunc)


def _named(compiled: Compiled, seen: Sequence[_Seen]) -> list[_Row]:
    """What was seen with what it is for: calls of kernels in their order, and what is between two of them for the plain
    forms emitted there, or else for the group of the kernel before."""
    known = {call.function for call in compiled.calls if call.function}
    left = list(compiled.calls)
    rows: list[_Row] = []
    group: Group | None = None
    for made in seen:
        kernel = None
        if made.function in known:
            place = next(i for i, call in enumerate(left) if call.function == made.function)
            call, left = left[place], left[place + 1 :]
            group, kernel = call.group, call.kernel
        elif left and left[0].function is None:
            group = left.pop(0).group
        word = type(kernel).__name__ if kernel is not None else made.function
        layers = tuple(step.name for step in _steps(group))
        rows.append(_Row(KernelTime(layers, word, made.function, made.shape, made.weight_bytes, made.map_bytes), group))
    return rows


def _steps(group: Group | None) -> tuple[Step, ...]:
    return (*group.before, group.anchor, *group.tail) if group else ()


def _share_work(compiled: Compiled, rows: list[_Row]) -> None:
    """Gives each node's multiply-adds to the calls that do them. Of several calls for one group it is the longest that
    does the sums; what no call names was taken over by one that follows."""
    places: dict[str, dict[Step, _Row]] = defaultdict(dict)
    for row in sorted(rows, key=lambda row: row.timing.time):
        for step in _steps(row.group):
            places[step.name.partition(":")[0]][step] = row
    waiting = 0
    for name, work in cost(compiled.graph).items():
        macs = work.macs * compiled.job.batch + waiting
        waiting = 0
        shares = {step: step.op.macs(step.xs, step.type) * compiled.job.batch for step in places.get(name, {})}
        if not shares:
            waiting = macs
        elif sum(shares.values()) == macs:
            for step, share in shares.items():
                places[name][step].timing.macs += share
        else:
            places[name][max(shares, key=lambda step: shares[step])].timing.macs += macs
    if waiting:
        rows[-1].timing.macs += waiting
