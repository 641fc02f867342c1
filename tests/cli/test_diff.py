"""Guards `cli/diff.py`, `cli/shared/sides.py`, `cli/shared/git_driver.py` and `disk/git.py`: what is compared, where old texts
come from, and what git shows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnndsl.cli import run

Captured = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[2]
NET = "input 3×32×32\nconv1: Conv3x3(32) → BN → ReLU → conv2: Conv3x3(64) → GlobalAvgPool → fc: FC(10)\n"
SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "someone" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *words: str) -> str:
    """What git says. Its settings are its own, whoever's machine this is."""
    done = subprocess.run(
        ["git", *words], cwd=folder, env={**os.environ, **SETTINGS}, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def repository(folder: Path) -> Path:
    """A repository of two commits: `conv1` was renamed, and the file that `uses.cnn` uses was changed."""
    git(folder, "init", "-q", ".")
    (folder / "net.cnn").write_text(NET, "utf-8")
    (folder / "blocks").mkdir()
    (folder / "blocks" / "unit.cnn").write_text("block Unit(c) { Conv3x3(c) → ReLU }\n", "utf-8")
    (folder / "uses.cnn").write_text('use Unit from "blocks/unit.cnn"\ninput 3×8×8\na: Unit(4)\n', "utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    (folder / "net.cnn").write_text(NET.replace("conv1", "stem"), "utf-8")
    (folder / "blocks" / "unit.cnn").write_text("block Unit(c) { Conv3x3(c) → SiLU }\n", "utf-8")
    git(folder, "commit", "-q", "-a", "-m", "two")
    return folder


def test_one_network_is_the_same_network(capsys: Captured) -> None:
    assert run(["diff", "lenet5", "lenet5", "--exit-code"]) == 0
    assert capsys.readouterr().out == "lenet5 is the same network: 61,706 parameters, 416,520 MACs\n"


def test_with_exit_code_a_difference_is_1_and_without_it_0(capsys: Captured) -> None:
    assert run(["diff", "resnet18", "resnet34"]) == 0
    assert run(["diff", "resnet18", "resnet34", "--exit-code"]) == 1
    assert "8 blocks of 7 layers" in capsys.readouterr().out


def test_each_side_has_its_own_parameters_and_sizes(capsys: Captured) -> None:
    assert (
        run(["diff", "resnet18", "resnet18", "--new-P", "classes=10", "--old-input", "3x64x64", "--format", "json"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert [(p["old"], p["new"]) for p in found["ports"]] == [
        ("image 3×64×64", "image 3×224×224"),
        ("fc 1000", "fc 10"),
    ]
    assert found["weights"]["loads"] == "in part"
    assert [key["new_shape"] for key in found["weights"]["reshaped"]] == [[10, 512], [10]]


def test_markdown_is_a_table_and_lists(folder: Path, capsys: Captured) -> None:
    (folder / "a.cnn").write_text(NET, "utf-8")
    (folder / "b.cnn").write_text(NET.replace("Conv3x3(64)", "Conv3x3(96)"), "utf-8")
    assert run(["diff", "a.cnn", "b.cnn", "--format", "md"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "**a → b**"
    assert "| parameters | 20,106 | 29,674 | +48 % |" in lines
    assert "- `conv2`: Conv3x3: channels 64 → 96 (+9,248 parameters, +9,437,184 MACs)" in lines


def test_the_ending_of_the_output_says_the_format(folder: Path, capsys: Captured) -> None:
    assert run(["diff", "resnet18", "resnet34", "-o", "change.json"]) == 0
    assert capsys.readouterr() == ("", "wrote change.json\n")
    assert json.loads((folder / "change.json").read_text("utf-8"))["schema"] == 1
    assert run(["diff", "resnet18", "resnet34", "-o", "change.png"]) == 2
    (folder / "a.cnn").write_text(NET, "utf-8")
    assert run(["diff", "a.cnn", "resnet34", "-o", "a.cnn"]) == 2
    assert (folder / "a.cnn").read_text("utf-8") == NET


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["resnet18"], "expected two networks, OLD and NEW, found 1"),
        (["-", "-"], "only one of the two can come from standard input"),
        (["resnet18", "resnet34", "--git-driver"], "--git-driver takes the seven words that git gives, found 2"),
        (
            ["HEAD~1", "resnet18"],
            "HEAD~1 is neither a file nor a network, and resnet18 is no file to look for in a revision",
        ),
    ],
)
def test_words_that_cannot_be_meant(folder: Path, words: list[str], said: str, capsys: Captured) -> None:
    assert run(["diff", *words]) == 2
    assert said in capsys.readouterr().err


def test_all_models_of_two_files_are_compared_by_name(folder: Path, capsys: Captured) -> None:
    text = "model A { input 3×8×8\nConv3x3(4) }\nmodel B { input 3×8×8\nConv3x3(8) }\n"
    (folder / "a.cnn").write_text(text, "utf-8")
    (folder / "b.cnn").write_text(text.replace("(8)", "(9)") + "model C { input 3×8×8\nConv3x3(5) }\n", "utf-8")
    assert run(["diff", "--all-models", "a.cnn", "b.cnn"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("B: a.cnn → b.cnn\n")
    assert out.endswith("the same network as before: A\nnew: C\n")
    assert run(["diff", "--all-models", "a.cnn", "b.cnn", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert ([m["equal"] for m in found["models"]], found["added"], found["removed"]) == ([True, False], ["C"], [])


# -- Old revisions


def test_an_old_revision_of_a_file_is_read_with_git(repository: Path, capsys: Captured) -> None:
    assert run(["diff", "HEAD~1", "net.cnn"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("net: HEAD~1:net.cnn → net.cnn\n")
    assert "= conv1  is now called stem" in out


def test_revisions_are_found_from_a_folder_below(
    repository: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "blocks")
    assert run(["diff", "HEAD~1", "../net.cnn", "--exit-code"]) == 1
    # As in git's own words, a path behind a colon begins at the top of the repository, unless it begins with a dot.
    assert run(["diff", "HEAD~1:net.cnn", "HEAD:../net.cnn", "--exit-code"]) == 1
    assert capsys.readouterr().out.count("is now called stem") == 2
    assert run(["diff", "HEAD:net.cnn", "HEAD:../net.cnn", "--exit-code"]) == 0


def test_files_that_the_old_text_uses_are_those_of_its_revision(repository: Path, capsys: Captured) -> None:
    assert run(["diff", "HEAD~1", "uses.cnn"]) == 0
    assert "~ a.1  ReLU became SiLU" in capsys.readouterr().out


def test_a_path_that_leaves_the_repository_is_refused_in_a_revision(repository: Path, capsys: Captured) -> None:
    (repository / "out.cnn").write_text('use Unit from "../../etc/unit.cnn"\ninput 3×8×8\nUnit(4)\n', "utf-8")
    (repository / "link.cnn").symlink_to("net.cnn")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "three")
    assert run(["diff", "HEAD", "out.cnn"]) == 1
    assert "error[path-outside-project]" in capsys.readouterr().err
    assert run(["diff", "HEAD:link.cnn", "net.cnn"]) == 2
    assert "there is no file `link.cnn` in the revision `HEAD`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "id"),
    [
        ("HEAD~9", "net.cnn", "unknown-revision"),
        ("--help", "net.cnn", None),
        ("HEAD", "other.cnn", "file-not-found"),
        ("HEAD:other.cnn", "net.cnn", "file-not-found"),
        ("HEAD~1:net.cnn:big", "net.cnn", "unknown-model"),
    ],
)
def test_what_is_not_there_is_told(repository: Path, old: str, new: str, id: str | None, capsys: Captured) -> None:
    code = run(["diff", old, new])
    assert code == (0 if id is None else 1 if id == "unknown-model" else 2)
    assert id is None or f"error[{id}]" in capsys.readouterr().err


def test_a_word_that_is_no_revision_may_be_a_misspelt_network(repository: Path, capsys: Captured) -> None:
    assert run(["diff", "resnet5", "net.cnn"]) == 2
    assert "did you mean the built-in network `resnet50`?" in capsys.readouterr().err


def test_outside_any_repository_there_are_no_revisions(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    (folder / "net.cnn").write_text(NET, "utf-8")
    assert run(["diff", "HEAD", "net.cnn"]) == 2
    assert "error[no-repository]: `net.cnn` lies in no git repository" in capsys.readouterr().err


def test_without_git_it_is_said_what_is_missing(
    repository: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository / "nothing"))
    assert run(["diff", "HEAD", "net.cnn"]) == 3
    assert "there is no program `git` on this machine" in capsys.readouterr().err


# -- As git's own diff


@pytest.fixture
def driven(repository: Path) -> Path:
    """The repository, in which git shows programs with `cnndsl diff`, as `docs/compare.md` says."""
    (repository / ".gitattributes").write_text("*.cnn diff=cnndsl\n", "utf-8")
    command = f"env PYTHONPATH={ROOT} {sys.executable} -m cnndsl diff --git-driver"
    git(repository, "config", "diff.cnndsl.command", command)
    return repository


def test_git_shows_networks_by_meaning_and_libraries_as_text(driven: Path) -> None:
    shown = git(driven, "diff", "HEAD~1")
    assert "cnndsl diff a/net.cnn b/net.cnn\nnet: a/net.cnn → b/net.cnn\n" in shown
    assert "= conv1  is now called stem" in shown
    assert "a file of blocks, without a network of its own\n--- a/blocks/unit.cnn\n+++ b/blocks/unit.cnn" in shown


def test_git_goes_on_behind_a_text_that_cannot_be_read(driven: Path) -> None:
    (driven / "net.cnn").write_text("input 3×32×32\nConv3x3(\n", "utf-8")
    (driven / "uses.cnn").unlink()
    (driven / "young.cnn").write_text("input 3×8×8\nConv3x3(2)\n", "utf-8")
    git(driven, "add", "-N", "young.cnn")
    shown = git(driven, "diff")
    assert "b/net.cnn is no network: `(` is never closed" in shown
    assert "+Conv3x3(\n" in shown
    assert "removed network uses: 112 parameters" in shown
    assert "new network young: 56 parameters, 3,456 MACs" in shown


def test_git_shows_a_change_of_words_as_one_that_changes_nothing(driven: Path) -> None:
    (driven / "net.cnn").write_text(NET.replace("conv1", "stem").replace("→", "->"), "utf-8")
    shown = git(driven, "diff", "net.cnn")
    assert "net is the same network: 20,106 parameters" in shown
    assert "the text has changed, and the network has not" in shown


@pytest.mark.slow
def test_the_two_revisions_that_the_docs_compare_differ_as_shown(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "compare.md").read_text("utf-8")
    _, _, shown = page.partition("    $ cnndsl diff e63516d~1:")
    command, *lines = shown.partition("\nAt `…`")[0].splitlines()
    before, after = "\n".join(line.removeprefix("    ") for line in lines).split("…")
    monkeypatch.chdir(ROOT)
    if subprocess.run(["git", "cat-file", "-e", "e63516d~1"], capture_output=True, check=False).returncode:
        pytest.skip("this copy of the repository has no such revision")
    assert run(["diff", *f"e63516d~1:{command}".split()]) == 0
    real = capsys.readouterr().out
    assert real.startswith(before)
    assert real.endswith(f"{after.strip()}\n")
    assert "efficientnet_v2_m: " in real.removeprefix(before)
