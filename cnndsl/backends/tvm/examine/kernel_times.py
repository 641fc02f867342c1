"""How long single kernels take, with their weights in the cache and with weights that come from memory.

A kernel of a network finds its maps in the cores' caches, where the kernel before it left them, and its weights where the run
before this one left them. So what is cold here are weights alone: the caches are flushed, the kernel runs once on other weights and the
same maps, and is then measured. Maps are written anew before each run, so that each thread finds half of them where another
left them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.emitters.recording.instructions import Call, Constant
from cnndsl.backends.tvm.examine.limits import compiled
from cnndsl.backends.tvm.examine.references import Reading, References
from cnndsl.backends.tvm.kernels.words.nest import Nest
from cnndsl.backends.tvm.library import cores, load_tvm
from cnndsl.backends.tvm.predict import aligned
from cnndsl.backends.tvm.target import Cpu

if TYPE_CHECKING:
    import numpy as np

_TOGETHER = 6
"""Kernels of a library: several are compiled at a time."""
_COLD, _WARM = 5, 9
"""Runs of a kernel in one turn."""
_TRIES, _RUNS, _ENOUGH = 40, 10, 9
"""Of a whole network: how often it is tried, runs of a try, and tries in the right state that suffice."""
_REMOTE = 3
"""Runs with weights from memory, for which more is written: in the last turn alone."""
_LIGHT = 4096
"""Bytes of weights that are never cold for long."""
_HEAVY = 1 << 18
"""Bytes of weights from which it is measured how they come from memory."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A call that is measured, with those of its tensors that are constants."""

    call: Call
    constants: Sequence[Constant]

    @property
    def weight_bytes(self) -> int:
        known = {constant.value for constant in self.constants}
        return sum(v.nbytes for v in self.call.arguments if v in known)

    @property
    def map_bytes(self) -> int:
        return sum(v.nbytes for v in (*self.call.arguments, self.call.made)) - self.weight_bytes


@dataclass
class Turns:
    """Seconds of a kernel, turn by turn: with warm weights, with cold ones and with those from memory (None where it has hardly any), and the state of the machine
    before and after."""

    warm: list[float] = field(default_factory=list)
    cold: list[float | None] = field(default_factory=list)
    remote: list[float | None] = field(default_factory=list)
    states: list[tuple[str, str]] = field(default_factory=list)

    def in_state(self, state: str) -> tuple[float | None, float | None, float | None]:
        """The best of each in turns that began and ended in a state."""
        mine = [i for i, found in enumerate(self.states) if found == (state, state)]
        cold, remote = ([t for i in mine if (t := times[i]) is not None] for times in (self.cold, self.remote))
        return min((self.warm[i] for i in mine), default=None), min(cold, default=None), min(remote, default=None)


