"""What this machine needs for each kind of kernel, measured once: the file by which networks are estimated without compiling them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.emitters.assemble import assemble
from cnndsl.backends.tvm.emitters.bf16.maps import FEATURE
from cnndsl.backends.tvm.emitters.recording.instructions import Call
from cnndsl.backends.tvm.examine.kernel_times import KernelTimes, Subject, majority, unsettled, whole_seconds
from cnndsl.backends.tvm.examine.limits import cache_bytes
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.repack import Repack
from cnndsl.backends.tvm.kernels.words.quads import takes_quads
from cnndsl.backends.tvm.library import cores, load_tvm
from cnndsl.backends.tvm.options import CompileOptions, Precision
from cnndsl.backends.tvm.plan.supposed import supposed_network
from cnndsl.backends.tvm.predict import aligned
from cnndsl.backends.tvm.program.passes import program_without_weights
from cnndsl.backends.tvm.target import Cpu, find_cpu
from cnndsl.benchmarking.grid import CHAIN, programs
from cnndsl.benchmarking.machine import model
from cnndsl.ir.graph import Graph
from cnndsl.latency.estimate import estimate
from cnndsl.latency.features import COLD, REMOTE, WARM, Caches, row_of
from cnndsl.latency.fit import Measured, fit
from cnndsl.latency.kernels import digest
from cnndsl.latency.machine import Check, Machine, here
from cnndsl.pipeline import load, parse_text
from cnndsl.version import __version__

_TURNS = 2
_MORE = 3
"""Turns for kernels that no turn before found the machine in its usual state for."""
_REPACKS = 10
"""Changes of layout that are measured, of which there is one in nearly every program."""
CHECKED = ("resnet18", "3x160x160")
"""The network that the estimate is compared with, and its size."""
_NEAR, _FAR = 48 << 20, 400 << 20
"""Bytes that are written, at most, to empty the cores' own caches, and all."""
_LAST, _OWN = 8 << 20, 1 << 20
"""Bytes of caches where the system does not tell."""

Tell = Callable[[str, int, int], None]


def measure_machine(
    name: str | None = None,
    threads: int | None = None,
    *,
    quick: bool = False,
    networks: Sequence[Graph] = (),
    tell: Tell = lambda _stage, _done, _all: None,
) -> Machine:
    """Measures this machine. With `quick` every second kernel alone; with `networks` their kernels, too. `tell` hears of stages:
    `compiling` and how many kernels of how many, `measuring`, `checking`. Raises `MissingPart` without TVM."""
    cpu, threads = find_cpu("llvm"), threads or cores()
    cpu = replace(cpu, told=cpu.features)
    subjects = _subjects(cpu, threads, networks, quick=quick)
    caches = _caches(threads)
    times = KernelTimes(
        subjects, cpu, threads, caches.near, caches.far, lambda done, whole: tell("compiling", done, whole)
    )
    turns = 1 if quick else _TURNS
    for turn in range(turns):
        tell("measuring", turn + 1, turns)
        times.turn(far=turn == turns - 1)
    state = majority(times.readings)
    for _ in range(_MORE):
        left = list(unsettled(times, state))
        if not left:
            break
        times.turn(left, far=True)
    rows = _rows(times, state, threads, caches)
    of_state = [reading for reading in times.readings if reading.state == state]
    names = ("alone", "together", "empty", "own", "exchanged")
    references = {key: median(getattr(reading, key) for reading in of_state) for key in names}
    machine = Machine(
        name=name or here(),
        model=model(),
        cpu=cpu,
        threads=threads,
        caches=caches,
        families=fit(rows),
        made=datetime.now(UTC).date().isoformat(),
        version=__version__,
        kernels=digest(),
        state=state,
        references=references,
        rows=rows,
    )
    tell("checking", 0, 1)
    return _checked(_with_calls(machine, times), times)


def _precisions(cpu: Cpu) -> tuple[Precision, ...]:
    found: list[Precision] = ["f32"]
    if FEATURE in cpu.features:
        found.append("bf16")
    if takes_quads(cpu):
        found.append("int8")
    return tuple(found)


