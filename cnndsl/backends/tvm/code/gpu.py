"""NVIDIA GPUs: the folded program in plain layout, with the schedules of TVM's dlight.

The CUDA source of every kernel is part of a package, and its machine code (a cubin) where `nvcc` is at hand; neither
a GPU nor a driver is needed to make one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.code.alone import Ports
from cnndsl.backends.tvm.code.linking import compiler, tvm_linker
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.program.plain import variable
from cnndsl.backends.tvm.program.steps import Program
from cnndsl.backends.tvm.target import Gpu
from cnndsl.diagnostics.errors import MissingPart
from cnndsl.ir.graph import weight_key

if TYPE_CHECKING:
    import numpy as np


_REDUCED = 2
"""TVM's kind of an axis that is summed over."""


@dataclass(frozen=True)
class CudaCode:
    """TVM's executable with its kernels, the CUDA source of these, and the GPU they are for."""

    executable: Any
    source: str
    gpu: Gpu

    def check_linker(self) -> None:
        compiler()

    def runnable(self, constants: Sequence[np.ndarray]) -> predict.Runnable:
        return predict.cuda_runnable(self.executable.mod, constants)

    def write(self, folder: Path, name: str, _ports: Ports) -> str:
        self.executable.export_library(str(folder / name), fcompile=tvm_linker(""))
        stem = Path(name).stem.replace("lib", "kernels", 1)
        (folder / f"{stem}.cu").write_text(self.source, "utf-8")
        if shutil.which("nvcc"):
            (folder / f"{stem}.cubin").write_bytes(cubin(self.source, self.gpu))
        return name


def assemble_plain(program: Program, batch: int) -> tuple[Any, dict[str, np.ndarray]]:
    """The IRModule of the program, each step by its own plain form, and its constants in the order `main` takes
    them."""
    relax = load_tvm().relax
    builder = relax.BlockBuilder()
    # TVM makes C++ names of these, and some labels begin with a digit.
    values = {name: variable(_word("x", name), type, batch) for name, type in program.inputs.items()}
    inputs: list[Any] = list(values.values())
    parameters: list[Any] = []
    constants: dict[str, np.ndarray] = {}
    with builder.function("main"):
        with builder.dataflow():
            for step in program.steps:
                weights = {}
                for slot, array in step.weights.items():
                    key = weight_key(step.name, slot)
                    weights[slot] = relax.Var(_word("w", key), relax.TensorType(array.shape, array.dtype))
                    constants[key] = array.numpy()
                    parameters.append(weights[slot])
                given = tuple(values[name] for name in step.inputs)
                values[step.name] = builder.emit(step.op.to_relax(relax, step.xs, given, weights))
            leaving = builder.emit_output(relax.Tuple([values[name] for name in program.outputs.values()]))
        builder.emit_func_output(leaving, params=[*inputs, *parameters])
    return builder.get(), constants


