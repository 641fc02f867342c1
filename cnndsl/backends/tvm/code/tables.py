"""The tables of a network for the driver, as C: `plan.h` says what is in them."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Several
from dataclasses import replace

import numpy as np

from cnndsl.backends.tvm.code.sequence import Array, Sequence
from cnndsl.diagnostics.errors import MissingPart

SLOTS = {
    "launch": "__TVMBackendParallelLaunch",
    "allocate": "__TVMBackendAllocWorkspace",
    "release": "__TVMBackendFreeWorkspace",
}
"""The variables through which kernels call the driver."""

_CODES = {"i": 0, "u": 1, "f": 2, "b": 6}
"""DLPack's codes of types, by NumPy's kinds."""
_MEMORY = {
    "constant": "IN_CONSTANT",
    "input": "IN_INPUT",
    "library": "IN_LIBRARY",
    "output": "IN_OUTPUT",
    "room": "IN_ROOM",
}
_MOST = 1 << 16
"""Tensors are numbered in two bytes."""


def tables(
    sequence: Sequence, keys: Several[str], inputs: Several[str], outputs: Several[str], slots: Iterable[str]
) -> str:
    """The C source of `network_plan`: `keys` are those of the constants in the file of weights, `inputs` and `outputs` the
    names in the program, `slots` those of `SLOTS` that the kernels have. Raises `MissingPart`."""
    if max(len(sequence.tensors), len(sequence.constants)) >= _MOST:
        raise MissingPart("the network has too many tensors", "compile with `--runtime tvm`, and tell us")
    shapes = _Numbers()
    arrays = [
        *map(_renamed, sequence.inputs, inputs),
        *map(_renamed, sequence.outputs, outputs),
        *map(_renamed, sequence.constants, keys),
    ]
    array_rows = [
        f"{{{text(a.name)}, {text(a.dtype)}, {shapes.at(a.shape)}, {len(a.shape)}, {a.size}u}}" for a in arrays
    ]
    tensor_rows = []
    for tensor in sequence.tensors:
        dtype = np.dtype(tensor.dtype)
        code, bits = _CODES[dtype.kind], 8 * dtype.itemsize
        tensor_rows.append(
            f"{{{tensor.offset}u, {shapes.at(tensor.shape)}, {tensor.number}, {_MEMORY[tensor.memory]}, "
            f"{len(tensor.shape)}, {code}, {bits}}}"
        )
    arguments: list[str] = []
    call_rows = []
    for call in sequence.calls:
        call_rows.append(f"{{{_symbol(call.function)}, {len(arguments)}, {len(call.arguments)}}}")
        arguments += map(str, call.arguments)
    functions = "".join(f"extern kernel {name};\n" for name in sorted({_symbol(c.function) for c in sequence.calls}))
    slots = set(slots)
    variables = "".join(f"extern {kind}_function *{name};\n" for kind, name in SLOTS.items() if name in slots)
    has = ", ".join(f".{kind} = &{name}" for kind, name in SLOTS.items() if name in slots)
    counts = {
        "inputs": len(sequence.inputs), "outputs": len(sequence.outputs), "constants": len(sequence.constants),
        "tensors": len(sequence.tensors), "calls": len(sequence.calls), "arguments": len(arguments),
        "copies": len(sequence.copies), "room": sequence.room,
    }  # fmt: skip
    numbers = ", ".join(f".{name} = {count}u" for name, count in counts.items())
    return (
        f'#include "plan.h"\n\n{functions}{variables}'
        f"{_table('int64_t', 'shapes', [', '.join(map(str, shapes.all)) or '0'])}"
        f"{_table('network_array', 'arrays', array_rows)}"
        f"{_table('planned_tensor', 'tensors', tensor_rows)}"
        f"{_table('uint16_t', 'arguments', [', '.join(arguments) or '0'])}"
        f"{_table('planned_call', 'calls', call_rows)}"
        f"{_table('planned_copy', 'copies', (f'{{{tensor}, {output}}}' for tensor, output in sequence.copies))}"
        f"{''.join(map(_held, range(len(sequence.held)), sequence.held))}"
        f"{_table('uint64_t *const', 'held', (f'held_{i}' for i in range(len(sequence.held))))}"
        f"const plan network_plan = {{{numbers}, .arrays = arrays, .held = held, .tensor = tensors, .call = calls, "
        f".argument = arguments, .copy = copies{', ' if has else ''}{has}}};\n"
    )


class _Numbers:
    """One table of the lengths of all axes, in which equal shapes are the same place."""

    def __init__(self) -> None:
        self.all: list[int] = []
        self._places: dict[tuple[int, ...], int] = {}

    def at(self, shape: tuple[int, ...]) -> str:
        if shape not in self._places:
            self._places[shape] = len(self.all)
            self.all += shape
        return f"shapes + {self._places[shape]}"


def _renamed(array: Array, name: str) -> Array:
    return replace(array, name=name)


def _held(number: int, content: bytes) -> str:
    """An array of the library's own, as words of eight bytes: every processor has the least significant one first."""
    words = np.frombuffer(content + bytes(-len(content) % 8), "<u8")
    return f"static const _Alignas(64) uint64_t held_{number}[] = {{{', '.join(f'{word:#x}u' for word in words.tolist()) or '0'}}};\n"


def _symbol(function: str) -> str:
    return f"__tvm_ffi_{function}"


def _table(type: str, name: str, rows: Iterable[str]) -> str:
    # C has no tables without rows: a last one that nobody counts.
    return f"static const {type} {name}[] = {{\n" + "".join(f"  {row},\n" for row in (*rows, _LAST[type])) + "};\n"


_LAST = {
    "int64_t": "0", "uint16_t": "0", "uint64_t *const": "0", "network_array": "{0}", "planned_tensor": "{0}", "planned_call": "{0}",
    "planned_copy": "{0, 0}",
}  # fmt: skip


def text(value: str) -> str:
    """A string of C that holds the text in UTF-8, whatever is in it."""
    signs = (chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in value.encode())
    return f'"{"".join(signs)}"'
