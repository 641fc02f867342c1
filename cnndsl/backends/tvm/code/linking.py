"""Object files and C sources → a shared library, by whatever compiler there is."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from cnndsl.diagnostics.errors import MissingPart

Link = Callable[[str, Sequence[str]], None]
"""`link(library, files)`."""

_NAMES = ("cc", "gcc", "clang", "c++", "g++", "clang++")


_ZIG = {"linux": "{}-linux-gnu", "darwin": "{}-macos", "win32": "{}-windows-gnu", "wasm": "wasm32-wasi"}
"""Zig's names of what it compiles for, by system."""


def compiler(architecture: str = "", system: str = "") -> tuple[str, ...]:
    """The command of a C compiler for an architecture and a system (by `sys.platform`, or `wasm`), or for this machine: `$CXX` or `$CC`, the system's, a
    cross compiler by its usual name, or Zig's from the Python package `ziglang`. Raises `MissingPart`."""
    elsewhere = system not in ("", sys.platform)
    native = architecture in ("", own_architecture()) and not elsewhere
    if native:
        given = next((shlex.split(os.environ[name]) for name in ("CXX", "CC") if os.environ.get(name)), [])
        if given and shutil.which(given[0]):
            return tuple(given)
    names = _NAMES if native else tuple(f"{architecture}-linux-gnu-{name}" for name in ("gcc", "g++"))
    if not elsewhere and (found := next((path for name in names if (path := shutil.which(name))), None)):
        return (found,)
    if find_spec("ziglang"):
        zig = (sys.executable, "-m", "ziglang", "cc")
        return zig if native else (*zig, "-target", _ZIG[system or "linux"].format(architecture))
    if elsewhere:
        raise MissingPart(f"linking a package for {system} takes Zig's C compiler", "install it: `pip install ziglang`")
    package = "apt install gcc" if native else f"apt install gcc-{architecture.replace('_', '-')}-linux-gnu"
    what = "a C compiler" if native else f"a C compiler for {architecture}"
    raise MissingPart(
        f"linking a package takes {what}, and there is none",
        f"install one: `{package}`, or `pip install ziglang`, which brings one",
    )


def own_architecture() -> str:
    """This machine's, as LLVM calls it."""
    machine = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)


def linker(architecture: str = "", options: Sequence[str] = (), system: str = "") -> Link:
    """A function that links files to a shared library, or what is one on that system. Raises `MissingPart` when there is no compiler, or as it
    fails."""
    command = compiler(architecture, system)
    shared = () if system == "wasm" else ("-shared", "-fPIC")

    def link(library: str, files: Sequence[str]) -> None:
        # The math library is named where it is needed: what loads the package need not have it open.
        _run([*command, *options, *shared], ["-o", library, *files, "-lm"], Path(library))

    return link


def object_files(architecture: str, system: str, options: Sequence[str], sources: Sequence[Path]) -> list[bytes]:
    """C sources as object files for a shared library. Raises `MissingPart`."""
    command = compiler(architecture, system)
    made = []
    with tempfile.TemporaryDirectory(prefix="cnndsl-") as folder:
        for source in sources:
            result = Path(folder) / f"{source.stem}.o"
            # A compiler for C++ is told that this is C.
            _run([*command, *options, "-fPIC", "-c"], ["-x", "c", str(source), "-o", str(result)], result)
            made.append(result.read_bytes())
    return made


def _run(command: Sequence[str], rest: Sequence[str], result: Path) -> None:
    """Runs a compiler. Raises `MissingPart`, which repeats what it said, where it fails."""
    done = subprocess.run([*command, *rest], capture_output=True, text=True, check=False)
    if done.returncode or not result.is_file():
        lines = (done.stderr or done.stdout).strip().splitlines()
        # GCC ends with a line that says no more than that the linker failed.
        said = [line for line in lines if not line.startswith("collect2:")]
        raise MissingPart(
            f"{Path(command[0]).name} could not link the package: {said[-1] if said else done.returncode}",
            f"see that this works: `{shlex.join(command)}`",
        )


def tvm_linker(architecture: str) -> Link:
    """The same for `export_library` of TVM, which asks for object files by an attribute."""
    link = linker(architecture)
    link.object_format = "o"  # type: ignore[attr-defined]
    return link
