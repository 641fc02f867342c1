"""A machine that was measured once."""

from __future__ import annotations

from pathlib import Path

from cnndsl.latency.machine import Machine, read_machine

FILE = Path(__file__).resolve().parents[2] / "docs" / "machines" / "xeon.json"


def stored() -> Machine:
    return read_machine(FILE)
