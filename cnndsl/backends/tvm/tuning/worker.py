"""What the child processes of `Timer` run. TVM's workers find these functions by the name of this module: it must not
move."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnndsl.backends.tvm.code.linking import tvm_linker
from cnndsl.backends.tvm.code.machine_code import machine_code
from cnndsl.backends.tvm.library import load_tvm

Ports = Sequence[tuple[tuple[int, ...], str]]
"""Shape and element type of each argument."""


def build(module: Any, target: Any, folder: str, architecture: str) -> str:
    """A function or whole network as a library, whose path it returns."""
    tvm = load_tvm()
    whole = any(isinstance(function, tvm.relax.Function) for function in module.functions.values())
    made = machine_code(module, target) if whole else tvm.compile(module, target)
    path = str(Path(tempfile.mkdtemp(dir=folder)) / "candidate.so")
    made.export_library(path, fcompile=tvm_linker(architecture))
    return path


def connect(config: Any, threads: int) -> Any:
    """A session on a server of the tracker, which computes with that many threads."""
    session = config.connect_server()
    configure = session.get_function("runtime.config_threadpool")
    big_cores_first = 1
    configure(big_cores_first, threads)
    return session


def local_arguments(device: Any, ports: Sequence[Any], repeats: int) -> list[list[Any]]:
    """Arguments to measure with, on this machine."""
    tvm = load_tvm()
    fill = tvm.get_global_func("tvm.contrib.random.random_fill_for_measure")
    return [[_filled(fill, device, shape, dtype) for _, dtype, shape in ports] for _ in range(repeats)]


def remote_arguments(session: Any, device: Any, ports: Sequence[Any], repeats: int) -> list[list[Any]]:
    """The same on a server."""
    fill = session.get_function("tvm.contrib.random.random_fill_for_measure")
    return [[_filled(fill, device, shape, dtype) for _, dtype, shape in ports] for _ in range(repeats)]


def _filled(fill: Any, device: Any, shape: Any, dtype: str) -> Any:
    import numpy as np

    tensor = load_tvm().runtime.empty(tuple(shape), dtype, device)
    if str(dtype).startswith("float"):
        fill(tensor)
    else:
        # Whole numbers are looked up by: zero is in every table.
        tensor.copyfrom(np.zeros(tuple(shape), dtype))
    return tensor


def race(
    libraries: Sequence[str], ports: Sequence[Ports], blocks: int, runs: int, threads: int, config: Any = None
) -> list[list[float]]:
    """Seconds per run of each network in each of `blocks` blocks: the shortest of `runs` runs, the networks by turns.

    With `config` on one server of a tracker, else in this process.
    """
    tvm = load_tvm()
    session = None if config is None else connect(config, threads)
    if session is None:
        fill, device = tvm.get_global_func("tvm.contrib.random.random_fill_for_measure"), tvm.cpu()
    else:
        fill, device = session.get_function("tvm.contrib.random.random_fill_for_measure"), session.cpu()
    pool: dict[Any, list[Any]] = {}
    machines = []
    for number, (library, needed) in enumerate(zip(libraries, ports, strict=True)):
        machine = tvm.runtime.vm.VirtualMachine(_loaded(tvm, session, library, f"network{number}.so"), device)
        machine.set_input("main", *_shared(pool, needed, lambda s, d: _filled(fill, device, s, d)))
        machines.append(machine.time_evaluator("invoke_stateful", device, number=1, repeat=runs))
    times: list[list[float]] = [[] for _ in machines]
    for _ in range(blocks):
        for timer, found in zip(machines, times, strict=True):
            found.append(min(timer("main").results))
    return times


def _loaded(tvm: Any, session: Any, library: str, name: str) -> Any:
    if session is None:
        return tvm.runtime.load_module(library)
    session.upload(library, name)
    return session.load_module(name)


def _shared(pool: dict[Any, list[Any]], ports: Ports, make: Any) -> list[Any]:
    """An argument for each port; networks share those of the same form, so that memory holds them once."""
    taken: dict[Any, int] = {}
    arguments = []
    for port in ports:
        have, used = pool.setdefault(port, []), taken.get(port, 0)
        if used == len(have):
            have.append(make(*port))
        arguments.append(have[used])
        taken[port] = used + 1
    return arguments
