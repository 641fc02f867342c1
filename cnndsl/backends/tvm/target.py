"""The processor that code is made for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cnndsl.backends.tvm.library import load_tvm
from cnndsl.errors import CnnError, Diagnostic


@dataclass(frozen=True)
class Cpu:
    """A processor by LLVM's name, and what kernels need to know of it."""

    name: str
    triple: str
    lanes: int
    """float32 numbers in one vector register."""
    registers: int
    """Vector registers."""

    @property
    def target(self) -> Any:
        return load_tvm().target.Target({"kind": "llvm", "mcpu": self.name, "mtriple": self.triple})


def find_cpu(text: str) -> Cpu:
    """`llvm` is this machine; `llvm:x86-64-v3` one of LLVM's processors of the same family. Raises `CnnError`."""
    codegen = load_tvm().target.codegen
    kind, _, name = text.partition(":")
    triple = codegen.llvm_get_system_triple()
    name = name or codegen.llvm_get_system_cpu()
    if kind != "llvm" or not codegen.llvm_is_valid_cpu(name, triple):
        raise CnnError(
            [
                Diagnostic(
                    id="unknown-target",
                    message=f"there is no target {json.dumps(text)}",
                    notes=("expected `llvm` for this machine or `llvm:CPU` with LLVM's name of a processor",),
                    help="write `llvm`, or for any recent x86 server `llvm:x86-64-v4`",
                )
            ]
        )
    target = load_tvm().target.Target({"kind": "llvm", "mcpu": name, "mtriple": triple})
    if codegen.llvm_cpu_has_features("avx512f", target):
        return Cpu(name, triple, lanes=16, registers=32)
    if codegen.llvm_cpu_has_features("avx2", target):
        return Cpu(name, triple, lanes=8, registers=16)
    return Cpu(name, triple, lanes=4, registers=16 if triple.startswith("x86") else 32)