class KernelTimes:
    """Kernels, compiled for this machine and ready to be measured as often as one likes."""

    def __init__(
        self,
        subjects: Sequence[Subject],
        cpu: Cpu,
        threads: int,
        near: int,
        far: int,
        hear: Callable[[int, int], None] = lambda _a, _b: None,
    ) -> None:
        """`near` and `far` bytes are written to empty the cores' own caches, and all. `hear` is told how many kernels of how many are
        compiled."""
        self.subjects, self._cpu = subjects, cpu
        self._functions = _functions(subjects, cpu, hear)
        self.references = References(cpu, threads)
        self.turns = [Turns() for _ in subjects]
        self.readings: list[Reading] = []
        self._flush, self._flush_all = _flush(cpu, threads, near), _flush(cpu, threads, far)
        self._nothing = _nothing(cpu)

    def turn(self, wanted: Sequence[int] | None = None, *, far: bool = False) -> None:
        """Measures all kernels once more, or those with these numbers; with `far` with weights from memory, too."""
        for index in range(len(self.subjects)) if wanted is None else wanted:
            before = self.references.read()
            warm, cold, remote = self._measure(index, far)
            after = self.references.read()
            self.readings += [before, after]
            turns = self.turns[index]
            turns.warm.append(warm)
            turns.cold.append(cold)
            turns.remote.append(remote)
            turns.states.append((before.state, after.state))

    def _measure(self, index: int, far: bool) -> tuple[float, float | None, float | None]:
        subject, function = self.subjects[index], self._functions[index]
        maps, tensors, others = _arguments(subject)
        called = min(_timed(self._nothing, ()) for _ in range(5))

        def usual(times: int, flush: Callable[[], object] | None) -> float:
            """Not the best run but one that three of ten are better than: a network meets no best case either."""
            found = []
            for _ in range(times):
                if flush is not None:
                    flush()
                    function(*others)
                _write(maps)
                found.append(_timed(function, tensors))
            return max(1e-7, sorted(found)[times * 3 // 10] - called)

        function(*tensors)
        warm = usual(_WARM, None)
        if subject.weight_bytes <= _LIGHT:
            return warm, None, None
        remote = usual(_REMOTE, self._flush_all) if far and subject.weight_bytes > _HEAVY else None
        return warm, usual(_COLD, self._flush), remote


def _timed(function: Callable[..., object], tensors: Sequence[Any]) -> float:
    start = time.perf_counter()
    function(*tensors)
    return time.perf_counter() - start


def _write(maps: Sequence[np.ndarray]) -> None:
    """Writes every map anew: in a network another thread has just written half of what a thread reads."""
    for array in maps:
        array.fill(array.flat[0])


def _arguments(subject: Subject) -> tuple[list[np.ndarray], list[Any], list[Any]]:
    """The maps, all tensors, and these with other arrays for weights."""
    tvm, known = load_tvm(), {constant.value: constant for constant in subject.constants}
    maps: list[np.ndarray] = []
    tensors, others = [], []
    for value in (*subject.call.arguments, subject.call.made):
        arrays = [_filled(value, known.get(value)) for _ in range(2 if value in known else 1)]
        if value not in known:
            maps += arrays
        made = [tvm.runtime.from_dlpack(array) for array in arrays]
        tensors.append(made[0])
        others.append(made[-1])
    return maps, tensors, others


def _filled(value: Any, constant: Constant | None) -> np.ndarray:
    import numpy as np

    if value.dtype == "float32":
        return aligned(np.full(value.shape, 0.25, np.float32))
    if constant is not None and not constant.array.is_absent:
        return aligned(constant.array.numpy())
    return aligned(np.zeros(value.shape, value.dtype))


def _functions(subjects: Sequence[Subject], cpu: Cpu, hear: Callable[[int, int], None]) -> list[Any]:
    tvm = load_tvm()
    numbers = list(range(len(subjects)))
    count = max(1, len(numbers) // _TOGETHER)
    groups = [numbers[first::count] for first in range(count)]
    made: dict[int, Any] = {}

    def build(group: Sequence[int]) -> None:
        functions = {}
        for number in group:
            name = f"kernel{number}"
            functions[name] = subjects[number].call.kernel.prim_func().with_attr("global_symbol", name)
        library = tvm.tirx.build(tvm.IRModule(functions), cpu.target)
        for number in group:
            made[number] = library[f"kernel{number}"]
        hear(len(made), len(numbers))

    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(build, groups))
    return [made[number] for number in numbers]


def _flush(cpu: Cpu, threads: int, size: int) -> Callable[[], object]:
    """Writes so many bytes."""
    import numpy as np

    rows = size // (4 * threads * cpu.lanes)
    n, shape = Nest(cpu.lanes), (threads, rows, cpu.lanes)
    with n.function():
        a = n.argument("a", shape)
        with n.parallel(threads) as thread, n.serial(rows) as row, n.vector() as lane:
            n.store(a, a[thread, row, lane] + n.number(1), (thread, row, lane))
    return compiled(cpu, n, [np.zeros(shape, np.float32)])


def _nothing(cpu: Cpu) -> Callable[..., object]:
    """A call that does next to nothing: what Python and TVM take for it."""
    import numpy as np

    n = Nest(cpu.lanes)
    with n.function():
        arguments = [n.argument(f"a{i}", (cpu.lanes,)) for i in range(4)]
        with n.vector() as lane:
            n.store(arguments[0], n.number(1), (lane,))
    return compiled(cpu, n, [np.zeros((cpu.lanes,), np.float32) for _ in range(4)])


def majority(readings: Sequence[Reading]) -> str:
    """The state that was read most often."""
    found = [reading.state for reading in readings]
    return max(dict.fromkeys(found), key=found.count)


def unsettled(times: KernelTimes, state: str) -> Iterator[int]:
    """The kernels that no turn measured in a state."""
    for index, turns in enumerate(times.turns):
        if turns.in_state(state)[0] is None:
            yield index


def whole_seconds(run: Callable[[], object], references: References, state: str) -> float | None:
    """Seconds of a run of a whole network while the machine is in a state; None where it was hardly ever."""
    found: list[float] = []
    run()
    for _ in range(_TRIES):
        before = references.read().state
        seconds = sorted(_timed(run, ()) for _ in range(_RUNS))[_RUNS * 3 // 10]
        if before == state == references.read().state:
            found.append(seconds)
        if len(found) == _ENOUGH:
            break
    return sorted(found)[len(found) // 2] if found else None
