"""The language inside one process: text to graph, for a published network and for ever longer chains. Run by `make bench`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

from cnndsl.pipeline import load, parse_text


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    """Median CPU milliseconds, a round before the first not counted."""
    taken = []
    for number in range(rounds + 1):
        start = time.process_time()
        work()
        if number:
            taken.append((time.process_time() - start) * 1000)
    return median(taken)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    print(f"text to graph, CPU ms (medians of {rounds})")
    print(f"{'resnet152':<24} {milliseconds(lambda: load('resnet152'), rounds):>8.1f}")
    for count in (1_000, 10_000, 99_999):
        text = "input 3×8×8\n" + " → ".join(["ReLU"] * count)
        taken = milliseconds(lambda text=text: parse_text(text), max(rounds // 3, 1))  # type: ignore[misc]
        print(f"{f'a chain of {count:,}':<24} {taken:>8.1f}   {1000 * taken / count:.1f} µs a layer")


if __name__ == "__main__":
    main()