def _word(kind: str, name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", f"{kind}_{name}")


def gpu_pipeline(gpu: Gpu) -> Any:
    """TVM's passes for CUDA, with a schedule for every kernel; a function of the module."""
    tvm = load_tvm()
    from tvm.relax.backend.cuda import pipeline

    relax, target = tvm.relax.transform, gpu.target

    def run(module: Any) -> Any:
        with target:
            fused = tvm.transform.Sequential(
                [
                    *pipeline.library_dispatch_passes(target),
                    relax.LegalizeOps(),
                    relax.AnnotateTIROpPattern(),
                    relax.FoldConstant(),
                    relax.FuseOps(),
                    relax.FuseTIR(),
                ]
            )(module)
            placed = schedule_kernels(fused, target)
            return tvm.transform.Sequential(
                [*pipeline.dataflow_lower_passes(target), *pipeline.finalize_passes(target)]
            )(placed)

    return run


def schedule_kernels(module: Any, target: Any) -> Any:
    """The module with every kernel bound to threads, each by the first of dlight's rules that takes it.

    A rule that fails on a kernel, as those for products do on some convolutions of a single channel, is passed over:
    the last one takes everything. Raises `MissingPart`, naming the kernel, where even that fails.
    """
    tvm = load_tvm()
    from tvm.s_tir.dlight import gpu as rules

    order = [rules.Matmul(), rules.GEMV(), rules.Reduction(), rules.GeneralReduction(), rules.Fallback()]
    for name, function in list(module.functions_items()):
        if isinstance(function, tvm.tirx.PrimFunc) and "tirx.is_scheduled" not in (function.attrs or {}):
            module.update_func(name, _scheduled(tvm, name.name_hint, function, target, order))
    return module


def _scheduled(tvm: Any, name: str, function: Any, target: Any, rules: Sequence[Any]) -> Any:
    if _has_sum_of_one(tvm, function):
        # dlight also writes what follows such a sum, a bias for example, into its first value: the bias was added
        # twice.
        return _spread(tvm, function).with_attr("tirx.is_scheduled", True)
    failures = []
    for rule in rules:
        try:
            found = rule.apply(function, target, False)
            if found is None:
                continue
            made = (found[0] if isinstance(found, list) else found).mod["main"].with_attr("tirx.is_scheduled", True)
            tvm.s_tir.analysis.verify_well_formed(made)
        except Exception as e:  # noqa: BLE001  (rules fail in many ways; another one follows)
            failures.append(
                f"{type(rule).__name__}: {str(e).strip().splitlines()[-1] if str(e).strip() else type(e).__name__}"
            )
            continue
        return made
    raise MissingPart(
        f"TVM has no CUDA schedule of the kernel {name} ({'; '.join(failures)})", "compile with `--target llvm`"
    )


def _has_sum_of_one(tvm: Any, function: Any) -> bool:
    """Whether a block sums a single term, as a 1×1 convolution of one channel does."""
    schedule = tvm.s_tir.Schedule(function)
    for block in schedule.get_child_blocks(schedule.get_sblock("root")):
        reduced = [axis for axis in schedule.get(block).iter_vars if axis.iter_type == _REDUCED]
        if reduced and all(int(axis.dom.extent) == 1 for axis in reduced):
            return True
    return False


def _spread(tvm: Any, function: Any) -> Any:
    """The function with a thread for each element of each block, and nothing moved between blocks."""
    schedule = tvm.s_tir.Schedule(function)
    for block in schedule.get_child_blocks(schedule.get_sblock("root")):
        loops, axes = schedule.get_loops(block), schedule.get(block).iter_vars
        spatial = [loop for loop, axis in zip(loops, axes, strict=True) if axis.iter_type != _REDUCED]
        reduced = [loop for loop, axis in zip(loops, axes, strict=True) if axis.iter_type == _REDUCED]
        spatial = spatial or [schedule.add_unit_loop(loops[0])]
        schedule.reorder(*spatial, *reduced)
        outer, inner = schedule.split(schedule.fuse(*spatial), [None, 256])
        schedule.bind(outer, "blockIdx.x")
        schedule.bind(inner, "threadIdx.x")
    return schedule.mod["main"]


def gpu_code(lowered: Any, gpu: Gpu) -> CudaCode:
    """Builds the lowered module; the kernels stay source, which the runtime compiles for the GPU it finds."""
    tvm = load_tvm()
    executable = tvm.compile(lowered, gpu.target, relax_pipeline=None)
    source = "\n".join(_sources(executable.mod))
    return CudaCode(executable, source, gpu)


def _sources(module: Any) -> list[str]:
    own = [module.inspect_source()] if module.kind == "cuda" else []
    return own + [text for other in module.imports for text in _sources(other)]


def cubin(source: str, gpu: Gpu) -> bytes:
    """Machine code of the kernels. Raises `MissingPart` without `nvcc`, or as it fails."""
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        raise MissingPart("compiling CUDA takes nvcc, and there is none", "install NVIDIA's CUDA toolkit")
    with tempfile.TemporaryDirectory(prefix="cnndsl-") as folder:
        text, code = Path(folder) / "kernels.cu", Path(folder) / "kernels.cubin"
        text.write_text(source, "utf-8")
        order = [nvcc, "-O3", f"-arch={gpu.arch}", "--cubin", "-o", str(code), str(text)]
        done = subprocess.run(order, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MissingPart(
                f"nvcc could not compile the kernels for {gpu.arch}: {done.stderr.strip().splitlines()[-1:]}",
                "see which architectures it knows: `nvcc --list-gpu-arch`",
            )
        return code.read_bytes()
