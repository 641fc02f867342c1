"""Guards `passes/check_asserts.py` and `analyses/budget.py`. `assert` statements hold or say which figure breaks them."""

from __future__ import annotations

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import parse_text

NETWORK = "input 3×32×32\nConv3x3(8) → ReLU → MaxPool → Conv3x3(8) → FC(10)\n"


def test_a_kept_budget_says_nothing() -> None:
    text = "assert params < 30K and macs ≤ 400K and rf == 8 and depth == 3\nassert output.shape == [10] and output.channels == 10"
    assert parse_text(NETWORK + text).warnings == ()


def test_each_broken_demand_is_told_with_its_figure() -> None:
    with pytest.raises(CnnError) as caught:
        parse_text(NETWORK + "assert params < 20K and macs < 1G and rf > 100")
    found = [(d.id, d.labels[0].span.text, d.labels[0].text) for d in caught.value.diagnostics]
    assert found == [
        ("assert-failed", "params < 20K", "found: params is 21,298"),
        ("assert-failed", "rf > 100", "found: rf is 8"),
    ]


def test_a_network_without_maps_has_no_receptive_field() -> None:
    with pytest.raises(CnnError) as caught:
        parse_text("input 5\nFC(3)\nassert rf > 1")
    assert "receptive field is not known" in caught.value.diagnostics[0].message


def test_a_budget_may_speak_of_what_entered() -> None:
    same = "input 3×8×8\nConv3x3(8)\nassert output.size == in.size"
    assert parse_text(same).graph
    with pytest.raises(CnnError) as caught:
        parse_text(same.replace("Conv3x3(8)", "MaxPool"))
    assert [d.id for d in caught.value.diagnostics] == ["assert-failed"]
