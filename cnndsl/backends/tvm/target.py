"""What code is made for: processors by LLVM's names, C source, NVIDIA GPUs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from cnndsl.backends.tvm.library import load_tvm
from cnndsl.diagnostics.errors import CnnError, fault

PORTABLE = ("x86-64-v2", "x86-64-v3", "x86-64-v4")
"""The levels of x86 that a portable package holds: vectors of 4, 8 and 16 numbers."""

# LLVM's names of the instructions that kernels may use → Linux's names, as in /proc/cpuinfo. Instructions that all
# 64-bit processors of a family have are left out, and so are LLVM's hints about speed.
_FEATURES = {
    "x86_64": {
        "sse3": "pni", "ssse3": "ssse3", "sse4.1": "sse4_1", "sse4.2": "sse4_2", "popcnt": "popcnt", "avx": "avx",
        "avx2": "avx2", "fma": "fma", "f16c": "f16c", "bmi": "bmi1", "bmi2": "bmi2", "lzcnt": "abm", "movbe": "movbe",
        "avx512f": "avx512f", "avx512bw": "avx512bw", "avx512cd": "avx512cd", "avx512dq": "avx512dq",
        "avx512vl": "avx512vl", "avx512ifma": "avx512ifma", "avx512vbmi": "avx512vbmi", "avx512vbmi2": "avx512_vbmi2",
        "avx512vnni": "avx512_vnni", "avx512bitalg": "avx512_bitalg", "avx512vpopcntdq": "avx512_vpopcntdq",
        "avx512bf16": "avx512_bf16", "avx512fp16": "avx512_fp16", "avxvnni": "avx_vnni",
    },
    "aarch64": {
        "neon": "asimd", "fullfp16": "asimdhp", "dotprod": "asimddp", "lse": "atomics", "bf16": "bf16",
        "i8mm": "i8mm", "sve": "sve", "sve2": "sve2",
    },
}  # fmt: skip

_UNTOLD = ("avx512bf16",)
"""Instructions that kernels ask for by name. LLVM knows the processor at hand by family and model, and takes one that a
hypervisor describes in another way for an older one, with fewer instructions than the system lists."""

Spelled = dict[str, str | list[str]]


@dataclass(frozen=True)
class Cpu:
    """A processor by LLVM's name, with what kernels need to know of it; of `kind` c it is any that has a C compiler."""

    name: str
    triple: str
    lanes: int
    """float32 numbers in one vector register."""
    registers: int
    """Vector registers."""
    kind: Literal["llvm", "c"] = "llvm"
    more: tuple[str, ...] = ()
    """Instructions by LLVM's names that it has besides those that LLVM knows of its name."""
    told: tuple[str, ...] | None = field(default=None, compare=False)
    """Its `features` where they were written down: nobody need ask LLVM."""

    @property
    def target(self) -> Any:
        # LLVM would warn that it takes this width by itself.
        width = {"vector-width": 128} if self.system == "wasm" else {}
        return load_tvm().target.Target({**self.spelled, **width})

    @property
    def architecture(self) -> str:
        """`x86_64`, `aarch64`, … as in the triple, arm64 by its other name."""
        first = self.triple.partition("-")[0]
        return "aarch64" if first == "arm64" else first

    @property
    def system(self) -> str:
        """`sys.platform` of the systems in the triple, and `wasm`."""
        for word, system in (("darwin", "darwin"), ("macos", "darwin"), ("windows", "win32"), ("wasm32", "wasm")):
            if word in self.triple:
                return system
        return "linux"

    @property
    def features(self) -> tuple[str, ...]:
        """What a machine must have to run the code, by Linux's names, in order."""
        if self.kind == "c":
            return ()
        if self.told is not None:
            return self.told
        has = set(load_tvm().target.codegen.llvm_get_cpu_features(self.target))
        names = _FEATURES.get(self.architecture, {})
        return tuple(sorted(linux for llvm, linux in names.items() if llvm in has))

    @property
    def spelled(self) -> Spelled:
        """For the manifest: what TVM needs to make the target again."""
        if self.kind == "c":
            return {"kind": "c"}
        more: Spelled = {"mattr": [f"+{name}" for name in self.more]} if self.more else {}
        return {"kind": "llvm", "mcpu": self.name, "mtriple": self.triple, **more}


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU by its architecture, `sm_80`."""

    arch: str

    @property
    def name(self) -> str:
        return self.arch

    @property
    def target(self) -> Any:
        return load_tvm().target.Target({"kind": "cuda", "arch": self.arch}, host="llvm")

    @property
    def spelled(self) -> Spelled:
        return {"kind": "cuda", "arch": self.arch}


C_SOURCE = Cpu("c", "", lanes=8, registers=16, kind="c")
"""Eight numbers side by side: what compilers make good code of for any vectors of 4, 8 or 16."""


def find_targets(text: str) -> tuple[Cpu, ...] | Gpu:
    """The processors that `text` names, one or several for one package, or a GPU.

    `llvm` is this machine; `llvm:CPU` or plain `CPU` is one of LLVM's processors; `aarch64` and `aarch64:CPU` are
    Linux on 64-bit Arm; `wasm32` is WebAssembly with its vectors; `portable` is `x86-64-v2,x86-64-v3,x86-64-v4`; `c` is C source; `cuda:sm_80` a GPU. Raises
    `CnnError` (unknown-target).
    """
    if match := re.fullmatch(r"cuda:(sm_[0-9]{2,3}[af]?)", text):
        return Gpu(match[1])
    if text == "c":
        return (C_SOURCE,)
    names = PORTABLE if text == "portable" else tuple(name.strip() for name in text.split(","))
    cpus = tuple(dict.fromkeys(find_cpu(name) for name in names))
    if len({cpu.architecture for cpu in cpus}) > 1:
        raise _unknown(text, ("one package is for processors of one family",))
    return cpus


def find_cpu(text: str) -> Cpu:
    """One processor; the words are those of `find_targets`. Raises `CnnError` (unknown-target)."""
    codegen = load_tvm().target.codegen
    triple, named = _spelled(text)
    triple = triple or codegen.llvm_get_system_triple()
    name = named or codegen.llvm_get_system_cpu()
    if not codegen.llvm_is_valid_cpu(name, triple):
        raise _unknown(text)
    cpu = Cpu(name, triple, lanes=4, registers=16 if triple.startswith(("x86", "wasm")) else 32)
    if cpu.system == "wasm":
        return replace(cpu, more=("simd128", "bulk-memory"))
    if codegen.llvm_cpu_has_features("avx512f", cpu.target):
        cpu = replace(cpu, lanes=16, registers=32)
    elif codegen.llvm_cpu_has_features("avx2", cpu.target):
        cpu = replace(cpu, lanes=8)
    if named:
        return cpu
    # Only who asks for this machine pays for NumPy, which the file imports that packages take with them.
    from cnndsl.backends.tvm.predict import cpu_features

    return replace(cpu, more=untold(cpu, cpu_features() or frozenset()))


def untold(cpu: Cpu, listed: frozenset[str]) -> tuple[str, ...]:
    """The instructions, by LLVM's names, that a system `listed` by Linux's names and LLVM does not know of the processor."""
    names, known = _FEATURES.get(cpu.architecture, {}), cpu.features
    return tuple(name for name in _UNTOLD if cpu.lanes == 16 and names.get(name) in listed.difference(known))


def _spelled(text: str) -> tuple[str, str]:
    """LLVM's triple and processor; empty is this machine's."""
    kind, _, name = text.partition(":")
    if text == "wasm32":
        return "wasm32-unknown-unknown", "generic"
    if kind == "aarch64":
        return "aarch64-linux-gnu", name or "generic"
    if kind == "llvm":
        return "", name
    if match := re.fullmatch(r"llvm -mcpu[= ](\S+?)(?: -mtriple[= ](\S+))?", text):
        return match[2] or "", match[1]
    if text.startswith("x86-64") and not load_tvm().target.codegen.llvm_get_system_triple().startswith("x86_64"):
        return "x86_64-linux-gnu", text
    return "", text or "?"


def _unknown(text: str, notes: tuple[str, ...] = ()) -> CnnError:
    if text.partition(":")[0] == "cuda":
        notes = ("a GPU is named by its architecture: `cuda:sm_80`, `cuda:sm_90`",)
    expected = "expected `llvm` for this machine or `llvm:CPU` with LLVM's name of a processor"
    return fault(
        "unknown-target",
        f"there is no target {json.dumps(text)}",
        notes=(expected, "others are `portable`, `aarch64:CPU`, `wasm32`, `c` and `cuda:sm_80`", *notes),
        help="write `llvm`, or for any recent x86 server `llvm:x86-64-v4`",
    )
