"""ONNX's own tests of its operators: what is imported computes what they expect, and what is not is refused by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from tests.importing.conformance import Case, file_cases, node_cases, tried

SOME = (
    "averagepool",
    "conv",
    "convtranspose",
    "flatten",
    "gemm",
    "layernormalization",
    "maxpool",
    "resize",
    "spacetodepth",
)


def counts(cases: Iterable[Case]) -> Counter[str]:
    """How many are right and how many refused; none is wrong, and none ends in an error of another kind."""
    found: Counter[str] = Counter()
    wrong = {}
    for case in cases:
        outcome = tried(case)
        found[outcome.verdict] += 1
        assert outcome.verdict == "right" or outcome.why
        if outcome.verdict == "wrong":
            wrong[case.name] = outcome.why
    assert wrong == {}
    return found


def test_layers_of_pytorch_in_onnx_are_right_or_refused() -> None:
    assert counts(file_cases()) == {"right": 103, "refused": 37}


def test_windows_and_sizes_are_right_or_refused() -> None:
    cases = [case for case in node_cases(SOME) if case.model.graph.node[0].op_type.lower() in SOME]
    assert counts(cases)["right"] >= 77


@pytest.mark.slow
def test_all_operators_are_right_or_refused() -> None:
    assert counts(node_cases())["right"] >= 390
