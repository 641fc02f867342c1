"""A lowered IRModule → machine code, its kernels side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cnndsl.backends.tvm.library import cores, load_tvm

PARTS = 8
"""The most libraries that kernels are divided among; the same on every machine, so that the bytes of a package are,
too."""


def machine_code(lowered: Any, target: Any) -> Any:
    """The executable of an IRModule of Relax and scheduled functions, for a processor.

    TVM takes one kernel after another through its passes and LLVM, on one core. Here several parts are compiled at a
    time: kernels do not depend on each other, and TVM lets go of Python's lock while it works.
    """
    tvm = load_tvm()
    kernels = {name: f for name, f in lowered.functions_items() if isinstance(f, tvm.tirx.PrimFunc)}
    rest = {name: f for name, f in lowered.functions_items() if name not in kernels}
    names = sorted(kernels, key=lambda name: str(name.name_hint))
    # Neighbours by name are of a kind and take about as long: each part gets some of every kind.
    # TVM takes the function of a library with only one for its `main`, so each part gets at least two.
    count = max(1, min(PARTS, len(names) // 2))
    first, *others = ({name: kernels[name] for name in names[number::count]} for number in range(count))
    with ThreadPoolExecutor(cores()) as pool:
        whole = pool.submit(tvm.compile, tvm.IRModule(rest | first, attrs=lowered.attrs), target, relax_pipeline=None)
        libraries = list(pool.map(lambda part: tvm.tirx.build(tvm.IRModule(part), target), others))
        executable = whole.result()
    for library in libraries:
        executable.mod.import_module(library)
    return executable
