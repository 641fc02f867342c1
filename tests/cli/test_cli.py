"""Guards `cli/`. The command line through click's own group, in this process: what is printed where, and the exit
codes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cnndsl.cli import VERBS, run
from cnndsl.cli.shared.group import Verbs
from cnndsl.diagnostics.extras import how_to_install

Captured = pytest.CaptureFixture[str]
WRONG = "input 3×32×32\nConv3x3(8) → Relu\n"
RIGHT = "input 3×8×8\nConv3x3(8) → ReLU → Conv3x3(8) → ReLU → Conv3x3(8) → ReLU → Conv3x3(8) → GlobalAvgPool → FC(10)\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_a_right_program_is_told_on_stdout(folder: Path, capsys: Captured) -> None:
    assert run(["check", write(folder, "right.cnn", RIGHT)]) == 0
    assert capsys.readouterr() == ("1 file: no errors, no warnings\n", "")


def test_diagnostics_go_to_stderr_and_the_exit_code_is_1(folder: Path, capsys: Captured) -> None:
    assert run(["check", write(folder, "wrong.cnn", WRONG), write(folder, "right.cnn", RIGHT)]) == 1
    out, err = capsys.readouterr()
    assert out == "2 files: 1 error, no warnings\n"
    assert err.startswith("error[unknown-layer]: no layer or block is called `Relu`\n  --> wrong.cnn:2:14\n")
    assert "\x1b" not in err


@pytest.mark.parametrize(
    "verb", [["summary"], ["compile", "--to", "ir"], ["compile", "--to", "torch"], ["verify"], ["draw", "-o", "x.dot"]]
)
def test_every_verb_that_reads_a_network_reports_what_is_wrong(folder: Path, verb: list[str], capsys: Captured) -> None:
    assert run([verb[0], write(folder, "wrong.cnn", WRONG), *verb[1:]]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "error[unknown-layer]" in err


def test_check_as_json(folder: Path, capsys: Captured) -> None:
    assert run(["check", "--format", "json", write(folder, "wrong.cnn", WRONG)]) == 1
    out, err = capsys.readouterr()
    (diagnostic,) = json.loads(out)["diagnostics"]
    assert (diagnostic["id"], diagnostic["file"], diagnostic["span"]) == ("unknown-layer", "wrong.cnn", [2, 14, 2, 18])
    assert err == ""


def test_check_for_github_and_sarif(folder: Path, capsys: Captured) -> None:
    file = write(folder, "wrong.cnn", WRONG)
    assert run(["check", "--format", "github", file]) == 1
    assert capsys.readouterr().out.startswith("::error file=wrong.cnn,line=2,col=14,")
    assert run(["check", "--format", "sarif", file]) == 1
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"][0]["ruleId"] == "unknown-layer"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sumary", "resnet50"], "there is no verb `sumary`; did you mean `cnndsl summary`?"),
        (["summary"], "Missing argument 'FILE'"),
        (["summary", "lenet5", "-P", "classes"], "expected name=value, found 'classes'"),
        (["summary", "lenet5", "--columns", "layer,sise"], "no column is called 'sise'"),
        (["compile", "lenet5", "--to", "tvm"], "`--to tvm` writes a directory; say which with -o"),
        (["compile", "lenet5", "--to", "torch", "--batch", "2"], "--batch belongs to `--to tvm`"),
        (
            ["compile", "lenet5", "--to", "tvm", "-o", "x", "--seed", "1", "--weights", "w.pth"],
            "two ways to say the same",
        ),
        (["compile", "lenet5", "--to", "caffe"], "Invalid value for '--to'"),
        (["explain", "convv"], "nothing is known of `convv`; did you mean `Conv`"),
        (["run", "nowhere", "--input", "x.npy"], "Directory 'nowhere' does not exist"),
    ],
)
def test_a_wrong_command_line_is_2(arguments: list[str], said: str, folder: Path, capsys: Captured) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


@pytest.mark.parametrize(
    ("arguments", "id"),
    [
        (["summary", "resnet:resnet19"], "unknown-model"),
        (["summary", "resnet18", "-P", "clases=10"], "unknown-parameter"),
        (["summary", "resnet18", "--input", "3x0x3"], "out-of-range"),
    ],
)
def test_what_the_program_and_its_settings_get_wrong_is_1(
    arguments: list[str], id: str, folder: Path, capsys: Captured
) -> None:
    assert run(arguments) == 1
    assert f"error[{id}]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "id"),
    [
        (["summary", "resnet51"], "unknown-architecture"),
        (["summary", "gone.cnn"], "file-not-found"),
        (["compile", "lenet5", "--to", "tvm", "-o", "x", "--weights", "gone.pth"], "file-not-found"),
    ],
)
def test_a_file_that_the_command_line_names_and_that_is_not_there_is_2(
    arguments: list[str], id: str, folder: Path, capsys: Captured
) -> None:
    assert run(arguments) == 2
    assert f"error[{id}]" in capsys.readouterr().err


def test_summary_takes_parameters_and_another_input(folder: Path, capsys: Captured) -> None:
    assert run(["summary", "resnet18", "-P", "classes=10", "--input", "3x64x96", "--format", "json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["schema"] == 1
    assert summary["inputs"] == [{"name": "image", "shape": [3, 64, 96], "dtype": "float32"}]
    assert summary["outputs"] == [{"name": "fc", "shape": [10]}]
    assert summary["totals"]["params"] == 11689512 - 990 * 513


def test_summary_as_table_csv_and_markdown(folder: Path, capsys: Captured) -> None:
    file = write(folder, "right.cnn", RIGHT)
    assert run(["summary", file, "--columns", "layer,params"]) == 0
    table = capsys.readouterr().out
    assert "584" in table
    assert "receptive field" in table
    assert run(["summary", file, "--format", "csv"]) == 0
    assert capsys.readouterr().out.split("\n")[0].startswith("name,level,kind")
    assert run(["summary", file, "--format", "md", "--depth", "1"]) == 0
    assert capsys.readouterr().out.startswith("| layer")


def test_our_own_ir_comes_back(folder: Path, capsys: Captured) -> None:
    from cnndsl.ir.graph import Graph
    from cnndsl.pipeline import load

    assert run(["compile", "lenet5", "--to", "ir", "-o", "out/lenet5.json"]) == 0
    assert capsys.readouterr() == ("", "wrote out/lenet5.json\n")
    assert Graph.model_validate_json((folder / "out" / "lenet5.json").read_text("utf-8")) == load("lenet5").graph


def test_the_standalone_pytorch_file(folder: Path, capsys: Captured) -> None:
    assert run(["compile", "lenet5", "--to", "torch"]) == 0
    text = capsys.readouterr().out
    assert "cnndsl" not in "".join(line for line in text.splitlines() if line.startswith(("import", "from")))
    compile(text, "lenet5.py", "exec")


def test_list_gives_published_figures(capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # The gallery's test builds all networks.
    monkeypatch.setattr("cnndsl.disk.shelf.architectures", lambda: ("resnet50", "vgg16", "lenet5"))
    assert run(["list", "--format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["architectures"]}
    assert (rows["resnet50"]["params"], rows["resnet50"]["macs"], rows["resnet50"]["receptive_field"]) == (
        25557032,
        4089184256,
        [427, 427],
    )
    assert (rows["vgg16"]["params"], rows["vgg16"]["macs"]) == (138357544, 15470264320)
    assert run(["list"]) == 0
    assert "25.6M" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["Conv", "add", "round_to", "shape-mismatch", "layers"])
def test_explain(word: str, capsys: Captured) -> None:
    assert run(["explain", word]) == 0
    assert capsys.readouterr().out.startswith("# ")


def test_fmt_is_stable_and_says_the_same(folder: Path, capsys: Captured) -> None:
    file = write(folder, "net.cnn", "input 3*8*8\nConv3x3( 8 )->ReLU # rectify\n")
    assert run(["fmt", "--check", file]) == 1
    assert run(["fmt", "--diff", file]) == 1
    assert "-Conv3x3( 8 )->ReLU" in capsys.readouterr().out
    assert run(["fmt", file]) == 0
    assert (folder / file).read_text("utf-8") == "input 3×8×8\nConv3x3(8) → ReLU  # rectify\n"
    assert run(["fmt", "--check", file]) == 0
    assert run(["fmt", write(folder, "wrong.cnn", "[Conv3x3(8)\n")]) == 1


def test_fmt_drops_a_byte_order_mark(folder: Path) -> None:
    file = write(folder, "net.cnn", "\ufeffReLU\n")
    assert run(["fmt", "--check", file]) == 1
    assert run(["fmt", file]) == 0
    assert (folder / file).read_bytes() == b"ReLU\n"
    assert run(["fmt", "--check", file]) == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, capsys: Captured) -> None:
    assert run(["completion", shell]) == 0
    assert "_CNNDSL_COMPLETE" in capsys.readouterr().out


def test_completion_offers_verbs_and_architectures(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setenv("_CNNDSL_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "cnndsl summary wide")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert run([]) == 0
    assert "plain,wide_resnet50_2" in capsys.readouterr().out


def test_help_names_every_verb(capsys: Captured) -> None:
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {verb}" in out for verb in VERBS)
    for verb in VERBS:
        assert run([verb, "--help"]) == 0


def _raise(error: BaseException) -> object:
    def get_command(*_: object) -> object:
        raise error

    return get_command


def test_something_missing_is_3(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    from cnndsl.diagnostics.errors import MissingPart

    monkeypatch.setattr(
        Verbs, "get_command", _raise(MissingPart("TVM cannot be imported", "run `pip install 'cnndsl[tvm]'`"))
    )
    assert run(["list"]) == 3
    assert capsys.readouterr().err == "error: TVM cannot be imported\n  = help: run `pip install 'cnndsl[tvm]'`\n"


def test_a_library_of_an_extra_is_named_with_it(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(Verbs, "get_command", _raise(ModuleNotFoundError("No module named 'numpy'", name="numpy")))
    assert run(["list"]) == 3
    assert how_to_install("tvm") in capsys.readouterr().err
    monkeypatch.setattr(
        Verbs, "get_command", _raise(ModuleNotFoundError("No module named 'cnndsl.x'", name="cnndsl.x"))
    )
    assert run(["list"]) == 70


def test_an_unwritable_place_is_3(folder: Path, capsys: Captured) -> None:
    write(folder, "file", "")
    assert run(["compile", "lenet5", "--to", "ir", "-o", "file/below.json"]) == 3
    assert "cannot write" in capsys.readouterr().err


def test_a_bug_of_ours_is_70_and_asks_for_a_report(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(Verbs, "get_command", _raise(ZeroDivisionError("oh")))
    monkeypatch.delenv("CNNDSL_TRACEBACK", raising=False)
    assert run(["list"]) == 70
    err = capsys.readouterr().err
    assert "ZeroDivisionError: oh" in err
    assert "please report it" in err
    assert "Traceback" not in err
    monkeypatch.setenv("CNNDSL_TRACEBACK", "1")
    assert run(["list"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(Verbs, "get_command", _raise(KeyboardInterrupt()))
    assert run(["list"]) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


def test_no_color_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    from io import StringIO

    from cnndsl.cli.shared.voice import colorful

    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert colorful(Terminal())
    assert not colorful(StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colorful(Terminal())


def test_the_environment_is_left_alone() -> None:
    before = dict(os.environ)
    assert run(["completion", "zsh"]) == 0
    assert dict(os.environ) == before
