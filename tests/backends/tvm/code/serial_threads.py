"""The processor's twin of GPU kernels: the same schedules with every loop over threads run one after the other.

A schedule means the same however its loops are run, so the twin shows whether tiles, copies and bounds are right; what it
cannot show is what TVM and nvcc make of the threads themselves.
"""

from __future__ import annotations

import json
from typing import Any

from cnndsl.backends.tvm.library import load_tvm

_SERIAL, _THREAD_BINDING, _NONE = 0, 4, 0


def serial(module: Any) -> Any:
    """The module with thread-bound loops made plain ones and memory of threads made ordinary."""
    tvm = load_tvm()
    graph = json.loads(tvm.ir.save_json(module))
    assert graph["nodes"][_NONE] == {"type": "None"}
    for node in graph["nodes"]:
        if node["type"] == "tirx.For" and node["data"]["kind"] == _THREAD_BINDING:
            node["data"] |= {"kind": _SERIAL, "thread_binding": _NONE}
        elif node["type"] == "ffi.String" and node["data"] in ("shared", "shared.dyn", "local"):
            node["data"] = "global"
    return tvm.ir.load_json(json.dumps(graph))
