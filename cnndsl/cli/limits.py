"""`cnndsl limits`: what this machine can do, measured, so that networks can be estimated without compiling them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.voice import note, say

if TYPE_CHECKING:
    from cnndsl.latency.machine import Machine


@click.command("limits")
@click.option("--quick", is_flag=True, help="Half of the kernels, each once: half the time, and somewhat less sure.")
@click.option("--threads", type=click.IntRange(1), help="How many to measure with; all cores by default.")
@click.option(
    "--network",
    "networks",
    multiple=True,
    metavar="FILE",
    help="Also the kernels of this network; may be given several times.",
)
@click.option("--name", help="The machine's name; that of its host by default.")
@click.option(
    "-o",
    "output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file; by default cnndsl/machines/NAME.json in your data.",
)
@click.pass_context
def command(
    context: click.Context,
    quick: bool,
    threads: int | None,
    networks: tuple[str, ...],
    name: str | None,
    output: Path | None,
) -> None:
    """Measure this machine's kernels, once, in about a minute; `summary --latency` then knows how long networks take.

    Nothing else should run meanwhile. The file can be carried to other machines, and named there: `--target FILE`.
    """
    if name is not None and not name.replace("-", "").replace("_", "").isalnum():
        raise click.UsageError(f"a machine's name has letters, digits, dashes and underscores: not {name!r}", context)
    if output is not None and output.suffix != ".json":
        raise click.UsageError("the file ends in .json", context)
    from cnndsl.benchmarking.limits import measure_machine
    from cnndsl.cli.shared.reading import read_network
    from cnndsl.latency.machine import folder

    graphs = [read_network(file, _NONE, _NONE).graph for file in networks]
    machine = measure_machine(name, threads, quick=quick, networks=graphs, tell=_Stages())
    path = output or folder() / f"{machine.name}.json"
    machine.save(path)
    for line in _lines(machine):
        say(line)
    say(f"written to {path}")


_NONE: Mapping[str, str] = {}


class _Stages:
    """A line on stderr for each stage, and for each quarter of what is compiled."""

    def __init__(self) -> None:
        self._quarter = -1

    def __call__(self, stage: str, done: int, whole: int) -> None:
        if stage != "compiling":
            note(f"{stage}, turn {done} of {whole}" if stage == "measuring" else stage)
        elif (quarter := 4 * done // whole) > self._quarter:
            self._quarter = quarter
            note(f"compiling {whole} kernels: {done}")


def _lines(machine: Machine) -> list[str]:
    from cnndsl.backends.tvm.examine.references import STATES
    from cnndsl.ir.written import in_bytes, in_time

    found = machine.references
    lines = [
        f"{machine.name}: {machine.model}, {machine.threads} threads, own caches {in_bytes(machine.caches.own)}",
        f"state: {machine.state} ({STATES[machine.state]})",
        f"  a chain of multiply-adds {in_time(found['alone'])} on one thread, {in_time(found['together'])} on all;"
        f" starting all threads {in_time(found['empty'])}",
    ]
    ours = sorted(machine.families.items(), key=lambda item: -item[1].rows)
    width = max(len(name) for name, _ in ours)
    lines.append(f"{'kernels':<{width}}  rows  error of half of them, of nine of ten")
    lines += [f"{name:<{width}}  {f.rows:>4}  {f.median:>5.0%}  {f.p90:>5.0%}" for name, f in ours]
    if machine.check is None:
        lines.append("not checked: the machine did not stay as it was measured")
    else:
        check = machine.check
        error = check.predicted / check.measured - 1
        lines.append(
            f"check: {check.network} takes {in_time(check.measured)}, estimated {in_time(check.predicted)} ({error:+.0%})"
        )
    return lines
