"""Guards `cli/shared/apart.py`. A crash of the compiler is told with the kernel that brings it about, and ends no
process but its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.few import few

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="takes fork")

# A real end of the process, where TVM is about to make machine code; of single kernels, only the second brings it about.
CRASHING = """
import ctypes, os, sys
import cnndsl.cli as cli
from cnndsl.backends.tvm.examine import crash
import cnndsl.backends.tvm.build as building
import cnndsl.verification
sys.modules.pop("tvm", None)

def die(*_given, **_named):
    match sys.argv[1]:
        case "SIGSEGV":
            ctypes.string_at(0)
        case "SIGABRT":
            os.abort()
        case "exit":
            # As LLVM does where it can no longer write.
            ctypes.CDLL(None).exit(1)
        case "SIGKILL":
            os.kill(os.getpid(), 9)

built = []
def one(_tvm, function, _target):
    built.append(function)
    if len(built) == 2:
        die()

building.lower = die
crash.compile_one = one
sys.exit(cli.run(sys.argv[2:]))
"""


def crashed(end: str, *command: str) -> subprocess.CompletedProcess[str]:
    order = [sys.executable, "-c", CRASHING, end, *command]
    return subprocess.run(order, capture_output=True, text=True, check=False)


@pytest.mark.tvm
@pytest.mark.parametrize(
    ("end", "command"),
    few(
        [
            ("exit", ["compile", "lenet5", "--to", "tvm", "-o"]),
            ("SIGSEGV", ["verify", "lenet5"]),
            ("SIGSEGV", ["compile", "lenet5", "--to", "tvm", "-o"]),
            ("SIGABRT", ["bench", "lenet5", "--engines", "torch"]),
        ],
        2,
    ),
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_crash_names_its_kernel_and_writes_nothing(tmp_path: Path, end: str, command: list[str]) -> None:
    done = crashed(end, *command, *([str(tmp_path / "p")] if command[-1] == "-o" else []))
    assert done.returncode == 3, done.stderr
    how = "exit status 1" if end == "exit" else end
    assert f"error: TVM crashed ({how}) while it compiled the kernel " in done.stderr
    assert "--strict-numerics" in done.stderr
    assert "Traceback (most recent call last)" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.tvm
def test_a_system_without_memory_is_told(tmp_path: Path) -> None:
    done = crashed("SIGKILL", "compile", "lenet5", "--to", "tvm", "-o", str(tmp_path / "p"))
    assert done.returncode == 3, done.stderr
    assert "error: the system ended the work (SIGKILL) while compiling the network" in done.stderr
    assert "memory" in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.tvm
@pytest.mark.skipif(sys.platform != "linux", reason="takes limits of memory")
@pytest.mark.parametrize(
    ("command", "megabytes"),
    few(
        [("compile", 700)]
        + [
            (command, megabytes)
            for command in ("compile", "verify", "bench")
            for megabytes in (500, 900, 1200, 1500, 1800, 2100, 2500)
        ],
        1,
    ),
)
def test_under_a_limit_of_memory_it_ends_with_a_reason(tmp_path: Path, command: str, megabytes: int) -> None:
    options = {"compile": ["--to", "tvm", "-o", str(tmp_path / "p")], "bench": ["--engines", "torch", "--rounds", "1"]}

    def limited() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    order = [sys.executable, "-m", "cnndsl", command, "vgg11", *options.get(command, [])]
    done = subprocess.run(order, capture_output=True, text=True, check=False, preexec_fn=limited)
    assert done.returncode in (0, 3), done.stderr
    assert "Traceback (most recent call last)" not in done.stderr
    if done.returncode:
        assert "\nerror: " in f"\n{done.stderr}"
        assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys, time
from cnndsl.cli.shared.apart import do_apart

def work(tell):
    print(os.getpid(), flush=True)
    time.sleep(600)

do_apart(work, work)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems let it work on")
def test_who_is_killed_leaves_no_child_at_work() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
        # The stream ends when nobody has it open any more.
        assert parent.stdout.read() == ""
    assert not Path(f"/proc/{child}/exe").exists()


OTHER_ENDS = """
import os, sys
from cnndsl.backends.tvm.examine.stage import Stage
from cnndsl.cli.shared.apart import do_apart
from cnndsl.cli.shared.outcome import code_of
from cnndsl.diagnostics.errors import MissingPart

def fine(tell): print("done")
def lacking(tell): tell(Stage.PREPARING, "buying"); raise MissingPart("no disk", "buy one")
def large(tell): raise MemoryError
def again(tell): tell(Stage.COMPILING, "never asked")
for work in (fine, lacking, large):
    print(code_of(lambda: do_apart(work, again)), flush=True)
"""


def test_other_ends_are_the_childs() -> None:
    done = subprocess.run([sys.executable, "-c", OTHER_ENDS], capture_output=True, text=True, check=False)
    assert done.stdout == "done\n0\n3\n3\n"
    assert done.stderr.startswith("error: no disk\n  = help: buy one\nerror: memory ran out\n")


WHERE = """
import os, sys, types
from cnndsl.cli.shared.apart import do_apart
for name in sys.argv[1:]:
    sys.modules[name] = types.ModuleType(name)
own = os.getpid()
do_apart(lambda tell: print(os.getpid() == own, flush=True), lambda tell: None)
"""


@pytest.mark.parametrize(("loaded", "here"), [((), "False"), (("tvm",), "True"), (("torch",), "True")])
def test_work_is_done_here_where_threads_may_be_running(loaded: tuple[str, ...], here: str) -> None:
    done = subprocess.run([sys.executable, "-c", WHERE, *loaded], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == here
