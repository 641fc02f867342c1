"""MetaSchedule's own search, for functions that have no kernel of ours: evolution over its generic space of loop nests.

What is found is kept as traces: the steps that arrange a function's loops, as JSON (`traces.py`). A cost model learns
from the measurements which candidates are worth one, by xgboost where that is installed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from cnndsl.backends.tvm.code.relax_main import relax_main
from cnndsl.backends.tvm.code.unscheduled import schedule_rest, unscheduled
from cnndsl.backends.tvm.emitters.assemble import assemble
from cnndsl.backends.tvm.kernels.kernel import Setting
from cnndsl.backends.tvm.kernels.traces import function_key, harmless
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.lower import legal
from cnndsl.backends.tvm.tuning.events import Trial
from cnndsl.backends.tvm.tuning.ledger import Ledger
from cnndsl.backends.tvm.tuning.problems import Subject, text_of
from cnndsl.backends.tvm.tuning.timer import Timer, Timing

_AT_ONCE = 16
_RULE: Setting = {}
"""The setting of a function that has the schedule which `code/unscheduled.py` gives it without tuning."""


@dataclass(frozen=True)
class FunctionProblem:
    """A function without a kernel; its ways are the schedules tried so far."""

    key: str
    name: str
    calls: int
    function: Any

    @cached_property
    def ways(self) -> dict[str, tuple[Setting, Any]]:
        return {text_of(_RULE): (_RULE, self.function)}

    @property
    def rule(self) -> str:
        return text_of(_RULE)


def function_problems(subject: Subject) -> tuple[FunctionProblem, ...]:
    """The network's functions without a kernel that compute something, in the order of the network."""
    tvm = load_tvm()
    module = legal(relax_main(assemble(subject.program, subject.job))[0], subject.job.cpu)
    counts: Counter[str] = Counter()

    def count(node: Any) -> None:
        if isinstance(node, tvm.relax.Call) and node.op.same_as(tvm.ir.Op.get("relax.call_tir")):
            counts[str(node.args[0].name_hint)] += 1

    tvm.relax.analysis.post_order_visit(module["main"], count)
    return tuple(
        FunctionProblem(function_key(function), variable.name_hint, counts[variable.name_hint], function)
        for variable, function in unscheduled(module)
        if counts[variable.name_hint]
    )


def search_functions(
    problems: tuple[FunctionProblem, ...],
    ledger: Ledger,
    timer: Timer,
    trials: int,
    tell: Callable[[Trial], None],
) -> None:
    """Measures up to `trials` schedules, shared out by the time that the functions take; those that the store holds
    count, so that a search that was stopped goes on."""
    for problem in problems:
        if not ledger.measured(problem, problem.rule):
            module = load_tvm().IRModule({"main": problem.function})
            plain = schedule_rest(module, timer.cpu.lanes)["main"]
            _note(problem, _RULE, timer.time([plain])[0], ledger, tell)
    times = {p.key: p.calls * (ledger.seconds(p, p.rule) or 0.0) for p in problems}
    total = sum(times.values()) or 1.0
    for problem in sorted(problems, key=lambda p: -times[p.key]):
        for setting in ledger.settings(problem.key):
            problem.ways.setdefault(text_of(setting), (setting, problem.function))
        left = round(trials * times[problem.key] / total) - (len(problem.ways) - 1)
        if left > 0:
            _evolve(problem, ledger, timer, left, tell)


def _evolve(problem: FunctionProblem, ledger: Ledger, timer: Timer, trials: int, tell: Callable[[Trial], None]) -> None:
    tvm = load_tvm()
    from tvm.s_tir import meta_schedule as ms
    from tvm.s_tir.meta_schedule.runner import RunnerResult

    target = tvm.target.Target({**timer.cpu.spelled, "num-cores": timer.threads})
    context = ms.TuneContext(
        mod=problem.function.with_attr("global_symbol", "main"),
        target=target,
        # Its rules for plain loops: those with intrinsics are for other numbers than ours.
        space_generator=ms.space_generator.PostOrderApply(sch_rules="llvm", postprocs="llvm", mutator_probs="llvm"),
        search_strategy=ms.search_strategy.EvolutionarySearch(population_size=128, genetic_num_iters=3),
        task_name=problem.name,
        num_threads=timer.threads,
        rand_state=1,
    )
    model = ms.cost_model.CostModel.create("xgb" if find_spec("xgboost") else "random")
    database = ms.database.MemoryDatabase()
    context.pre_tuning(trials, min(_AT_ONCE, trials), context.generate_design_space(), database, model)
    workload = database.commit_workload(context.mod)
    while candidates := context.generate_measure_candidates():
        timings = timer.time([candidate.sch.mod["main"] for candidate in candidates])
        results = [
            RunnerResult([timing.seconds], None) if timing.seconds else RunnerResult(None, str(timing.error))
            for timing in timings
        ]
        for candidate, timing in zip(candidates, timings, strict=True):
            trace = json.dumps(candidate.sch.trace.as_json(), default=_plain)
            if harmless(trace):
                _note(problem, {"trace": trace}, timing, ledger, tell)
            if timing.seconds:
                database.commit_tuning_record(
                    ms.database.TuningRecord(
                        candidate.sch.trace, workload, [timing.seconds], target, candidate.args_info
                    )
                )
        context.notify_runner_results(candidates, results)
        model.update(context, candidates, results)
    context.post_tuning()


def _note(
    problem: FunctionProblem, setting: Setting, timing: Timing, ledger: Ledger, tell: Callable[[Trial], None]
) -> None:
    text = text_of(setting)
    problem.ways.setdefault(text, (setting, problem.function))
    ledger.note(problem, text, timing)
    best, rule_s = ledger.best(problem), ledger.seconds(problem, problem.rule)
    shown = "the rule" if setting == _RULE else f"schedule {len(problem.ways) - 1}"
    tell(Trial(problem, shown, timing, len(problem.ways) - 1, rule_s, best[1] if best else None))


def _plain(value: Any) -> Any:
    """TVM's numbers and arrays as Python's."""
    return value.value if hasattr(value, "value") else list(value)
