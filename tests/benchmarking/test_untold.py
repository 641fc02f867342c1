"""Guards `benchmarking/untold.py`. Peers report nothing of what is measured."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from cnndsl.benchmarking.untold import untold
with untold():
    import openvino
    from openvino.tools.ovc import telemetry_utils
print(telemetry_utils.tm.__name__, "openvino_telemetry" in sys.modules)
"""


def test_openvino_takes_its_stand_in_for_what_reports() -> None:
    pytest.importorskip("openvino")
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["openvino.tools.ovc.telemetry_stub", "False"]
