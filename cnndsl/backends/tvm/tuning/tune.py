"""Tuning of a network: search, then acceptance, for each processor and batch size; and what is known without
measuring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cnndsl.arrays.weights import initial_weights
from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.code.linking import own_architecture
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.choices import Choices
from cnndsl.backends.tvm.library import cores, load_tvm
from cnndsl.backends.tvm.options import DEFAULT, CompileOptions
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.program.plain import refuse_unlowered
from cnndsl.backends.tvm.target import Cpu, Gpu, find_targets
from cnndsl.backends.tvm.tuning.acceptance import Course, accept, final
from cnndsl.backends.tvm.tuning.events import Begun, Tell, Tuned
from cnndsl.backends.tvm.tuning.interrupts import interruptible
from cnndsl.backends.tvm.tuning.ledger import Ledger
from cnndsl.backends.tvm.tuning.meta_schedule import function_problems, search_functions
from cnndsl.backends.tvm.tuning.problems import Problem, Subject
from cnndsl.backends.tvm.tuning.records import Place
from cnndsl.backends.tvm.tuning.remote import Tracker
from cnndsl.backends.tvm.tuning.search import search, winners
from cnndsl.backends.tvm.tuning.store import Store, default_path
from cnndsl.backends.tvm.tuning.timer import Timer
from cnndsl.diagnostics.errors import MissingPart, fault
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

Space = Literal["templates", "generic"]


def tune(
    graph: Graph,
    weights: Mapping[str, np.ndarray] | None = None,
    target: str = "llvm",
    batch: int | Sequence[int] = 1,
    options: CompileOptions = DEFAULT,
    *,
    trials: int,
    space: Space = "templates",
    store: Path | str | None = None,
    tracker: Tracker | None = None,
    tell: Tell = lambda _: None,
) -> tuple[Tuned, ...]:
    """Measures up to `trials` candidates of the network's kernels for each processor of `target` and each batch size,
    and keeps in `store` (`default_path()`) what makes the network faster. What was measured before is not measured
    again. It is measured on `options.threads` threads, all cores by default.

    Weights decide nothing; without them first values are taken. Raises `CnnError` (unsupported-by-backend,
    unknown-target, not-a-store, not-tunable) and `MissingPart`.
    """
    load_tvm()
    refuse_unlowered(graph)
    cpus = _tunable(target)
    if tracker is None:
        for cpu in cpus:
            _refuse_foreign(cpu)
    records = Store(Path(store) if store else default_path())
    program = program_of(graph, weights if weights is not None else initial_weights(graph, 0))
    done = []
    for cpu in cpus:
        place = place_of(cpu, options.threads)
        for size in sorted({batch} if isinstance(batch, int) else set(batch)):
            subject = Subject(f"{graph.name} batch {size}", program, Job(cpu, options, size))
            ledger = Ledger(records, place)
            with interruptible(), closing(Timer(cpu, place.threads, tracker)) as timer:
                done.append(_tuned(subject, ledger, timer, trials, space, tell))
    return tuple(done)


def known(target: str, store: Path | str | None = None, threads: int | None = None) -> dict[Cpu | Gpu, Choices]:
    """What a store holds for each processor of `target`, with nothing measured. Raises as `tune`."""
    records = Store(Path(store) if store else default_path())
    return {cpu: Ledger(records, place_of(cpu, threads)).choices() for cpu in _tunable(target)}


def place_of(cpu: Cpu, threads: int | None) -> Place:
    """What measurements for a processor hold for; `threads` is by default that of all cores."""
    return Place(target=f"{cpu.name} {cpu.triple}", threads=threads or cores(), tvm=str(load_tvm().__version__))


def _tuned(subject: Subject, ledger: Ledger, timer: Timer, trials: int, space: Space, tell: Tell) -> Tuned:
    course = Course(subject, timer)
    functions = function_problems(subject) if space == "generic" else ()
    problems: tuple[Problem, ...] = functions if space == "generic" else subject.problems
    tell(Begun(subject.job.cpu, subject.job.batch, len(problems)))
    if space == "generic":
        search_functions(functions, ledger, timer, trials, tell)
    else:
        search(subject.problems, ledger, timer, trials, tell)
    accept(course, winners(problems, ledger), ledger, tell)
    choices, before, after = final(course, [problem.key for problem in problems], ledger)
    done = Tuned(subject.job.cpu, subject.job.batch, choices, before, after)
    tell(done)
    return done


def _tunable(target: str) -> tuple[Cpu, ...]:
    targets = find_targets(target)
    if isinstance(targets, Gpu) or any(cpu.kind == "c" for cpu in targets):
        raise fault(
            "not-tunable",
            f"expected processors of LLVM's to tune for, found {target}",
            help="tune for `llvm`, which is this machine, or `llvm:CPU`",
        )
    return targets


def _refuse_foreign(cpu: Cpu) -> None:
    has = predict.cpu_features()
    missing = sorted(set(cpu.features) - has) if has is not None else []
    if cpu.architecture != own_architecture() or missing:
        lacks = f"which lacks {', '.join(missing)}" if missing else f"which is {own_architecture()}"
        raise MissingPart(
            f"{cpu.name} cannot be measured on this machine, {lacks}",
            "measure on one that can, with `--rpc HOST:PORT --key KEY` (docs/tuning.md)",
        )
