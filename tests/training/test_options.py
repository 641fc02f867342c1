"""Guards `training/options.py`, `config.py` and `cli/train.py`: bounds, TOML with its mistakes pointed at, the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from cnndsl.cli import run
from cnndsl.cli.train import command
from cnndsl.diagnostics.errors import CnnError
from cnndsl.training.config import NAMES, merged, read_config, to_toml
from cnndsl.training.options import Options


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "options.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_has_the_names_of_the_command_line(tmp_path: Path) -> None:
    text = 'epochs = 5\nlr = 1\naugment = ["flip", "crop"]\nweight-decay = 0.5\nfreeze = "a.*, b"\nhead-only = true\n'
    options = Options(**read_config(written(tmp_path, text)))
    assert (options.epochs, options.rate, options.augment, options.weight_decay) == (5, 1, ("flip", "crop"), 0.5)
    assert (options.freeze, options.head_only) == (("a.*", "b"), True)
    flags = {flag for parameter in command.params for flag in parameter.opts}
    assert flags >= {f"--{name}" for name in NAMES.values()}


def test_options_come_back_from_their_file(tmp_path: Path) -> None:
    options = Options(data='a "folder"', augment=("flip",), lr=0.125, ema=0.9, freeze=("layer1.*",), precision="bf16")
    assert Options(**read_config(written(tmp_path, to_toml(options)))) == options
    assert Options.model_validate_json(options.model_dump_json(by_alias=True)) == options


def test_every_mistake_of_a_file_is_pointed_at(tmp_path: Path) -> None:
    path = written(tmp_path, 'epochs = 5\nepoch = 3\nbatch = "many"\nlr = -1\n\nzzz = 1\n')
    with pytest.raises(CnnError) as error:
        read_config(path)
    faults = error.value.diagnostics
    assert [fault.id for fault in faults] == ["unknown-option", "unknown-option", "wrong-option", "wrong-option"]
    spans = [fault.span for fault in faults]
    lines = [span and span.source.line_and_column(span.start) for span in spans]
    assert lines == [(2, 1), (6, 1), (3, 1), (4, 1)]
    assert faults[0].help == "did you mean `epochs`?"
    assert faults[3].notes == ("should be greater than 0",)


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("epochs 5", "wrong-option"),
        ("\xe9 = 1", "not-utf8"),
        ("#" * 1_000_001, "source-too-long"),
        ("epochs = " + "9" * 5000, "wrong-option"),
        ("freeze = " + "[" * 100_000, "wrong-option"),
    ],
    ids=["words", "latin", "long", "digits", "brackets"],
)
def test_what_is_no_toml_is_told(tmp_path: Path, text: str, id: str) -> None:
    path = tmp_path / "options.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CnnError, match=id):
        read_config(path)
    with pytest.raises(CnnError, match="file-not-found"):
        read_config(tmp_path / "other.toml")


@pytest.mark.parametrize(
    "options",
    [{"epochs": 0}, {"validation": 1.0}, {"augment": "flop"}, {"lr": float("nan")}, {"epocs": 1}, {"batch": True}],
)
def test_options_that_cannot_be(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Options(**options)  # type: ignore[arg-type]
    assert merged(Options(), {"epochs": 3}).epochs == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lenet5", "--epochs", "0"], "--epochs: should be greater than or equal to 1, found 0"),
        (["lenet5", "--augment", "flop"], "--augment: should be 'flip', 'crop'"),
        (["lenet5", "--optimizer", "lion"], "Invalid value for '--optimizer'"),
        ([], "say which network"),
        (["lenet5", "--resume", "a"], "give nothing else"),
        (["--resume", "a", "--batch", "3"], "give nothing else"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_told(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", *arguments]) == 2
    assert said in capsys.readouterr().err
