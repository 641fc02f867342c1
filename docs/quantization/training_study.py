"""What training with rounded numbers gains over quantising afterwards: python training_study.py [PAGE]

Each network is trained in float32, and from there in three ways: quantised at once; trained on in float32 for the same few epochs and
then quantised; and trained on with `--quantize`. All are measured on the same examples, which none has learnt from. The table is
printed, or takes the place of the one between the two marks of PAGE.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import cnndsl
from cnndsl.training.trained.recogniser import Recogniser

SEEDS = (0, 1)
EPOCHS, MORE = 10, 3
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
PLAIN = """input 1×8×8
Conv3x3(16) → BN → ReLU → Conv3x3(32) → BN → ReLU → MaxPool → Conv3x3(32) → BN → ReLU → GlobalAvgPool → FC(10)"""
MOBILE = """input 1×8×8
block Inverted(wide, out, stride=1) {
  Conv1x1(wide) → BN → HardSwish → DWConv3x3(stride=stride) → BN → HardSwish
  → mul{ id | GlobalAvgPool → Conv1x1(8) → ReLU → Conv1x1(wide) → HardSigmoid } → Conv1x1(out) → BN
}
Conv3x3(8) → BN → HardSwish → Inverted(24, 8) → Inverted(32, 12, stride=2) → Inverted(48, 12) → Inverted(48, 16)
→ Conv1x1(64) → BN → HardSwish → GlobalAvgPool → FC(10)"""
NARROW = MOBILE.replace("Conv3x3(8)", "Conv3x3(4)").replace("(24, 8)", "(8, 4)").replace("(32, 12, s", "(12, 6, s").replace(
    "(48, 12)", "(16, 6)").replace("(48, 16)", "(16, 8)").replace("Conv1x1(64)", "Conv1x1(16)")  # fmt: skip


def main(page: Path | None = None) -> None:
    lines = [
        "| network | parameters | learns from | in float32 | quantised | 3 epochs more, quantised | 3 epochs with `--quantize` |",
        "|---|--:|---|--:|--:|--:|--:|",
    ]
    with TemporaryDirectory() as name:
        folder = Path(name)
        for row in rows(folder):
            lines.append(row)
            print(row, file=sys.stderr, flush=True)
    table = "\n".join(lines) + "\n"
    if page is None:
        print(table)
        return
    head, _, rest = page.read_text("utf-8").partition(BEGIN)
    page.write_text(f"{head}{BEGIN}{table}{END}{rest.partition(END)[2]}", "utf-8")


def rows(folder: Path) -> Iterator[str]:
    """One for each network and what it learns from: means over the seeds."""
    run([sys.executable, str(Path(__file__).parents[1] / "transfer" / "data.py"), str(folder)], check=True)
    five = {called: text.replace("FC(10)", "FC(5)") for called, text in (("plain", PLAIN), ("narrow mobile", NARROW))}
    for called, text, data in (
        ("plain", PLAIN, "digits"),
        ("narrow mobile", NARROW, "digits"),
        ("plain", five["plain"], "new-10-{seed}.npz"),
        ("narrow mobile", five["narrow mobile"], "new-10-{seed}.npz"),
        ("small mobile", MOBILE, "digits"),
    ):
        net = cnndsl.parse(text, called.replace(" ", "_"))
        found = [measured(net, folder / f"{called}, {data.partition('-')[0]}", data, folder, seed) for seed in SEEDS]
        learnt = "all digits" if data == "digits" else "10 examples of each of 5 to 9"
        cells = [f"{100 * np.mean(column):.2f} %" for column in zip(*found, strict=True)]
        yield f"| {called} | {net.params:,} | {learnt} | {' | '.join(cells)} |"


def measured(net: cnndsl.Network, runs: Path, data: str, folder: Path, seed: int) -> list[float]:
    """The accuracies of a row, for one seed; `runs` are written there, and `data` lies in `folder`."""
    where = data if data == "digits" else str(folder / data.format(seed=seed))
    held_out = (0.2, seed) if data == "digits" else None
    options: dict[str, Any] = {"data": where, "seed": seed, "augment": ()}
    if data != "digits":
        # They begin as networks that know the other five digits.
        old = net.train(str(folder / "old.npz"), folder=runs / f"old-{seed}", epochs=EPOCHS, seed=seed)
        options |= {"init": str(old.run.best), "batch": 8}
    first = net.train(**options, folder=runs / f"first-{seed}", epochs=EPOCHS)
    again = options | {"init": str(first.run.best), "lr": 0.0005, "epochs": MORE}
    more = net.train(**again, folder=runs / f"more-{seed}")
    aware = net.train(**again, quantize=MORE, folder=runs / f"aware-{seed}")
    found = []
    for one in (first, more):
        table = net.quantize(one.run.weights(), one.run.folder).quantization
        report = Recogniser.of_run(one.run).evaluate(where, held_out, table)
        found += [report.accuracy, report.quantized or 0.0]
    assert aware.quantized is not None
    return [found[0], found[1], found[3], aware.quantized["val_accuracy"]]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
