"""Guards `docs/compare.md` and `docs/pull-request.yml`: the picture is the one that the command draws, the workflow's script does what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cnndsl.cli import run
from tests.cli.test_diff import NET, git, repository  # noqa: F401  (a fixture)
from tests.cli.test_diff import folder as folder

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.slow
def test_the_picture_of_the_page_is_the_one_that_its_command_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "compare.md").read_text("utf-8")
    program = re.search(r"^```cnn se\.cnn\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    command = re.search(r"^\$ cnndsl (sweep se\.cnn .* -o front\.svg)$", page, re.MULTILINE)
    assert program is not None
    assert command is not None
    Path("se.cnn").write_text(program[1], "utf-8")
    assert run(shlex.split(command[1])) == 0
    assert Path("front.svg").read_bytes() == (DOCS / "images" / "sweep.svg").read_bytes()


@pytest.mark.slow
def test_the_workflow_tells_of_every_program_that_came_went_or_changed(repository: Path) -> None:  # noqa: F811
    (repository / "young.cnn").write_text("input 3×8×8\nConv3x3(2)\n", "utf-8")
    (repository / "uses.cnn").unlink()
    (repository / "blocks" / "unit.cnn").write_text("block Unit(c) { Conv3x3(c) → GELU }\n", "utf-8")
    (repository / "torn.cnn").write_text("input 3×8×8\nConv3x3(\n", "utf-8")
    (repository / "net.cnn").write_text(NET.replace("conv1", "first"), "utf-8")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "three")
    workflow = (DOCS / "pull-request.yml").read_text("utf-8")
    step = re.search(r"\n        run: \|\n((?: {10}.*\n)+)", workflow)
    assert step is not None
    script = f'cnndsl() {{ {shlex.quote(sys.executable)} -m cnndsl "$@"; }}\n' + textwrap.dedent(step[1])
    base = git(repository, "rev-parse", "HEAD~1").strip()
    settings = {"BASE": base, "GITHUB_STEP_SUMMARY": "summary.md", "PYTHONPATH": str(DOCS.parent)}
    # GitHub runs a step so.
    subprocess.run(["bash", "-e", "-c", script], cwd=repository, env={**os.environ, **settings}, check=True)
    told = (repository / "comment.md").read_text("utf-8")
    parts = dict(re.findall(r"^### `(\S+)`\n\n(.*?)(?=\n### |\Z)", told, re.DOTALL | re.MULTILINE))
    assert set(parts) == {"blocks/unit.cnn", "net.cnn", "torn.cnn", "uses.cnn", "young.cnn"}
    assert "- `stem`: is now called first" in parts["net.cnn"]
    assert parts["uses.cnn"].strip() == "Removed."
    assert parts["young.cnn"].startswith("New.\n")
    assert "parameters 56" in parts["young.cnn"]
    assert "error[unclosed-bracket]" in parts["torn.cnn"]
    assert (repository / "summary.md").read_text("utf-8") == told
