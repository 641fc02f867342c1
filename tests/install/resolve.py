"""Whether what we depend on can be installed, from wheels alone: `python tests/install/resolve.py`, or `make nightly`.

`uv` looks up what `pip install '.[all]'` would take on each system and Python. Nothing is installed, and no package is run. It ends with 1
where a package has no wheel, and names it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = {
    "Linux x86-64": {"all": "x86_64-manylinux_2_28", "dev": "x86_64-manylinux_2_28"},
    # OpenVINO, which `.[dev]` takes as a peer, needs a C library of 2022 on this processor.
    "Linux aarch64": {"all": "aarch64-manylinux_2_28", "dev": "aarch64-manylinux_2_35"},
    "macOS 14 on Apple silicon": {"all": "aarch64-apple-darwin", "dev": "aarch64-apple-darwin"},
    "Windows x86-64": {"all": "x86_64-pc-windows-msvc", "dev": "x86_64-pc-windows-msvc"},
}
"""The systems that the README names; for each extra the name by which `uv` knows the oldest that will do."""
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
AT_ONCE = 8
"""Look-ups side by side: nearly all of their time goes by in waiting for the registry."""


@dataclass(frozen=True)
class Wish:
    """One way to install the package."""

    system: str
    python: str
    extra: str
    pinned: bool

    def __str__(self) -> str:
        return f".[{self.extra}] on {self.system}, Python {self.python}{', as pinned' if self.pinned else ''}"


def wishes() -> Iterator[Wish]:
    for system, python, extra in product(SYSTEMS, PYTHONS, ("all", "dev")):
        yield Wish(system, python, extra, pinned=True)
    # What somebody gets who has not our pins; who works on the house has them.
    for system, python in product(SYSTEMS, PYTHONS):
        yield Wish(system, python, "all", pinned=False)


def missing(wish: Wish) -> str | None:
    """What uv says is lacking; None where every package has a wheel."""
    command = [
        sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--only-binary", ":all:",
        "--extra", wish.extra, "--python-platform", SYSTEMS[wish.system][wish.extra], "--python-version", wish.python,
        "pyproject.toml", *(["--constraint", "constraints.txt"] if wish.pinned else []),
    ]  # fmt: skip
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)
    return None if done.returncode == 0 else done.stderr.strip()


if __name__ == "__main__":
    asked = list(wishes())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        lacking = dict(zip(asked, pool.map(missing, asked), strict=True))
    for wish, what in lacking.items():
        print(f"{wish}: {'every package has a wheel' if what is None else what}")
    sys.exit(any(lacking.values()))
