"""What `-o` may name: no program, no input, nothing whose ending says another kind of file; nothing is lost."""

from __future__ import annotations

from pathlib import Path

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
