"""Guards `training/advice.py` and longer runs: what a run that does not generalise says, and a finished run made longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import parse_text
from cnndsl.training.advice import doubts
from cnndsl.training.options import Options
from cnndsl.training.run import About, Run, graph_hash, open_run
from cnndsl.training.train import resume, train

TEXT = "input 1×8×8\nConv3x3(8, 2) → {} → ReLU → GlobalAvgPool → FC(3)"


def run_of(norm: str, tmp_path: Path) -> Run:
    graph = parse_text(TEXT.format(norm)).graph
    about = About(model="n", classes=["a", "b", "c"], graph=graph_hash(graph), data="", fit="whole", options={})
    return Run(tmp_path, graph, Options(epochs=6), about)


def row(train_accuracy: float, val_accuracy: float) -> dict[str, float]:
    return {"train_accuracy": train_accuracy, "val_accuracy": val_accuracy}


def test_norms_that_have_seen_little_are_named(tmp_path: Path) -> None:
    (said,) = doubts(run_of("BN", tmp_path), [row(1.0, 1 / 3)] * 6, 144)
    assert said.startswith("training 100%, held out 33%, which is chance: the running means of BN have seen 30 steps")
    assert "`--batch 8`" in said
    assert f"`cnndsl train --resume {tmp_path} --epochs 42`" in said


def test_without_norms_it_is_the_examples(tmp_path: Path) -> None:
    (said,) = doubts(run_of("id", tmp_path), [row(1.0, 0.4)] * 6, 144)
    assert "by heart" in said


@pytest.mark.parametrize("figures", [(1.0, 0.9), (0.5, 0.33), (0.95, 0.6)])
def test_runs_that_learn_or_do_not_learn_say_nothing(figures: tuple[float, float], tmp_path: Path) -> None:
    assert list(doubts(run_of("BN", tmp_path), [row(*figures)], 144)) == []
    assert list(doubts(run_of("BN", tmp_path), [], 144)) == []


def test_a_finished_run_can_be_made_longer_and_not_shorter(tmp_path: Path) -> None:
    graph = parse_text(TEXT.format("BN").replace("FC(3)", "FC(10)")).graph
    train(graph, Options(epochs=1), tmp_path / "run")
    longer = resume(tmp_path / "run", epochs=2)
    assert [row["epoch"] for row in longer.history] == [1, 2]
    assert open_run(tmp_path / "run").options.epochs == 2
    with pytest.raises(CnnError) as caught:
        resume(tmp_path / "run", epochs=2)
    assert caught.value.diagnostics[0].id == "wrong-option"
