"""Replaces a package while it is read, and is killed at it: `python replacing.py FOLDER KILLS STEPS`.

A child of this process exports two networks by turns over one another, in `STEPS` 1 or 2, and gets SIGKILL at a drawn moment.
Prints JSON: how often each network was loaded meanwhile and after the kills, what was wrong, and how many folders lay beside
the package at most, and after one more export.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from itertools import cycle
from pathlib import Path

import numpy as np

from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.build import build
from cnndsl.disk import folders
from cnndsl.pipeline import parse_text

TEXTS = (
    "input 3×8×8\nConv3x3(8) → ReLU → GlobalAvgPool → FC(4)",
    "input 3×8×8\nConv3x3(8) → Sigmoid → GlobalAvgPool → FC(4)",
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def main(place: Path, kills: int, steps: int) -> None:
    if steps == 2:
        folders._swap = lambda one, other: False
    packages = [build(parse_text(text).graph, seed=seed) for seed, text in enumerate(TEXTS)]
    x = np.random.default_rng(0).standard_normal((1, 3, 8, 8), np.float32)
    expected = [package(x) for package in packages]
    for package in packages:
        package.export(place)
    draw, most = random.Random(0), 0
    wrong: list[str] = []
    seen = [0] * len(packages)

    def look() -> None:
        """Whatever lies in the place is whole and gives the numbers of the one network or the other."""
        try:
            network = predict.load(place)
            network.self_test()
            whose = [np.array_equal(network(x), y) for y in expected]
            seen[whose.index(True)] += 1
        except (ValueError, predict.DamagedError, predict.UnsuitableError) as error:
            wrong.append(str(error))

    look()
    for _ in range(kills):
        order = cycle(draw.sample(packages, len(packages)))
        child = os.fork()
        if not child:
            for package in order:
                package.export(place)
        until = time.monotonic() + draw.random() * 0.8
        while time.monotonic() < until:
            if steps == 1:
                look()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if steps == 2:
            # In two steps the place can be empty for a moment; the next that writes there finds what stepped aside.
            folders._clear(place)
        look()
        most = max(most, len(names(place.parent)) - 1)
    packages[0].export(place)
    look()
    print(json.dumps([seen, wrong[:10], most, len(names(place.parent)) - 1]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
