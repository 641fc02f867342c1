"""Guards `backends/tvm/tuning/pools.py`. A pool ends although one of its processes is just being started."""

from __future__ import annotations

from typing import Any

import pytest

from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.tuning.pools import end_pool

pytestmark = pytest.mark.tvm


class Starting:
    """TVM's worker in the moment in which its process is there, and its pipes are not."""

    asked = 0

    def kill(self) -> None:
        self.asked += 1
        if self.asked < 3:
            raise AttributeError("'PopenWorker' object has no attribute '_writer'")


def test_a_process_that_is_being_started_is_awaited() -> None:
    load_tvm()
    from tvm.support.popen_pool import PopenPoolExecutor

    pool: Any = PopenPoolExecutor(1)
    worker = pool._worker_map[0] = Starting()
    end_pool(pool)
    assert worker.asked == 3
    assert pool._shutdown
    assert not pool._lock.locked()
