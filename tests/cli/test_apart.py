"""A crash of the compiler is told with the kernel that brings it about, and ends no process but its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="takes fork")

# TVM's builder dies as compilers do; alone, only the second kernel does.
CRASHING = """
import os, signal, sys
import cnndsl.cli as cli
from cnndsl.backends.tvm import crash
sys.modules.pop("tvm", None)

def die(*_given, **_named):
    os.kill(os.getpid(), signal.SIGSEGV)

built = []
def one(_tvm, function, _target):
    built.append(function)
    if len(built) == 2:
        die()

import cnndsl.backends.tvm.build as building
building.lower_program = die
crash.compile_one = one
sys.exit(cli.run(["compile", "lenet5", "--to", "tvm", "-o", sys.argv[1]]))
"""


@pytest.mark.tvm
def test_a_segfault_names_its_kernel_and_writes_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CRASHING, str(tmp_path) + "/p"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "error: TVM crashed (SIGSEGV) while it compiled the kernel " in done.stderr
    assert "--strict-numerics" in done.stderr
    assert list(tmp_path.iterdir()) == []


OTHER_ENDS = """
import os, sys
from cnndsl.cli.apart import do_apart
from cnndsl.cli.outcome import code_of
from cnndsl.errors import MissingPart

def fine(): print("done")
def lacking(): raise MissingPart("no disk", "buy one")
def again(tell): tell("never asked")
for work in (fine, lacking):
    print(code_of(lambda: do_apart(work, again)), flush=True)
"""


def test_other_ends_are_the_childs() -> None:
    done = subprocess.run([sys.executable, "-c", OTHER_ENDS], capture_output=True, text=True, check=False)
    assert done.stdout == "done\n0\n3\n"
    assert done.stderr == "error: no disk\n  = help: buy one\n"
