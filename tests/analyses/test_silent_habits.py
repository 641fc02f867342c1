"""Guards what is legal and means another network to whoever comes from PyTorch: each gets a warning that says what was meant."""

from __future__ import annotations

import pytest

from cnndsl.diagnostics.errors import Severity
from cnndsl.diagnostics.mending import mended
from cnndsl.pipeline import check, parse_text

AUX = "input 3×32×32\nConv3x3(8) → ReLU as a → Conv3x3(16) as b\nx = b → ReLU → Conv3x3(4)\n"


def warned(text: str, tmp_path: object) -> list[tuple[str, str]]:
    path = f"{tmp_path}/net.cnn"
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
    found = check(path)
    assert all(d.severity is Severity.WARNING for d in found)
    return [(d.id, d.help or "") for d in found]


def test_an_input_with_its_channels_last_is_told_by_every_verb_with_the_text_that_was_meant() -> None:
    text = "input 224×224×3\nConv3x3(8) → ReLU"
    (warning,) = parse_text(text).warnings
    assert (warning.id, warning.severity) == ("channels-last", Severity.WARNING)
    assert mended(text, [warning]).startswith("input 3×224×224\n")
    assert parse_text(text.replace("3\n", "3  # allow: channels-last\n")).warnings == ()


@pytest.mark.parametrize("shape", ["3×224×224", "64×64×16", "16×9×3", "tokens 224×3", "3×224", "24×24"])
def test_other_inputs_are_not_doubted(shape: str) -> None:
    assert parse_text(f"input {shape}\nReLU").warnings == ()


def test_a_classifier_that_ends_in_a_map_is_told(tmp_path: object) -> None:
    text = "input 3×32×32\nConv7x7(16, 2) → ReLU → {}"
    assert "GlobalAvgPool" in dict(warned(text.format("Linear(10)"), tmp_path))["linear-on-map"]
    assert "linear-on-map" in dict(warned(text.format("Linear(10) → Softmax"), tmp_path))
    assert "linear-on-map" not in dict(warned(text.format("Flatten → Linear(10)"), tmp_path))


@pytest.mark.parametrize(
    ("output", "covers"),
    [
        ("output a, b if training", True),
        ("output x, a, b if training", True),
        ("output x, b if training", True),
        ("output x if training, b", False),
        ("output x\noutput b if training", False),
    ],
)
def test_an_if_that_looks_larger_than_it_is_says_what_it_covers(output: str, covers: bool, tmp_path: object) -> None:
    said = dict(warned(AUX + output, tmp_path)).get("misleading-if", "")
    assert bool(said) == covers
    assert not covers or " if training, b if training`" in said


def test_a_training_head_that_is_always_there_is_told(tmp_path: object) -> None:
    assert (
        "output aux1 if training"
        in dict(warned(AUX + "aux1 = a → Conv3x3(2)\noutput x\noutput aux1", tmp_path))["auxiliary-output"]
    )
