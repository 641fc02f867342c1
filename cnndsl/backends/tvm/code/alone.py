"""Machine code, the tables of a network and the driver become one library that needs the system's C library alone."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cnndsl.backends.tvm.code.linking import compiler, linker, object_files
from cnndsl.backends.tvm.code.sequence import Sequence
from cnndsl.backends.tvm.code.tables import SLOTS, tables
from cnndsl.backends.tvm.library import cores

DRIVER = Path(__file__).parents[1] / "driver"
"""The driver's sources, which ship beside the code."""

SOURCES = ("network.c", "pool.c", "system.c", "weights.c")

_COMPILED = ("-std=c11", "-O2", "-fvisibility=hidden", "-ffunction-sections", f"-I{DRIVER}")
_ELF = ("-s", "-pthread", "-Wl,-z,defs", "-Wl,-z,nodelete", "-Wl,--build-id=none", "-Wl,--gc-sections")
_LINKED = {
    "wasm": (
        "-mexec-model=reactor", "-s",
        *(f"-Wl,--export={name}" for name in ("network_open_bytes", "network_run", "network_close", "network_error")),
        "-Wl,--export=aligned_alloc", "-Wl,--export=free",
    ),
    "win32": ("-s", "-lapi-ms-win-core-synch-l1-2-0"),
    "darwin": ("-s",),
}  # fmt: skip
"""By system; all others link ELF."""
_EXPORTED = "{ global: network_*; local: *; };\n"
"""Kernels of all packages have the same names, and TVM's runtime, where a process has loaded it, defines what they call."""


@dataclass(frozen=True)
class Ports:
    """What the arrays of a network are called: constants by their key in the file of weights."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: tuple[str, ...]


def write_alone(
    executable: Any, sequence: Sequence, ports: Ports, architecture: str, system: str, library: Path
) -> None:
    """Links the library for an architecture and a system. Raises `MissingPart`."""
    with tempfile.TemporaryDirectory(prefix="cnndsl-") as folder:
        source, objects = parts(executable, sequence, ports, Path(folder))
        exported = Path(folder) / "exported"
        exported.write_text(_EXPORTED, "utf-8")
        ours = [
            *object_files(architecture, system, _COMPILED, [source]),
            *_driver(compiler(architecture, system), architecture, system),
        ]
        for number, content in enumerate(ours):
            path = Path(folder) / f"driver{number}.o"
            path.write_bytes(content)
            objects.append(str(path))
        options = _LINKED.get(system, _ELF)
        options = (*options, f"-Wl,--version-script={exported}") if options is _ELF else options
        linker(architecture, options, system)(str(library), objects)


@cache
def _driver(_command: tuple[str, ...], architecture: str, system: str) -> list[bytes]:
    """The driver as object files: the same for every network, so a process compiles it once with each compiler."""
    return object_files(architecture, system, _COMPILED, [DRIVER / name for name in SOURCES])


def parts(executable: Any, sequence: Sequence, ports: Ports, folder: Path) -> tuple[Path, list[str]]:
    """What a network is beside the driver, written into a folder: the source of its tables, and its kernels as object
    files. Raises `MissingPart`."""
    modules = _kernels(executable.mod)
    paths = [folder / f"kernels{number}.o" for number in range(len(modules))]
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(lambda module, path: module.write_to_file(str(path), "o"), modules, paths))
    contents = [path.read_bytes() for path in paths]
    slots = {name for name in SLOTS.values() if any(name.encode() in content for content in contents)}
    source = folder / "tables.c"
    source.write_text(tables(sequence, ports.constants, ports.inputs, ports.outputs, slots), "utf-8")
    return source, list(map(str, paths))


def _kernels(module: Any) -> list[Any]:
    own = [module] if module.kind == "llvm" else []
    return own + [found for other in module.imports for found in _kernels(other)]
