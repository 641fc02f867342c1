"""Guards `cli/summary.py`. `summary --sizes`: the sizes that can be built, by axis."""

from __future__ import annotations

import subprocess
import sys


def test_sizes_are_told_for_each_axis() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "cnndsl", "summary", "lenet5", "--sizes"], capture_output=True, text=True, check=True
    )
    assert run.stdout == "image height  any size from 16\nimage width   any size from 16\n"
