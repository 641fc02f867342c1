"""The whole network as C source that needs a C compiler and nothing else: no TVM, no LLVM, no Python."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.code.alone import Ports
from cnndsl.backends.tvm.code.c_writer import TYPES, CFunction, literal
from cnndsl.backends.tvm.code.linking import compiler, linker
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.diagnostics.errors import MissingPart
from cnndsl.ir.written import sizes

if TYPE_CHECKING:
    import numpy as np

OPTIONS = ("-O2", "-std=c11", "-fno-math-errno")
"""No instructions that only some processors have: a package runs on every processor of its family. With -O3 GCC keeps
the sums of a convolution in memory, which makes it 20 times slower."""

HEADER = """\
/* {name}: {batch} example{s} in one run.
 *
 * Build:  cc -O2 -std=c11 -march=native -fopenmp -shared -fPIC -o {library} {stem}.c -lm
 * (without -fopenmp it runs on one core; -march=native makes it fast here and unfit for older processors)
 *
 * constants: the arrays below in this order, from weights.safetensors; inputs and outputs in the order below.
 * Every array starts at a multiple of 64 bytes, and so does `workspace`, of network_workspace_bytes().
 * network_array_bytes(i) is the size of an array: of all constants, then all inputs, then all outputs; 0 behind the last.
{ports}
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define UNROLL(n) PRAGMA(clang loop unroll(full))
#elif defined(__GNUC__)
#define UNROLL(n) PRAGMA(GCC unroll n)
#else
#define UNROLL(n)
#endif
#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

static inline float float_of_bits(int32_t bits) {{
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}}

static inline int32_t bits_of_float(float value) {{
  int32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}}

"""


@dataclass(frozen=True)
class CCode:
    """C source of a network, and how many examples, inputs and outputs one run has."""

    text: str
    batch: int
    inputs: tuple[dict[str, Any], ...]
    outputs: tuple[dict[str, Any], ...]

    def check_linker(self) -> None:
        """Does nothing: source can be written without a compiler."""

    def runnable(self, constants: Sequence[np.ndarray]) -> predict.Runnable:
        # Once a library is open its file may go, on systems that let go of it.
        with tempfile.TemporaryDirectory(prefix="cnndsl-", ignore_cleanup_errors=True) as folder:
            source, library = Path(folder) / "network.c", Path(folder) / "network.so"
            source.write_text(self.text, "utf-8")
            linker(options=_options())(str(library), [str(source)])
            return predict.c_runnable(str(library), self.inputs, self.outputs, self.batch, constants)

    def write(self, folder: Path, name: str, _ports: Ports) -> str | None:
        stem = Path(name).stem.replace("lib", "network", 1)
        source = folder / f"{stem}.c"
        source.write_text(self.text.replace("@library@", name).replace("@stem@", stem), "utf-8")
        try:
            compiler()
        except MissingPart:
            return None
        linker(options=_options())(str(folder / name), [str(source)])
        return name


def _options() -> tuple[str, ...]:
    """With OpenMP where the compiler has its library: Zig's has not."""
    return OPTIONS if "ziglang" in compiler() else (*OPTIONS, "-fopenmp")


def c_code(lowered: Any, name: str, constants: Sequence[str]) -> CCode:
    """The C source of a module after all of Relax's passes, whose `main` takes inputs and then these constants.

    Raises `MissingPart` for what has no form in C, by name.
    """
    tvm = load_tvm()
    kernels = {
        variable.name_hint: function
        for variable, function in _loops(tvm, lowered).functions_items()
        if isinstance(function, tvm.tirx.PrimFunc)
    }
    functions = {word: CFunction(f"kernel_{re.sub(r'[^A-Za-z0-9_]', '_', word)}", f) for word, f in kernels.items()}
    main = _Main(tvm, lowered["main"], functions, len(constants))
    called = [function.text for word, function in functions.items() if word in main.called]
    batch = int(main.parameters[0].ty.shape.values[0]) if main.inputs else 1
    ports = "\n".join(
        [f" * input {i}: {_port(p)}" for i, p in enumerate(main.parameters[: main.inputs])]
        + [f" * output {i}: {_shape(t)}" for i, t in enumerate(main.output_types)]
        + [
            f" * constant {i}: {key}, {_shape(p.ty)}"
            for i, (key, p) in enumerate(zip(constants, main.constants, strict=True))
        ]
    )
    header = HEADER.format(
        name=name, batch=batch, s="" if batch == 1 else "s", ports=ports, library="@library@", stem="@stem@"
    )
    inputs = tuple(_described(p.ty) for p in main.parameters[: main.inputs])
    outputs = tuple(map(_described, main.output_types))
    return CCode(header + "\n".join(called) + "\n" + main.text, batch, inputs, outputs)


def _described(type: Any) -> dict[str, Any]:
    return {"shape": [int(n) for n in type.shape.values[1:]], "dtype": str(type.dtype)}


def _loops(tvm: Any, lowered: Any) -> Any:
    """The module's kernels as plain loops over flat arrays."""
    t, x = tvm.s_tir.transform, tvm.tirx.transform
    c = tvm.target.Target("c")
    kernels = {v: f for v, f in lowered.functions_items() if isinstance(f, tvm.tirx.PrimFunc)}
    passes = [
        x.BindTarget(c.with_host(c)),
        t.CanonicalizeLoop(),
        t.LowerInitBlock(),
        t.PlanAndUpdateBufferAllocationLocation(),
        t.ConvertBlocksToOpaque(),
        t.CompactBufferAllocation(),
        t.LowerMatchBuffer(),
        t.StmtSimplify(),
        t.AnnotateIrregularLoop(),
        t.LowerOpaqueBlock(),
        x.FlattenBuffer(),
        x.NarrowDataType(32),
        t.LoopPartition(),
        t.HoistIfThenElse(),
        t.RenormalizeSplitPattern(),
        x.StmtSimplify(),
        x.RemoveNoOp(),
        t.RewriteUnsafeSelect(),
        x.LowerIntrin(),
    ]
    return tvm.ir.transform.Sequential(passes)(tvm.IRModule(kernels))


class _Main:
    """`network_run`: the calls in order, every tensor at its place in one workspace."""

    def __init__(self, tvm: Any, main: Any, functions: dict[str, CFunction], constants: int) -> None:
        self.parameters = list(main.params)
        self.inputs = len(self.parameters) - constants
        self.constants = self.parameters[self.inputs :]
        self.called: set[str] = set()
        self._functions = functions
        self._places: dict[Any, str] = {}
        self.arrays: list[str] = []
        """Definitions of arrays that are neither inputs nor weights."""
        self._storage: dict[Any, int] = {}
        self._total = 0
        for number, parameter in enumerate(self.parameters):
            inside = number < self.inputs
            self._places[parameter] = f"inputs[{number}]" if inside else f"constants[{number - self.inputs}]"
        lines: list[str] = []
        leaving: tuple[Any, ...] = ()
        for block in main.body.blocks:
            for binding in block.bindings:
                if type(binding.value).__name__ == "Tuple":
                    leaving = tuple(binding.value.fields)
                else:
                    lines += self._line(tvm, binding.var, binding.value)
        self.output_types = [value.ty for value in leaving]
        lines += [f"memcpy(outputs[{i}], {self._array(value)}, {_size(value.ty)});" for i, value in enumerate(leaving)]
        scratch = max((functions[word].scratch for word in self.called), default=0)
        lines = [line.replace("@scratch@", f"at({self._total})") for line in lines]
        types = [p.ty for p in (*self.constants, *self.parameters[: self.inputs])] + self.output_types
        sizes = ", ".join([*map(_size, types), "0"])
        self.text = (
            f"EXPORT size_t network_array_bytes(size_t i) {{\n  static const size_t bytes[] = {{{sizes}}};\n"
            f"  return i < {len(types)} ? bytes[i] : 0;\n}}\n\n"
            f"EXPORT size_t network_workspace_bytes(void) {{\n  return {self._total + scratch};\n}}\n\n"
            + "".join(f"{array}\n" for array in self.arrays)
            + "EXPORT void network_run(const void *const *constants, const void *const *inputs, void *const *outputs,\n"
            "                        void *workspace) {\n"
            "#define at(bytes) ((void *)((unsigned char *)workspace + (bytes)))\n"
            "  (void)constants;\n" + "".join(f"  {line}\n" for line in lines) + "#undef at\n}\n"
        )

    def _line(self, tvm: Any, variable: Any, value: Any) -> list[str]:
        kind = type(value).__name__
        if kind == "Var":
            self._alias(variable, value)
            return []
        if kind == "TupleGetItem" or kind != "Call":
            raise _unwritten(kind)
        if isinstance(value.op, tvm.ir.GlobalVar):
            return [self._called(value.op.name_hint, list(value.args))]
        name = str(getattr(value.op, "name", getattr(value.op, "global_symbol", "")))
        match name:
            case "relax.vm.alloc_storage":
                self._storage[variable] = self._place(int(value.args[0].values[0]))
            case "relax.vm.alloc_tensor":
                offset = int(value.args[1].value)
                self._places[variable] = f"at({self._storage[value.args[0]] + offset})"
            case "vm.builtin.reshape":
                self._alias(variable, value.args[0])
            case (
                "relax.null_value"
                | "relax.vm.kill_object"
                | "vm.builtin.check_tensor_info"
                | "vm.builtin.match_shape"
                | "vm.builtin.check_shape_info"
                | "vm.builtin.check_tuple_info"
            ):
                pass
            case other:
                raise _unwritten(other)
        return []

    def _called(self, word: str, arguments: list[Any]) -> str:
        self.called.add(word)
        function = self._functions[word]
        places = [self._array(a) for a in arguments]
        return f"{function.name}({', '.join([*places, '@scratch@'])});"

    def _alias(self, variable: Any, value: Any) -> None:
        self._places[variable] = self._array(value)

    def _array(self, value: Any) -> str:
        """Where an array lies; one that TVM's module holds itself, such as positions that are taken, is written out."""
        if type(value).__name__ == "GenericConst" and value not in self._places:
            numbers, name = value.value.numpy(), f"array_{len(self.arrays)}"
            written = ", ".join(literal(n, str(numbers.dtype)) for n in numbers.ravel().tolist())
            kind = TYPES[str(numbers.dtype)]
            self.arrays.append(f"_Alignas(64) static const {kind} {name}[] = {{{written}}};\n")
            self._places[value] = name
        return self._places[value]

    def _place(self, size: int) -> int:
        start = self._total
        self._total += -(-size // 64) * 64
        return start


def _port(parameter: Any) -> str:
    return f"{parameter.name}, {_shape(parameter.ty)}"


def _shape(type: Any) -> str:
    return f"{sizes(int(n) for n in type.shape.values)} {TYPES[str(type.dtype)]}"


def _size(type: Any) -> str:
    count = 1
    for n in type.shape.values:
        count *= int(n)
    return f"{count} * sizeof({TYPES[str(type.dtype)]})"


def _unwritten(what: str) -> MissingPart:
    return MissingPart(
        f"the network has `{what}`, which is not written as C", "compile with `--target llvm`, and tell us"
    )