def _subjects(cpu: Cpu, threads: int, networks: Sequence[Graph], *, quick: bool) -> list[Subject]:
    """Every kernel of the programs once, and those of the networks."""
    found: dict[Any, Subject] = {}
    repacks = 0
    for precision in _precisions(cpu):
        graphs = [parse_text(text).graph for text in list(programs(precision))[:: 2 if quick else 1]]
        if precision == "f32":
            graphs = [parse_text(CHAIN).graph, *graphs]
        for graph in (*graphs, *(networks if precision == "f32" else ())):
            for subject in _calls(graph, Job(cpu, CompileOptions(precision=precision, threads=threads))):
                kernel = subject.call.kernel
                if kernel in found:
                    continue
                if isinstance(kernel, Repack):
                    repacks += 1
                    if repacks > _REPACKS:
                        continue
                found[kernel] = subject
    return list(found.values())


def _calls(graph: Graph, job: Job) -> list[Subject]:
    if job.options.precision == "int8":
        network = supposed_network(graph)
        main = assemble(network.program, job, network)
    else:
        main = assemble(program_without_weights(graph), job)
    return [Subject(call, main.constants) for call in main.calls if isinstance(call, Call) and call.into is None]


def _rows(times: KernelTimes, state: str, threads: int, caches: Caches) -> tuple[Measured, ...]:
    found: list[Measured] = []
    for subject, turns in zip(times.subjects, times.turns, strict=True):
        for seconds, share in zip(turns.in_state(state), (WARM, COLD, REMOTE), strict=True):
            if seconds is not None:
                weights, maps = subject.weight_bytes, subject.map_bytes
                family, row = row_of(subject.call.kernel, weights, maps, threads, caches, share)
                found.append(Measured(family, row, seconds, str(subject.call.kernel)[:200]))
    return tuple(found)


def _caches(threads: int) -> Caches:
    """The sizes that are written to empty caches follow from those of the machine: of a last level that many machines share only a part
    can be counted on."""
    own, last = _own_caches() * threads, cache_bytes() or _LAST
    return Caches(own=own, near=min(_NEAR, max(4 * own, last // 2)), far=min(_FAR, max(4 * last, 4 * _NEAR)))


def _own_caches() -> int:
    """Bytes of the second level of the first core's cache."""
    for level in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        if (level / "level").read_text().strip() == "2":
            text = (level / "size").read_text().strip()
            return int(text.removesuffix("K")) * (1024 if text.endswith("K") else 1)
    return _OWN


def _machine_seconds(graph: Graph, machine: Machine, times: KernelTimes) -> float | None:
    """Seconds of a run of the compiled network, its first weights in it."""
    compiled = build(graph, options=CompileOptions(threads=machine.threads)).compiled(1)
    tvm = load_tvm()
    code: Any = compiled.code
    main = tvm.relax.VirtualMachine(code.executable, tvm.cpu())["main"]
    inputs = [np.full((1, *given.type.shape), 0.5, np.float32) for given in graph.inputs]
    held = [aligned(array) for array in (*inputs, *compiled.constants.values())]
    tensors = [tvm.runtime.from_dlpack(array) for array in held]
    return whole_seconds(lambda: main(*tensors), times.references, machine.state)


def _with_calls(machine: Machine, times: KernelTimes) -> Machine:
    """With what a call takes in a network beside its kernel: of a chain of small kernels, each of which was measured."""
    graph = parse_text(CHAIN).graph
    whole = _machine_seconds(graph, machine, times)
    if whole is None:
        return machine
    by_kernel = dict(zip((s.call.kernel for s in times.subjects), times.turns, strict=True))
    subjects = _calls(graph, Job(machine.cpu, CompileOptions(threads=machine.threads)))
    alone = [by_kernel[s.call.kernel].in_state(machine.state)[0] for s in subjects]
    if None in alone:
        return machine
    beside = (whole - sum(t for t in alone if t is not None)) / len(subjects)
    return replace(machine, call=max(0.0, beside))


def _checked(machine: Machine, times: KernelTimes) -> Machine:
    """With a real network, estimated and run."""
    network, size = CHECKED
    graph = load(network, inputs={"": size}).graph
    measured = _machine_seconds(graph, machine, times)
    if measured is None:
        return machine
    return replace(
        machine, check=Check(f"{network} at {size.replace('x', '×')}", estimate(graph, machine).seconds, measured)
    )
