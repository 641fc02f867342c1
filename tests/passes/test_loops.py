"""Guards `passes/values/loops.py`. What the rounds of a `for` keep to themselves, and that a spent budget of steps is
told once.
"""

from __future__ import annotations

from tests.passes.reading import words, wrong


def test_an_if_behind_a_for_decides_about_all_rounds() -> None:
    program = "param deep: bool = {}\ninput 3×8×8\nReLU → Conv3x3(i) for i in 1..3 if deep"
    assert words(program.format("true")) == "ReLU Conv Conv Conv"
    assert words(program.format("false")) == "ReLU"


def test_an_if_behind_a_for_does_not_see_what_a_round_brings() -> None:
    assert wrong("input 3×8×8\nConv3x3(i) for i in 1..3 if i > 1") == [("tap-out-of-scope", 2, 29)]
    assert wrong("input 3×8×8\nConv3x3(c) for i, (j, c) in enumerate([(1, 2)]) if 1 < 2 and c > 1") == [
        ("tap-out-of-scope", 2, 62)
    ]
    assert words("input 3×8×8\n[Conv3x3(i) → ReLU if i > 2] for i in 1..3") == "Conv Conv Conv ReLU"


def test_a_name_of_the_same_kind_outside_is_the_one_meant() -> None:
    assert words("input 3×8×8\nlet i = 5\nConv3x3(i) for i in 1..3 if i > 4") == "Conv Conv Conv"


def test_a_spent_budget_of_steps_is_told_once() -> None:
    text = "input 3×8×8\nlet all = 1..60000\nlet sums = [sum(all) for i in all]\nFC(sums[0]) → FC(len(all))"
    assert wrong(text) == [("too-many-steps", 3, 13)]
