"""A network and a machine → how long a run takes, of all and of each layer, why, and how sure that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from cnndsl.backends.tvm.emitters.assemble import assemble
from cnndsl.backends.tvm.emitters.bf16.maps import refuse_without_bf16
from cnndsl.backends.tvm.emitters.recording.instructions import Main
from cnndsl.backends.tvm.emitters.recording.memory import room_of
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.options import CompileOptions, Precision
from cnndsl.backends.tvm.program.passes import program_without_weights
from cnndsl.ir.graph import Graph
from cnndsl.ir.written import in_time
from cnndsl.latency.features import COLUMNS, Reason, asked, reasons
from cnndsl.latency.fit import LEAST, SHARED, seconds
from cnndsl.latency.machine import Machine

_FLOOR = 0.2
"""Relative error below which no estimate is: what nine of ten networks were within (`docs/latency.md`)."""
_REMOTE = 0.3
"""What is added for the part of the time in which weights come from memory: of all that is measured that varies most."""
_THIN = 0.2
"""The part of the time in families with few rows from which an estimate is rough."""
_SHORT = 1e-4
"""Seconds below which a run is mostly calls, and its estimate rough."""


@dataclass(frozen=True)
class Spent:
    """Seconds of one layer, with those layers that its kernel does on its way out; and what takes most of them."""

    seconds: float
    reason: Reason


@dataclass(frozen=True)
class Estimate:
    """Of one run of a compiled network, `batch` examples, on a machine that was measured."""

    seconds: float
    error: float
    """Nine of ten networks are within this part of their estimate."""
    rough: bool
    """Whether much of the time is in kernels that hardly any were measured of, or in calls: the error may be larger."""
    layers: Mapping[str, Spent]
    """By node; a layer that another layer's kernel computes is not in it."""
    by_reason: Mapping[str, float]
    """Seconds by reason."""
    calls: int
    weight_bytes: int
    """Of the package's weights, as its kernels read them."""
    map_bytes: int | None
    """Of the memory in which a package without TVM has all maps that are neither given nor wanted; None where TVM computes a layer in a
    way of its own. What a kernel needs for itself while it runs is not in it."""
    machine: Machine
    precision: Precision = "f32"
    batch: int = 1

    @property
    def words(self) -> str:
        """`4.6 ms ± 15 %`: never more than two digits."""
        rough = ", rough" if self.rough else ""
        return f"{in_time(self.seconds)} ± {_percent(self.error)} %{rough}"


def estimate(graph: Graph, machine: Machine, precision: Precision = "f32", batch: int = 1) -> Estimate:
    """What a package of the network would take on the machine. Raises `CnnError` for what the machine cannot run."""
    return estimate_plan(plan_for(graph, machine, precision, batch), machine, precision, batch)


def plan_for(graph: Graph, machine: Machine, precision: Precision = "f32", batch: int = 1) -> Main:
    """The calls that a package would make there; in int8 those of the network as `quantize` would leave it."""
    job = Job(machine.cpu, CompileOptions(precision=precision, threads=machine.threads), batch)
    if precision == "bf16":
        refuse_without_bf16(machine.cpu)
    if precision != "int8":
        return assemble(program_without_weights(graph), job)
    # Few ask for whole numbers, whose planning takes NumPy.
    from cnndsl.backends.tvm.plan.supposed import supposed_network

    network = supposed_network(graph)
    return assemble(network.program, job, network)


def estimate_plan(main: Main, machine: Machine, precision: Precision = "f32", batch: int = 1) -> Estimate:
    """The same of a plan."""
    layers: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    by_family: dict[str, float] = defaultdict(float)
    by_reason: dict[str, float] = defaultdict(float)
    remote = 0.0
    calls = asked(main, machine.threads, machine.caches)
    for call in calls:
        family = call.family if call.family in machine.families else SHARED
        parts = seconds(machine.families[family].coefficients, call.row)
        parts = (parts[0] + machine.call, *parts[1:])
        by_family[family] += sum(parts)
        remote += parts[COLUMNS.index("memory")]
        for reason, part in reasons(parts):
            by_reason[reason] += part
        if call.node is not None:
            layers[call.node].append(parts)
    total = sum(by_family.values())
    thin = sum(t for name, t in by_family.items() if name == SHARED or machine.families[name].rows < 2 * LEAST)
    return Estimate(
        seconds=total,
        error=_error(by_family, total, machine, remote),
        rough=total < _SHORT or thin > _THIN * total,
        layers={node: _spent(parts) for node, parts in layers.items()},
        by_reason=dict(by_reason),
        calls=len(calls),
        weight_bytes=sum(constant.value.nbytes for constant in main.constants),
        map_bytes=room_of(main),
        machine=machine,
        precision=precision,
        batch=batch,
    )


def _error(by_family: Mapping[str, float], total: float, machine: Machine, remote: float) -> float:
    """The errors of families are independent of each other; those of calls of one family are not."""
    if not total:
        return _FLOOR
    squares: float = sum((t / total * machine.families[name].p90) ** 2 for name, t in by_family.items())
    return min(0.99, max(_FLOOR, float(squares**0.5)) + _REMOTE * remote / total)


def _spent(calls: list[tuple[float, ...]]) -> Spent:
    parts = tuple(map(sum, zip(*calls, strict=True)))
    reason, _ = max(reasons(parts), key=lambda found: found[1])
    return Spent(sum(parts), reason)


def _percent(error: float) -> int:
    """Up to the next five."""
    return -(-round(100 * error) // 5) * 5
