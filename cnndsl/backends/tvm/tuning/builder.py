"""MetaSchedule's builder with workers that stay: TVM's own starts new ones for every batch, each of which takes
seconds to import TVM."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import cache
from typing import Any

from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.tuning.pools import end_pool


def local_builder(build: Callable[..., str], timeout_s: int) -> Any:
    """A builder on all cores; `build(module, target)` returns the path of a library."""
    return _class()(build, timeout_s)


@cache
def _class() -> Any:
    load_tvm()
    from tvm.ir.utils import derived_object
    from tvm.s_tir.meta_schedule.builder import BuilderResult, PyBuilder
    from tvm.s_tir.meta_schedule.utils import cpu_count
    from tvm.support.popen_pool import PopenPoolExecutor

    # Compiling leaks: a worker ends after this many times.
    most_uses = 200

    class LastingBuilder(PyBuilder):  # type: ignore[misc]
        def __init__(self, build: Callable[..., str], timeout_s: int) -> None:
            super().__init__()
            self._build, self._timeout_s = build, timeout_s
            self._pool = PopenPoolExecutor(
                cpu_count(logical=True), timeout_s, maximum_process_uses=most_uses, stderr=subprocess.DEVNULL
            )
            self._futures: list[Future[str]] = []

        def build(self, inputs: Sequence[Any]) -> list[Any]:
            self._futures = [self._pool.submit(self._build, given.mod, given.target) for given in inputs]
            return [BuilderResult(*self._outcome(future)) for future in self._futures]

        def _outcome(self, future: Future[str]) -> tuple[str | None, str | None]:
            try:
                return future.result(), None
            except TimeoutError:
                return None, f"compiling took more than {self._timeout_s} s"
            except Exception as error:  # noqa: BLE001  (whatever the child died of)
                return None, f"compiling failed: {error}"

        def close(self) -> None:
            for future in self._futures:
                future.cancel()
            end_pool(self._pool)

    return derived_object(LastingBuilder)
