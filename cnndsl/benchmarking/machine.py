"""The machine, as far as it matters to speed."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cnndsl.backends.tvm.library import cores
from cnndsl.benchmarking.bench_report import Machine
from cnndsl.version import __version__

_PACKAGES = ("apache-tvm", "torch", "onnxruntime", "openvino", "numpy")


def describe(target: str, cache_bytes: int | None) -> Machine:
    """This machine; `target` is LLVM's name of its processor."""
    versions = {"cnndsl": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return Machine(
        cpu=model(),
        cores=cores(),
        target=target,
        cache_bytes=cache_bytes,
        system=f"{platform.system()} {platform.machine()}",
        versions=versions,
    )


def model() -> str:
    """The processor by its name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
