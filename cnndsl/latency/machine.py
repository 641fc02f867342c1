"""A machine's measurements in a file: what `limits` writes and `summary --latency` reads, here or on another machine."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnndsl.backends.tvm.target import Cpu
from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.disk.files import write_atomically
from cnndsl.latency.features import COLUMNS, Caches
from cnndsl.latency.fit import Family, Measured
from cnndsl.latency.kernels import digest

FORMAT = 1
_MOST = 1 << 24
"""Bytes of a file that is read."""


@dataclass(frozen=True)
class Check:
    """A real network, as it was predicted and as it ran; seconds."""

    network: str
    predicted: float
    measured: float


@dataclass(frozen=True)
class Machine:
    """What is known of a machine. Times are seconds."""

    name: str
    model: str
    """The processor as its system calls it."""
    cpu: Cpu
    threads: int
    caches: Caches
    families: Mapping[str, Family]
    made: str
    """The day, ISO 8601."""
    version: str
    """Of cnndsl."""
    kernels: str
    """The digest of the sources of the kernels that were measured."""
    state: str
    """Where the threads ran: `near`, `half` or `apart` (`STATES`)."""
    references: Mapping[str, float]
    call: float = 0.0
    """Seconds of each call in a network beside its kernel."""
    check: Check | None = None
    rows: Sequence[Measured] = field(default_factory=tuple)

    @property
    def outdated(self) -> bool:
        """Whether kernels have changed since it was measured: its times may be wrong."""
        return self.kernels != digest()

    def to_json(self) -> str:
        """The file's text."""
        cpu = {
            "name": self.cpu.name,
            "triple": self.cpu.triple,
            "lanes": self.cpu.lanes,
            "registers": self.cpu.registers,
            "more": list(self.cpu.more),
            "features": list(self.cpu.features),
        }
        families = {
            name: {
                "coefficients": [float(f"{c:.5g}") for c in f.coefficients],
                "rows": f.rows,
                "median": round(f.median, 4),
                "p90": round(f.p90, 4),
            }
            for name, f in self.families.items()
        }
        head = {
            "format": FORMAT,
            "name": self.name,
            "model": self.model,
            "cpu": cpu,
            "threads": self.threads,
            "caches": vars(self.caches),
            "made": self.made,
            "version": self.version,
            "kernels": self.kernels,
            "state": self.state,
            "references": {name: float(f"{t:.4g}") for name, t in self.references.items()},
            "call": float(f"{self.call:.3g}"),
            "check": None if self.check is None else vars(self.check),
            "columns": list(COLUMNS),
            "families": families,
        }
        rows = [
            json.dumps(
                [m.family, m.kernel, float(f"{m.seconds:.5g}"), [float(f"{x:.7g}") for x in m.row]], ensure_ascii=False
            )
            for m in self.rows
        ]
        text = json.dumps(head, ensure_ascii=False, indent=1)
        lines = ",\n  ".join(rows)
        return f'{text[:-2]},\n "rows": [\n  {lines}\n ]\n}}\n'

    def save(self, path: Path) -> None:
        """Writes the file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, self.to_json())


def folder() -> Path:
    """`cnndsl/machines` in the user's data: `$XDG_DATA_HOME`, else `~/.local/share`."""
    given = os.environ.get("XDG_DATA_HOME", "")
    base = Path(given) if given and Path(given).is_absolute() else Path.home() / ".local" / "share"
    return base / "cnndsl" / "machines"


def here() -> str:
    """The name of this machine: that of its host, in letters, digits and dashes."""
    host = platform.node().partition(".")[0] or "machine"
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in host)


MEANT = "CNNDSL_MACHINE"
"""The environment variable that names the machine which is meant where none is named, or its file."""


def find_machine(name: str | None) -> Machine:
    """The machine of that name, or of that file; by default the one that `MEANT` names, else this one. Raises `CnnError` (not-measured, bad-machine-file)."""
    name = name or os.environ.get(MEANT) or None
    path = _path(name)
    if path is None or not path.is_file():
        asked = "this machine" if name is None else f"`{name}`"
        raise fault(
            "not-measured",
            f"nobody has measured {asked}: how long a network takes there is not known",
            notes=("expected the name under which `cnndsl limits` wrote a machine's file, or that file",),
            help="run `cnndsl limits` on that machine, and name the file that it writes: `--target machine.json`",
        )
    return read_machine(path)


def _path(name: str | None) -> Path | None:
    if name is None or name == "llvm":
        return folder() / f"{here()}.json"
    if name.endswith(".json"):
        return Path(name)
    return folder() / f"{name}.json" if name.replace("-", "").replace("_", "").isalnum() else None


def read_machine(path: Path) -> Machine:
    """The machine of a file. Raises `CnnError` (bad-machine-file)."""
    try:
        if path.stat().st_size > _MOST:
            raise ValueError(f"it has more than {_MOST >> 20} MiB")
        told = json.loads(path.read_text("utf-8"))
        return _machine(told)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _bad(path, error) from None


def _bad(path: Path, error: Exception) -> CnnError:
    why = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error) or "it is something else"
    return fault(
        "bad-machine-file",
        f"{path} is no file of measurements of a machine: {why}",
        notes=(f"expected what `cnndsl limits` writes, format {FORMAT}",),
        help="measure the machine again with `cnndsl limits`",
    )


def _machine(told: Any) -> Machine:
    if told["format"] != FORMAT:
        raise ValueError(f"it is of format {told['format']!r}")
    if tuple(told["columns"]) != COLUMNS:
        raise ValueError("its features are others than those of this version")
    cpu = told["cpu"]
    check = told["check"]
    families = {
        str(name): Family(_numbers(f["coefficients"]), int(f["rows"]), float(f["median"]), float(f["p90"]))
        for name, f in told["families"].items()
    }
    if not families or told["threads"] < 1 or cpu["lanes"] not in (4, 8, 16):
        raise ValueError("it names no threads, no vectors or no kernels")
    return Machine(
        name=str(told["name"]),
        model=str(told["model"]),
        cpu=Cpu(
            str(cpu["name"]),
            str(cpu["triple"]),
            cpu["lanes"],
            int(cpu["registers"]),
            more=tuple(map(str, cpu["more"])),
            told=tuple(map(str, cpu["features"])),
        ),
        threads=int(told["threads"]),
        caches=Caches(*(int(told["caches"][name]) for name in ("own", "near", "far"))),
        families=families,
        made=str(told["made"]),
        version=str(told["version"]),
        kernels=str(told["kernels"]),
        state=str(told["state"]),
        references={str(name): float(t) for name, t in told["references"].items()},
        check=None
        if check is None
        else Check(str(check["network"]), float(check["predicted"]), float(check["measured"])),
        call=float(told["call"]),
        rows=tuple(Measured(str(f), _numbers(row), float(s), str(kernel)) for f, kernel, s, row in told["rows"]),
    )


def _numbers(values: Any) -> tuple[float, ...]:
    found = tuple(map(float, values))
    if len(found) != len(COLUMNS) or not all(0 <= x < float("inf") for x in found):
        raise ValueError("a row has other numbers than its columns")
    return found
