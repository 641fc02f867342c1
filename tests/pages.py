"""Pages that are run: `python -m tests.pages` writes beneath each program and command what it gets."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from cnndsl.errors import CnnError
from cnndsl.pipeline import load
from cnndsl.render import render_all

ROOT = Path(__file__).resolve().parent.parent
ERRORS = ROOT / "docs" / "errors.md"
README = ROOT / "README.md"
_CASE = re.compile(
    r"```cnn\n(?P<program>(?:(?!```).)*\n)```\n\n```text\n.*?```|```text\n\$ (?P<command>.*?)\n.*?```", re.DOTALL
)


def refreshed(page: str) -> str:
    """The page with what each program and command gets."""
    return _CASE.sub(lambda case: _program(case["program"]) if case["program"] else _command(case["command"]), page)


def _program(program: str) -> str:
    return f"```cnn\n{program}```\n\n```text\n{said_of(program)}\n```"


def said_of(program: str) -> str:
    """Every diagnostic that a program gets, as people see it."""
    with TemporaryDirectory() as folder:
        project = Path(folder, "project")
        project.mkdir()
        (project / "mine.cnn").write_text(program, "utf-8")
        with chdir(project):
            try:
                found = load("mine.cnn").warnings
            except CnnError as error:
                found = error.diagnostics
            # Other files are named by their whole path, which is another one in every run.
            return render_all(found).replace(f"{project.resolve()}/", "")


def _command(command: str) -> str:
    """The command and what it says."""
    arguments = [sys.executable, "-m", "cnndsl", *shlex.split(command)[1:]]
    result = subprocess.run(arguments, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    return f"```text\n$ {command}\n{result.stdout}{result.stderr}```"


if __name__ == "__main__":
    from cnndsl.files import write_atomically

    for page in (ERRORS, README):
        write_atomically(page, refreshed(page.read_text("utf-8")))
