"""Guards `pyproject.toml`. The rooms of the house: who may import whom, and what an import costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("torch", "tvm", "numpy", "rich", "pygraphviz", "PIL", "networkx", "graphviz", "cnndsl.backends")


def test_lower_rooms_never_import_higher_ones() -> None:
    assert lint_imports(str(ROOT / "pyproject.toml"), cache_dir=None, no_cache=True) == EXIT_STATUS_SUCCESS


def loaded(code: str) -> set[str]:
    """The modules that a fresh process holds after the code."""
    probe = f"{code}\nimport sys; sys.stderr.write('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", probe], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    return set(done.stderr.split("\n"))


def test_importing_the_package_imports_next_to_nothing() -> None:
    modules = {name for name in loaded("import cnndsl") if name.startswith("cnndsl")}
    assert modules == {"cnndsl", "cnndsl.version"}


@pytest.mark.parametrize(
    "verb", [["summary", "resnet50"], ["check", "resnet50"], ["list"], ["compile", "lenet5", "--to", "ir"]]
)
def test_static_verbs_import_no_heavy_library(verb: list[str]) -> None:
    # `list` builds one network here: the others import nothing more.
    few = "from cnndsl.disk import shelf; shelf.architectures = lambda: ('lenet5',)"
    modules = loaded(f"{few}; from cnndsl.cli import run; assert run({verb!r}) == 0")
    assert "cnndsl.pipeline" in modules
    assert not [name for name in HEAVY if name in modules]


def test_the_version_imports_no_command_line_library() -> None:
    modules = loaded("import sys; sys.argv = ['cnndsl', '--version']; from cnndsl.__main__ import main; main()")
    assert "click" not in modules
    assert "pydantic" not in modules
