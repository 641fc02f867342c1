"""Times functions and networks through MetaSchedule's builder and runner, in child processes.

Whatever a candidate does to the process it is compiled or run in — a crash, a hang — becomes a reason why it has no
time, and the next one gets a new process. Between two runs the caches are emptied of weights: in a network a kernel
meets them cold, and warm ones favour other candidates.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.target import Cpu
from cnndsl.backends.tvm.tuning import worker
from cnndsl.backends.tvm.tuning.pools import end_pool
from cnndsl.backends.tvm.tuning.remote import Tracker
from cnndsl.diagnostics.errors import MissingPart

BUILD_S, RUN_S, RACE_S = 60, 30, 180
"""What a candidate may take in seconds: to compile, to be measured, a network's turn in a race."""


@dataclass(frozen=True)
class Timing:
    """Seconds of one run, or why there are none."""

    seconds: float | None
    error: str | None = None


class Timer:
    """Measures for one processor and number of threads, here or on the servers of a tracker. Close it when done."""

    def __init__(self, cpu: Cpu, threads: int, tracker: Tracker | None = None, repeats: int = 20) -> None:
        load_tvm()
        from tvm.s_tir.meta_schedule.runner import EvaluatorConfig, LocalRunner, RPCRunner
        from tvm.support.popen_pool import PopenPoolExecutor

        from cnndsl.backends.tvm.tuning.builder import local_builder

        self.cpu, self.threads, self.tracker = cpu, threads, tracker
        # Child processes read it when they make their pool of threads.
        os.environ["TVM_NUM_THREADS"] = str(threads)
        self._folder = tempfile.TemporaryDirectory(prefix="cnndsl-tune-")
        self.builder = local_builder(
            partial(worker.build, folder=self._folder.name, architecture=cpu.architecture), BUILD_S
        )
        config = EvaluatorConfig(number=1, repeat=repeats, min_repeat_ms=0, enable_cpu_cache_flush=True)
        if tracker is None:
            self.runner = LocalRunner(RUN_S, config, f_alloc_argument=worker.local_arguments)
        else:
            self.runner = RPCRunner(
                tracker.config(RUN_S),
                config,
                f_create_session=partial(worker.connect, threads=threads),
                f_alloc_argument=worker.remote_arguments,
                max_workers=tracker.servers(),
            )
        self._racers = PopenPoolExecutor(1, RACE_S, stderr=-3)

    def time(self, functions: Sequence[Any]) -> list[Timing]:
        """The time of each scheduled function, in order."""
        from tvm.s_tir.meta_schedule.arg_info import ArgInfo
        from tvm.s_tir.meta_schedule.builder import BuilderInput
        from tvm.s_tir.meta_schedule.runner import RunnerInput

        tvm = load_tvm()
        modules = [tvm.IRModule({"main": f.with_attr("global_symbol", "main")}) for f in functions]
        built = self.builder.build([BuilderInput(module, self.cpu.target) for module in modules])
        fine = [i for i, result in enumerate(built) if result.error_msg is None]
        inputs = [RunnerInput(built[i].artifact_path, "cpu", ArgInfo.from_prim_func(modules[i]["main"])) for i in fine]
        ran = dict(zip(fine, self.runner.run(inputs), strict=True))
        timings = []
        for i, result in enumerate(built):
            if i not in ran:
                timings.append(Timing(None, _reason(result.error_msg)))
                continue
            outcome = ran[i].result()
            if outcome.error_msg is not None:
                timings.append(Timing(None, _reason(outcome.error_msg)))
            else:
                # Whatever else the machine does only adds to a time.
                timings.append(Timing(min(float(s) for s in outcome.run_secs)))
        return timings

    def build(self, networks: Sequence[Any]) -> list[str]:
        """The paths of the networks' libraries. Raises `MissingPart` when one cannot be compiled."""
        from tvm.s_tir.meta_schedule.builder import BuilderInput

        built = self.builder.build([BuilderInput(network, self.cpu.target) for network in networks])
        for result in built:
            if result.error_msg is not None:
                raise _unmeasured(_reason(result.error_msg))
        return [str(result.artifact_path) for result in built]

    def race(
        self, libraries: Sequence[str], ports: Sequence[worker.Ports], blocks: int = 10, runs: int = 3
    ) -> list[list[float]]:
        """Seconds per run of each network in each block, the networks by turns. Raises `MissingPart` when one fails."""
        config = self.tracker.config(RACE_S) if self.tracker else None
        future = self._racers.submit(worker.race, list(libraries), list(ports), blocks, runs, self.threads, config)
        try:
            return list(future.result())
        except TimeoutError:
            raise _unmeasured(f"it took more than {RACE_S} s") from None
        except Exception as error:  # noqa: BLE001  (whatever the child died of)
            raise _unmeasured(_reason(str(error))) from None

    def close(self) -> None:
        """Ends the child processes and removes what they built."""
        self.builder.close()
        end_pool(self.runner.pool)
        end_pool(self._racers)
        self._folder.cleanup()


def _reason(message: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in str(message).splitlines() if line.strip()]
    last = lines[-1][:300] if lines else "unknown"
    return "it brought its process down" if last == "Subprocess terminated" else last


def _unmeasured(reason: str) -> MissingPart:
    return MissingPart(f"the network could not be measured: {reason}", "measure it on another machine with --rpc")
