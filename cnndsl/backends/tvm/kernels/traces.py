"""Schedules that MetaSchedule found, as traces in JSON: what was done to a function, step by step.

A trace is only applied when each of its steps is among those that arrange loops; a step that could bring in code is
not.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from cnndsl.backends.tvm.library import load_tvm

_STEPS = frozenset(
    {
        "AddUnitLoop", "Annotate", "BlockizeLoop", "CacheRead", "CacheWrite", "ComputeAt", "ComputeInline",
        "DecomposePadding", "DecomposeReduction", "EnterPostproc", "Fuse", "GetChildBlocks", "GetConsumers", "GetLoops",
        "GetProducers", "GetSBlock", "LoopPartition", "Merge", "PadEinsum", "Parallel",
        "RFactor", "ReIndex", "Reorder", "ReverseComputeAt", "ReverseComputeInline", "SampleCategorical",
        "SampleComputeLocation", "SamplePartitionedTile", "SamplePerfectTile", "SetScope", "Split", "StorageAlign",
        "TransformBlockLayout", "TransformLayout", "Unannotate", "Unroll", "Vectorize",
    }
)  # fmt: skip
_MARKS = ("meta_schedule.", "pragma_auto_unroll_max_step", "pragma_unroll_explicit")


def function_key(function: Any) -> str:
    """The problem that a function without a kernel is: a digest of its text."""
    plain = function.without_attr("global_symbol") if "global_symbol" in (function.attrs or {}) else function
    return f"Function {sha256(plain.script().encode()).hexdigest()[:32]}"


def with_trace(function: Any, trace: Any) -> Any | None:
    """The function scheduled as the trace says; None where the trace is not for it, or not of loops alone."""
    tvm = load_tvm()
    if not harmless(trace):
        return None
    from tvm.s_tir.schedule import Trace

    schedule = tvm.s_tir.Schedule(function)
    try:
        Trace.apply_json_to_schedule(json.loads(trace), schedule)
    except (tvm.s_tir.ScheduleError, tvm.error.InternalError, RuntimeError, ValueError, TypeError, IndexError):
        return None
    return schedule.mod["main"]


def harmless(trace: Any) -> bool:
    """Whether a trace arranges loops and does nothing else."""
    try:
        steps, _ = json.loads(trace)
        return all(
            name in _STEPS and (name != "Annotate" or str(attributes[0]).startswith(_MARKS))
            for name, _, attributes, _ in steps
        )
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return False
