"""What `tune` and `compile --tune` share: options, and how they show where tuning stands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnndsl.cli.shared.voice import colorful, note

if TYPE_CHECKING:
    from rich.table import Table

    from cnndsl.backends.tvm.kernels.choices import Choices
    from cnndsl.backends.tvm.options import CompileOptions
    from cnndsl.backends.tvm.target import Cpu, Gpu
    from cnndsl.backends.tvm.tuning.events import Event, Raced, Tell, Trial, Tuned
    from cnndsl.ir.graph import Graph

    ByProcessor = Mapping[Cpu | Gpu, Choices]

Command = Callable[..., Any]


def store_option(command: Command) -> Command:
    """`--store PATH`."""
    return click.option(
        "--store",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The tuning store; by default cnndsl/tuning.jsonl in your cache.",
    )(command)


@dataclass(frozen=True)
class Tuning:
    """What `--tune N` and `--store PATH` say; `trials` is None without `--tune`, so that a package never depends on a
    file that nobody named."""

    trials: int | None
    store: Path | None

    def choices(self, graph: Graph, target: str, batch: tuple[int, ...], options: CompileOptions) -> ByProcessor:
        """Measures up to `trials` candidates, and returns what the store then holds."""
        if self.trials:
            from cnndsl.backends.tvm.tuning.tune import tune

            # Kernels in bfloat16 are not tuned.
            in_f32 = replace(options, precision="f32")
            with progress() as tell:
                done = tune(graph, None, target, batch, in_f32, trials=self.trials, store=self.store, tell=tell)
            for tuned in done:
                note(tuned_line(tuned))
        return self.known(target, options)

    def known(self, target: str, options: CompileOptions) -> ByProcessor:
        """What the store holds already; nothing is measured."""
        if self.trials is None:
            return {}
        from cnndsl.backends.tvm.tuning.tune import known

        return known(target, self.store, options.threads)


@contextmanager
def progress() -> Iterator[Tell]:
    """What tuning tells, shown on stderr: a table that changes on a terminal, lines elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, no_color=not colorful(sys.stderr))
    with Live(console=console, refresh_per_second=4) as live:
        yield _Display(live)


def tuned_line(tuned: Tuned) -> str:
    """One line: the time by the rules, the time now."""
    change = tuned.after_s / tuned.before_s - 1
    changed = len(tuned.choices.settings)
    kernels = "no kernel" if not changed else "1 kernel" if changed == 1 else f"{changed} kernels"
    return (
        f"{tuned.cpu.name}, batch {tuned.batch}: {_ms(tuned.before_s)} by the rules, "
        f"{_ms(tuned.after_s)} with {kernels} tuned ({change:+.1%})"
    )


class _Lines:
    """A line for each candidate that is the best so far, or failed."""

    def __init__(self) -> None:
        self._best: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        if event.kind == "begun":
            note(f"tuning for {event.cpu.name}, batch {event.batch}: {event.kernels} kernels")
        elif event.kind == "trial":
            self._trial(event)
        elif event.kind == "raced":
            note(raced(event))

    def _trial(self, trial: Trial) -> None:
        problem = trial.problem
        if trial.timing.error:
            note(f"{problem.name} {trial.setting}: {trial.timing.error}")
        elif trial.best_s and trial.best_s < self._best.get(problem.key, float("inf")):
            self._best[problem.key] = trial.best_s
            note(f"{problem.name}: {trial.tried} of {len(problem.ways)} tried, best {_against(trial, trial.best_s)}")


class _Display:
    """A table of the kernels, those with the most time first."""

    def __init__(self, live: Any) -> None:
        self._live = live
        self._trials: dict[str, Trial] = {}

    def __call__(self, event: Event) -> None:
        if event.kind == "begun":
            self._trials.clear()
        elif event.kind == "trial":
            self._trials[event.problem.key] = event
            if event.timing.error:
                self._live.console.print(f"{event.problem.name} {event.setting}: {event.timing.error}", markup=False)
        elif event.kind == "raced":
            self._live.console.print(raced(event), markup=False)
        self._live.update(self._table())

    def _table(self) -> Table:
        from rich.table import Table

        table = Table("kernel", "calls", "tried", "by rule", "best", "gain", box=None)
        rows = sorted(self._trials.values(), key=lambda trial: -(trial.rule_s or 0) * trial.problem.calls)
        room = max(5, self._live.console.size.height - 6)
        for trial in rows[:room]:
            rule = _ms(trial.rule_s) if trial.rule_s else "–"
            best = _ms(trial.best_s) if trial.best_s else "–"
            gain = f"{1 - trial.best_s / trial.rule_s:.1%}" if trial.rule_s and trial.best_s else ""
            tried = f"{trial.tried}/{len(trial.problem.ways)}"
            table.add_row(trial.problem.name, str(trial.problem.calls), tried, rule, best, gain)
        if len(rows) > room:
            table.add_row(f"and {len(rows) - room} more")
        return table


def raced(event: Raced) -> str:
    """What the network made of some kernels."""
    names = ", ".join(problem.name for problem in event.problems)
    verdict = "taken" if event.accepted else "left as it was"
    return f"network {_ms(event.before_s)} → {_ms(event.after_s)} with {names}: {verdict}"


def _against(trial: Trial, best_s: float) -> str:
    best = _ms(best_s)
    return f"{best}, by rule {_ms(trial.rule_s)} ({best_s / trial.rule_s - 1:+.1%})" if trial.rule_s else best


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3f} ms"
