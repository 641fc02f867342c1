"""The one place that imports TVM, with its threads set."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.diagnostics.extras import how_to_install


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def load_tvm() -> Any:
    """The `tvm` module. Raises `MissingPart` when it is not installed, or cannot be loaded whole.

    TVM reads the number of threads once, while it is imported, and by itself takes half the cores.
    """
    os.environ.setdefault("TVM_NUM_THREADS", str(cores()))
    try:
        import tvm
        import tvm.relax
        import tvm.s_tir
    except ImportError as e:
        raise MissingPart(f"TVM cannot be imported ({e})", how_to_install("tvm")) from None
    except (AttributeError, OSError, RuntimeError) as e:
        # Where the system has no memory for one of its libraries TVM goes on without it, and fails at the first name
        # that it takes from that library.
        raise MissingPart(
            f"TVM cannot be imported whole ({e})", "see that there is memory for it, or install it again"
        ) from None
    return tvm
