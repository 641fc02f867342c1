"""Every stage of a compilation as text files, to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm.code.c_network import CCode
from cnndsl.backends.tvm.code.gpu import CudaCode
from cnndsl.backends.tvm.code.kinds import Native
from cnndsl.backends.tvm.emitters.bf16.maps import left_in_f32
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import plan
from cnndsl.backends.tvm.plan.joins import find_joins
from cnndsl.backends.tvm.plan.quantized import left_real
from cnndsl.backends.tvm.program.passes import stages
from cnndsl.backends.tvm.target import Cpu
from cnndsl.disk.files import write_atomically
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.code.compiled import Compiled


def dump(variants: Sequence[Sequence[Compiled]], folder: Path) -> None:
    """Writes the stages of each processor and batch size, in folders of their own where there are several."""
    for parts in variants:
        for compiled in parts:
            own = folder
            own = own / compiled.job.target.name if len(variants) > 1 else own
            own = own / f"batch{compiled.job.batch}" if len(parts) > 1 else own
            for name, text in texts(compiled):
                write_atomically(own / name, text if text.endswith("\n") else f"{text}\n")


def texts(compiled: Compiled) -> Iterator[tuple[str, str]]:
    """File names and texts in the order of the compilation."""
    tvm = load_tvm()
    for number, (name, program) in enumerate(stages(compiled.graph, _zeros(compiled.graph))):
        yield f"1-passes/{number}-{name}.txt", "\n".join(program.describe())
    yield "1-program.txt", "\n".join(compiled.program.describe())
    if compiled.quantized is not None:
        own = compiled.quantized.groups
        yield "2-groups.txt", "\n".join(group.describe() for group in own)
        yield "2-left-in-f32.txt", "\n".join(left_real(own)) or "none"
        lanes = compiled.job.cpu.lanes
        whole = [group.group for group in own if group.kind != "float"]
        yield "3-joins.txt", "\n".join(find_joins(whole, lanes, lanes // 4).describe()) or "none"
        yield "4-calls.txt", "\n".join(_calls(compiled)) or "none"
    elif isinstance(compiled.job.target, Cpu):
        groups = plan(compiled.program)
        yield "2-groups.txt", "\n".join(group.describe() for group in groups)
        if compiled.job.options.precision == "bf16":
            yield "2-left-in-f32.txt", "\n".join(left_in_f32(groups, compiled.job)) or "none"
        yield "3-joins.txt", "\n".join(find_joins(groups, compiled.job.cpu.lanes).describe()) or "none"
        yield "4-calls.txt", "\n".join(_calls(compiled)) or "none"
    yield "5-relax.txt", compiled.module.script()
    yield "6-relax-lowered.txt", compiled.lowered.script()
    for variable, function in compiled.lowered.functions_items():
        if isinstance(function, tvm.tirx.PrimFunc):
            yield f"kernels/{variable.name_hint}.txt", function.script()
    match compiled.code:
        case Native(executable=executable):
            yield "7-assembly.s", assembly(executable.mod)
        case CCode(text=text):
            yield "7-network.c", text
        case CudaCode(source=source):
            yield "7-kernels.cu", source


def assembly(module: Any) -> str:
    """What LLVM made of a TVM module and those it imports."""
    own = [module.inspect_source("asm")] if module.kind == "llvm" else []
    return "\n".join([*own, *(text for other in module.imports if (text := assembly(other)))])


def _zeros(graph: Graph) -> dict[str, np.ndarray]:
    """Weights for passes that are run again to be shown: no pass looks at a value, and these take no memory."""
    import numpy as np

    return {entry.key: np.broadcast_to(np.zeros((), entry.weight.dtype), entry.weight.shape) for entry in graph.weights}


def _calls(compiled: Compiled) -> Iterator[str]:
    """One line a call: the function, the group it is for, and the kernel with all that was chosen for it."""
    for call in compiled.calls:
        group = call.group.last.name if call.group else "on the way out"
        yield f"{call.function or 'TVM'} for {group}: {call.kernel or 'plain form'}"
