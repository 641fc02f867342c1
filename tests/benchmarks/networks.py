"""Networks against other engines: a document for each under docs/performance/, and docs/performance.md from them all.

Run by `make bench`. Each network has a process of its own, so that a crash or a hang costs one row. A document that was made on
this machine and is younger than all sources is kept, so that an interrupted run goes on where it was; `BENCH="resnet18 m5"` measures
just these anew, `FRESH=1` all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cnndsl.benchmarking.bench_report import BenchReport
from cnndsl.benchmarking.machine import model
from cnndsl.disk.files import write_atomically
from tests.benchmarks.page import page

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "performance"
_PATIENCE_S = 300
"""Until a network is given up. Most take about a minute: the rounds a third of it, `torch.compile` as much."""


@dataclass(frozen=True)
class Entry:
    """A network and how it is run; `target` is the most that our time may be of OpenVINO's."""

    name: str
    target: float
    network: str = ""
    options: tuple[str, ...] = ()

    @property
    def document(self) -> Path:
        return FOLDER / f"{self.name}.json"

    @property
    def command(self) -> list[str]:
        options = ["--kernels", "--format", "json", *self.options]
        return [sys.executable, "-m", "cnndsl", "bench", self.network or self.name, *options]


SUITE = (
    Entry("resnet18", 0.75),
    Entry("resnet50", 0.87),
    Entry("mobilenet_v2", 0.92),
    Entry("vgg16", 0.50),
    Entry("densenet121", 1.0),
    Entry("inception_v3", 1.0),
    Entry("efficientnet_b0", 1.0),
    Entry("squeezenet1_1", 1.0),
    Entry("shufflenet_v2_x1_0", 1.0),
    Entry("convnext_tiny", 1.0),
    Entry("unet-256", 1.0, "unet", ("--input", "1x256x256")),
    Entry("resnet50-299", 1.0, "resnet50", ("--input", "3x299x299")),
    Entry("resnet50-batch8", 1.0, "resnet50", ("--batch", "8")),
    Entry("r3d_18", 1.0),
    Entry("m5", 1.0),
)


def main() -> int:
    wanted = os.environ.get("BENCH", "").split()
    if unknown := set(wanted) - {entry.name for entry in SUITE}:
        print(
            f"no network of the suite is called {min(unknown)}; there are {' '.join(e.name for e in SUITE)}",
            file=sys.stderr,
        )
        return 2
    failed = []
    for entry in SUITE:
        if (wanted and entry.name not in wanted) or (not wanted and not os.environ.get("FRESH") and is_current(entry)):
            continue
        print(f"{entry.name}: {' '.join(entry.command[3:])}", flush=True)
        if reason := measure(entry):
            failed.append(entry.name)
            print(f"{entry.name}: {reason}", file=sys.stderr)
    reports = {e.name: (e.target, read(e)) for e in SUITE if e.document.exists()}
    if reports:
        write_atomically(ROOT / "docs" / "performance.md", page(reports))
    return 1 if failed else 0


def measure(entry: Entry) -> str | None:
    """Writes the network's document. What went wrong, where something did; an older document then stays."""
    try:
        done = subprocess.run(
            entry.command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end after {_PATIENCE_S} s"
    if done.returncode:
        return f"exit code {done.returncode}: {done.stderr.strip().splitlines()[-1:]}"
    write_atomically(entry.document, done.stdout)
    for row in BenchReport.model_validate_json(done.stdout).rows:
        print(f"  {row.engine:<14} {row.p50_ms:>9.3f} ms  ours/theirs {row.ratio:.3f}  error {row.max_rel_error:.1e}")
    return None


def read(entry: Entry) -> BenchReport:
    return BenchReport.model_validate_json(entry.document.read_bytes())


def is_current(entry: Entry) -> bool:
    """Whether the document is of this machine and younger than every source."""
    try:
        found = json.loads(entry.document.read_bytes())["machine"]["cpu"]
        made = entry.document.stat().st_mtime
    except (OSError, ValueError, KeyError):
        return False
    newest = max(file.stat().st_mtime for file in (ROOT / "cnndsl").rglob("*.py"))
    return bool(found == model() and made > newest)


if __name__ == "__main__":
    sys.exit(main())
