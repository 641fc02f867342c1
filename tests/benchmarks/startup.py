"""Start-up: whole processes of `cnndsl`, against one that only imports torch. Run by `make bench`.

The commands take turns, so that a busy machine slows all of them alike; medians are of wall time and of CPU time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median

COMMANDS = {
    "cnndsl --version": [sys.executable, "-m", "cnndsl", "--version"],
    "cnndsl check resnet50": [sys.executable, "-m", "cnndsl", "check", "resnet50"],
    "cnndsl summary resnet152": [sys.executable, "-m", "cnndsl", "summary", "resnet152"],
    "cnndsl summary resnet50": [sys.executable, "-m", "cnndsl", "summary", "resnet50"],
    'python -c "import torch"': [sys.executable, "-c", "import torch"],
}


def measure(rounds: int) -> dict[str, tuple[float, float]]:
    """Median wall and CPU milliseconds by command; a round before the first is not counted."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for number in range(rounds + 1):
        for name, command in COMMANDS.items():
            before, start = os.times(), time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            wall, after = time.perf_counter() - start, os.times()
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            if number:
                taken[name].append((wall * 1000, cpu * 1000))
    return {name: (median(w for w, _ in pairs), median(c for _, c in pairs)) for name, pairs in taken.items()}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    found = measure(rounds)
    print(f"{'command':<26} {'wall ms':>8} {'CPU ms':>8}   (medians of {rounds}, taking turns)")
    for name, (wall, cpu) in found.items():
        print(f"{name:<26} {wall:>8.0f} {cpu:>8.0f}")
    torch = found['python -c "import torch"'][0]
    for network in ("resnet50", "resnet152"):
        ratio = found[f"cnndsl summary {network}"][0] / torch
        print(f"a summary of {network} takes {ratio:.2f} of the time in which torch is imported")


if __name__ == "__main__":
    main()
