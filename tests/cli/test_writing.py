"""What `-o` may name: no program, no input, nothing whose ending says another kind of file; nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cnndsl.cli import run

TEXT = "input 3×8×8\nConv3x3(8) → ReLU\n"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program, alone in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cnn").write_text(TEXT, encoding="utf-8")
    (tmp_path / "notes").write_text(TEXT, encoding="utf-8")
    return tmp_path / "net.cnn"


@pytest.mark.parametrize("to", ["torch", "tvm", "onnx", "pt2", "safetensors", "ir"])
@pytest.mark.parametrize("name", ["net.cnn", "other.cnn", "sub/Other.CNN"])
def test_compile_never_replaces_a_program(
    program: Path, to: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compile", "net.cnn", "--to", to, "-o", name]) == 2
    assert "would replace a program" in capsys.readouterr().err
    assert program.read_text(encoding="utf-8") == TEXT
    assert sorted(p.name for p in program.parent.iterdir()) == ["net.cnn", "notes"]


def test_compile_never_replaces_what_it_reads(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("link").symlink_to("notes")
    assert run(["compile", "notes", "--to", "torch", "-o", "link"]) == 2
    assert "is the file that is read" in capsys.readouterr().err
    assert Path("notes").read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    ("to", "name", "instead"),
    [
        ("torch", "net.onnx", "net.py"),
        ("onnx", "net.py", "net.onnx"),
        ("safetensors", "net.pth", "net.safetensors"),
        ("tvm", "net.so", "net"),
        ("ir", "net.py", "net.json"),
    ],
)
def test_an_ending_of_another_kind_is_refused(
    program: Path, to: str, name: str, instead: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compile", "net.cnn", "--to", to, "-o", name]) == 2
    assert f"write `-o {instead}`" in " ".join(capsys.readouterr().err.split())
    assert not Path(name).exists()


def test_report_never_replaces_a_program(program: Path) -> None:
    assert run(["report", "net.cnn", "-o", "net.cnn"]) == 2
    assert run(["report", "net.cnn", "-o", "net.py"]) == 2
    assert program.read_text(encoding="utf-8") == TEXT


def test_weights_that_nobody_gave_are_said_to_be_untrained(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compile", "net.cnn", "--to", "safetensors", "--seed", "3", "-o", "w.safetensors"]) == 0
    assert "no --weights: these are the first weights of seed 3, untrained" in capsys.readouterr().err
    assert run(["compile", "net.cnn", "--to", "safetensors", "--weights", "w.safetensors", "-o", "v.safetensors"]) == 0
    assert "untrained" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "verb",
    [
        ["check"], ["summary"], ["draw", "-o", "x.svg"], ["report"], ["compile", "--to", "torch"], ["verify"], ["fmt"],
        ["train"], ["weights", "init", "-o", "w.safetensors"], ["weights", "check"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_file_that_is_not_there_is_the_command_lines_fault(program: Path, verb: list[str]) -> None:
    name = [] if verb == ["weights", "check"] else ["gone.cnn"]
    more = ["net.cnn", "gone.safetensors"] if verb == ["weights", "check"] else []
    words = [*verb[:2], *name, *more, *verb[2:]] if verb[0] == "weights" else [verb[0], *name, *verb[1:]]
    assert run(words) == 2


def test_a_file_that_a_program_uses_and_that_is_not_there_is_the_programs_fault(program: Path) -> None:
    program.write_text('use A from "gone.cnn"\ninput 3\nA', encoding="utf-8")
    assert run(["check", "net.cnn"]) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_result_that_finds_no_room_is_3_and_no_traceback(program: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cnndsl", "summary", "net.cnn"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 3
    assert done.stderr.decode().startswith("error: cannot write the result: No space left on device\n")


def test_the_table_of_a_network_over_its_budget_is_shown(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program.write_text(f"{TEXT}assert params < 10\n", encoding="utf-8")
    assert run(["summary", "net.cnn"]) == 1
    shown = capsys.readouterr()
    assert "Conv3x3(8)" in shown.out
    assert "found: params is 224" in shown.err
    assert run(["draw", "net.cnn", "-o", "net.dot"]) == 1
    assert run(["report", "net.cnn"]) == 1
    assert Path("net.dot").exists()
    assert Path("net.html").exists()
    assert run(["compile", "net.cnn", "--to", "torch", "-o", "net.py"]) == 1
    assert not Path("net.py").exists()


def test_memory_is_counted_for_a_batch_and_a_precision(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def memory(*options: str) -> dict[str, Any]:
        assert run(["summary", "net.cnn", "--format", "json", *options]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)["totals"]["peak_memory_bytes"]
        return found

    # 224 weights; 3·64 numbers of the input, 8·64 of each layer's output; one layer's input and output at once.
    assert memory()["inference"] == 4 * (224 + 3 * 64 + 2 * 8 * 64)
    assert memory("--batch", "4")["inference"] == 4 * 224 + 4 * 4 * (3 * 64 + 2 * 8 * 64)
    half = memory("--batch", "4", "--precision", "bf16")
    assert half["inference"] == 2 * 224 + 4 * 2 * (3 * 64 + 2 * 8 * 64)
    assert (half["batch"], half["precision"]) == (4, "bf16")


def test_list_gives_the_same_at_once_when_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The gallery's test builds all networks; these few are from several files.
    few = ("lenet5", "resnet18", "resnet50", "squeezenet1_1", "mobilenet_v1")
    monkeypatch.setattr("cnndsl.disk.shelf.architectures", lambda: few)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert run(["list"]) == 0
    first = capsys.readouterr().out
    with monkeypatch.context() as patch:
        patch.setattr("cnndsl.reference.gallery.figures_of", None)
        assert run(["list"]) == 0
    assert capsys.readouterr().out == first
    assert 'TensorFlow\'s "slim" library' in first
    next(tmp_path.glob("cnndsl/figures-*.json")).write_text("{", encoding="utf-8")
    assert run(["list", "--format", "json"]) == 0
