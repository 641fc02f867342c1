"""Guards `cli/sweep.py` and `sweeping/listing.py`: tables, the best variant, the plot, and what is said beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnndsl.cli import run
from tests.sweeping.programs import NET

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.cnn").write_text(NET, "utf-8")


def test_a_table_with_a_condition_in_order(capsys: Captured) -> None:
    assert run(["sweep", "net.cnn", "-P", "width=2..16:2", "--where", "macs < 500K", "--sort", "-params"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "width  params     macs",
        "    8   1,002  368,800",
        "    6     646  248,952",
        "    4     362  147,536",
        "    2     150   64,552",
    ]
    assert err == "8 variants: 4 with macs < 500K\n"


def test_the_best_variant_has_the_most_of_it(capsys: Captured) -> None:
    words = ["sweep", "net.cnn", "-P", "width=2..16:2", "--where", "macs < 500K"]
    assert run([*words, "--best", "width", "--columns", "rf"]) == 0
    assert capsys.readouterr().out.splitlines() == ["width  rf", "    8   5"]
    assert run([*words, "--best", "-macs", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "width,params,macs\n2,150,64552\n"


def test_csv_md_and_json(capsys: Captured) -> None:
    words = ["sweep", "net.cnn", "-P", "width=2,0", "-P", "act=ReLU,SiLU", "--input", "3x32x32,3x16x16"]
    assert run([*words, "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["width,act,input,params,macs", "2,ReLU,3x32x32,150,64552"]
    assert run([*words, "--format", "md"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "| width | act | input | params | macs |",
        "| ---: | :--- | :--- | ---: | ---: |",
        "| 2 | ReLU | 3x32x32 | 150 | 64,552 |",
    ]
    assert run([*words, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["tried"], len(found["rows"]), len(found["refused"])) == (8, 4, 4)
    assert found["refused"][0]["id"] == "out-of-range"
    assert "8 variants: 4 cannot be built\n  width=0, act=ReLU, 3x32x32, and 3 more: " in err


def test_no_cell_of_a_csv_is_a_formula(capsys: Captured) -> None:
    Path("net.cnn").write_text(NET + 'param note: text = "x"\n', "utf-8")
    assert run(["sweep", "net.cnn", "-P", 'note="=1+1",=HYPERLINK', "--format", "csv"]) == 0
    assert not [cell for line in capsys.readouterr().out.splitlines() for cell in line.split(",") if cell[:1] == "="]


def test_where_nothing_can_be_built_the_first_error_is_shown_in_full(capsys: Captured) -> None:
    assert run(["sweep", "net.cnn", "-P", "widht=1,2"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "none of 2 variants can be built; of widht=1:" in err
    assert "did you mean `width`?" in err


@pytest.mark.parametrize("name", ["front.svg", "front.png"])
def test_the_plot_is_written(name: str, capsys: Captured) -> None:
    assert run(["sweep", "net.cnn", "-P", "width=2..64:2", "-o", name, "--plot", "macs,rf"]) == 0
    content = Path(name).read_bytes()
    assert (
        content[:8] == b"\x89PNG\r\n\x1a\n" if name.endswith("png") else b"on the front of rf against macs" in content
    )
    assert f"wrote {name}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--plot", "macs"], 2, "--plot takes two figures"),
        (["--into", "net.cnn"], 2, "--into net.cnn would replace a program"),
        (["-o", "net.json"], 2, "-o net.json is named as a JSON file"),
        (["--columns", "parms"], 1, "no figure is called `parms`"),
        (["--sort", "output"], 1, "`output` is no number"),
        (["--jobs", "0"], 2, "Invalid value for '--jobs'"),
    ],
)
def test_words_that_cannot_be_meant(words: list[str], code: int, said: str, capsys: Captured) -> None:
    assert run(["sweep", "net.cnn", "-P", "width=2,4", *words]) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "code", "said"),
    [
        ("net.json", 1, "`net.json` holds one network, with its parameters settled"),
        ("timm:resnet18", 2, "`cnndsl import timm:resnet18 -o net.cnn` makes one"),
        ("gone.cnn", 2, "there is no file `gone.cnn`"),
    ],
)
def test_what_is_no_program_has_nothing_to_vary(file: str, code: int, said: str, capsys: Captured) -> None:
    assert run(["compile", "net.cnn", "--to", "ir", "-o", "net.json"]) == 0
    assert run(["sweep", file, "-P", "width=2,4"]) == code
    assert said in capsys.readouterr().err
