"""Guards `analyses/lints/` and `passes/text_lints.py`. Each lint finds what it is for, at its place, and nothing in a
program that means what it says.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.diagnostics.errors import Severity
from cnndsl.pipeline import check

CASES = {
    "bias-before-norm": ("input 3×32×32\nConv3x3(8) → BN → ReLU → GlobalAvgPool", "Conv3x3(8)"),
    "no-activation-between": ("input 3×8×8\nConv7x7(8) → Dropout → Conv3x3(8) → ReLU", "Conv3x3(8)"),
    "even-same-window": ("input 3×8×8\nConv2x2(8) → ReLU", "Conv2x2(8)"),
    "unseen-pixels": ("input 3×33×33\nConv3x3(8) → ReLU → MaxPool → ReLU", "MaxPool"),
    "small-receptive-field": ("input 3×32×32\nConv3x3(8) → ReLU → GlobalAvgPool → FC(10)", "GlobalAvgPool"),
    "heavy-fc": ("input 3×32×32\nConv3x3(8) → ReLU → FC(10)", "FC(10)"),
    "odd-channels": ("input 3×224×224\nConv7x7(30) → ReLU", "Conv7x7(30)"),
    "idle-activation": ("input 3×8×8\nConv9x9(8) → Softmax → Dropout → ReLU", "ReLU"),
    "rectified-scores": ("input 8\nFC(8) → ReLU → FC(4) → ReLU", "ReLU"),
    "inner-softmax": ("input 8\nFC(8) → Softmax → FC(4)", "Softmax"),
    "unused-name": ("input 3×8×8\nlet width = 3\nConv9x9(8) → ReLU", "width"),
    "unused-default": ("input 3×8×8\ndefault BN(eps=1e-3)\nConv9x9(8) → ReLU", "BN(eps=1e-3)"),
    "misleading-if": (
        "param deep: bool = true\ninput 3×8×8\nConv9x9(8) → ReLU if deep else id",
        "if deep else id",
    ),
}


@pytest.mark.parametrize("id", CASES)
def test_a_lint_points_at_what_it_is_about(id: str, tmp_path: Path) -> None:
    text, guilty = CASES[id]
    file = tmp_path / "net.cnn"
    file.write_text(text, encoding="utf-8")
    found = [d for d in check(str(file)) if d.id == id]
    assert [d.severity for d in found] == [Severity.WARNING]
    assert found[0].span is not None
    assert found[0].span.text == guilty
    assert found[0].help


@pytest.mark.parametrize("id", CASES)
def test_a_comment_on_the_line_allows_it(id: str, tmp_path: Path) -> None:
    file = tmp_path / "net.cnn"
    lines = [f"{line}  # allow: {id}" for line in CASES[id][0].splitlines()]
    file.write_text("\n".join(lines), encoding="utf-8")
    assert id not in [d.id for d in check(str(file))]


def test_what_is_meant_gets_no_warning(tmp_path: Path) -> None:
    file = tmp_path / "net.cnn"
    file.write_text(
        "default Conv(bias=false)\nblock Sep(c) { DWConv3x3 → Conv1x1(c) → BN → ReLU }\nparam classes: int = 10\n"
        "input 3×32×32\nConv7x7(16, stride=2) → BN → ReLU → Sep(32) → [Sep(32)]×8 → GlobalAvgPool → FC(classes)",
        encoding="utf-8",
    )
    assert check(str(file)) == ()


def test_words_are_positions_and_their_embedding_is_no_layer_too_many(tmp_path: Path) -> None:
    file = tmp_path / "net.cnn"
    text = "input words: 9 of int64\nEmbedding(50, 8, map=true) → Conv{}(8, pad=valid) → ReLU → GlobalMaxPool → FC(2)"
    file.write_text(text.format(3), encoding="utf-8")
    assert [(d.id, d.labels[0].text) for d in check(str(file))] == [
        ("small-receptive-field", "expected a receptive field of 9, found 3")
    ]
    file.write_text(text.format(9), encoding="utf-8")
    assert check(str(file)) == ()


def test_a_shared_layer_is_warned_of_once(tmp_path: Path) -> None:
    file = tmp_path / "net.cnn"
    file.write_text("input 3×9×9\nshare fc = FC(8)\na = in → fc\nadd{ a | in → fc }", encoding="utf-8")
    assert [d.id for d in check(str(file))] == ["heavy-fc"]


def test_a_library_offers_its_blocks(tmp_path: Path) -> None:
    file = tmp_path / "blocks.cnn"
    file.write_text("block Double(c) { [Conv3x3(c) → ReLU]×2 }", encoding="utf-8")
    assert check(str(file)) == ()


def test_a_default_holds_from_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "net.cnn"
    unit, default, chain = "block Unit { Conv9x9(8) → ReLU }", "default Conv(bias=false)", "input 3×8×8\nUnit"
    file.write_text("\n".join([unit, default, chain]), encoding="utf-8")
    assert [d.id for d in check(str(file))] == ["unused-default"]
    file.write_text("\n".join([default, unit, chain]), encoding="utf-8")
    assert check(str(file)) == ()
