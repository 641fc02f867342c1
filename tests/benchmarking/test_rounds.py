"""Guards `benchmarking/rounds.py`. Turns, ratios and percentiles."""

from __future__ import annotations

import pytest

from cnndsl.benchmarking.rounds import LEAST, percentile, ratio, take_turns


def test_engines_take_turns_in_blocks() -> None:
    seen: list[str] = []
    works = {name: (lambda name=name: seen.append(name)) for name in ("a", "b", "c")}
    samples = take_turns(works, 3, 1e-9)
    blocks = [name for i, name in enumerate(seen) if i == 0 or seen[i - 1] != name]
    # Each round begins with another; b ends the second round's turn before c begins the third.
    assert [*blocks] == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert {name: [len(block) for block in found] for name, found in samples.items()} == dict.fromkeys(
        works, [LEAST] * 3
    )
    assert seen.count("a") == 3 * (LEAST + 2)


def test_a_ratio_is_that_of_rounds() -> None:
    # The second round was ten times slower for both, and hides nothing.
    assert ratio([[1.0, 1.0, 9.0], [10.0], [1.0]], [[2.0], [20.0, 20.0], [2.0]]) == 0.5


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 3.0), (0.9, 4.0), (1.0, 4.0)])
def test_percentiles(share: float, expected: float) -> None:
    assert percentile([[4.0, 1.0], [3.0, 2.0]], share) == expected
