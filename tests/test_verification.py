"""Guards `verification.py`. `verify` proves what it says: it agrees on right networks, and names the first layer that a
lie is told about.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.ops.conv import Conv
from cnndsl.ops.fc import FC
from cnndsl.ops.relu import ReLU
from cnndsl.pipeline import parse_text
from cnndsl.verification import LIMIT, Finding, cancellation, close, plain_limit, verify

NET = "input 3×12×12\nstem: Conv3x3(8) → bn: BN → ReLU → add{ id | mid: Conv3x3(8) } → head: FC(5)"


def found(text: str = NET) -> dict[str, Finding]:
    return {f"{f.what}, {f.between}": f for f in verify(parse_text(text).graph)}


def test_a_right_network_agrees_everywhere() -> None:
    findings = found()
    assert [f.what for f in findings.values() if not f.agrees] == []
    # Layers of every list: the Flatten that FC brings and the merge are among them.
    assert findings["shapes, ours and PyTorch"].count == 7
    assert findings["state dict, ours and PyTorch"].count == 11
    assert findings["values of layers, PyTorch and TVM, plain"].count == 7
    assert findings["outputs, PyTorch and the TVM package"].count == 1


def test_a_wrong_count_is_found_at_its_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Conv.macs
    monkeypatch.setattr(Conv, "macs", lambda op, xs, y: right(op, xs, y) + (xs[0].channels == 8))
    finding = found()["MACs, ours and PyTorch"]
    assert (finding.agrees, finding.first) == (False, "mid")


def test_a_wrong_value_is_found_at_its_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        ReLU, "to_relax", lambda op, relax, xs, values, weights: relax.op.multiply(values[0], values[0])
    )
    finding = found()["values of layers, PyTorch and TVM, plain"]
    assert (finding.agrees, finding.first) == (False, "2")


def test_a_wrong_whole_number_is_found_at_its_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a single number of the sum with a residual is off by one."""
    from cnndsl.calibration import reference
    from cnndsl.calibration.rescaled import finished

    def wrong(sums: Any, residuals: Any, after: Any, rounds: bool, exact: bool = True) -> Any:
        value = finished(sums, residuals, after, rounds, exact)
        if exact and residuals:
            value[0, 0, 0, 0] ^= 1
        return value

    monkeypatch.setattr(reference, "finished", wrong)
    finding = {f.what: f for f in verify(parse_text(NET).graph, precision="int8")}["whole numbers"]
    assert (finding.agrees, finding.first) == (False, "add")
    assert finding.detail.startswith("`add`: 1 of 1,152 numbers")


def test_weights_are_drawn_away_from_zeros_and_ones() -> None:
    arrays = drawn_weights(parse_text(NET).graph, 0)
    assert all(array.std() > 0 for key, array in arrays.items() if not key.endswith("num_batches_tracked"))
    assert arrays["bn.running_var"].min() > 0


@pytest.mark.parametrize(
    ("other", "agrees"),
    [
        ([1.0, 2.0], True),
        ([1.0, 2.0 * (1 + LIMIT / 2)], True),
        ([1.0, 2.0 * (1 + LIMIT * 2)], False),
        ([1.0, float("nan")], False),
        ([1.0, float("inf")], False),
        ([1.0, 2.0, 3.0], False),
    ],
)
def test_arrays_are_close_in_units_of_the_largest_value(other: list[float], agrees: bool) -> None:
    finding = close("x", "a and b", {"n": np.array([1.0, 2.0])}, {"n": np.array(other)})
    assert (finding.agrees, finding.first) == (agrees, None if agrees else "n")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (NET, LIMIT),
        ("input 3×8×8\nReLU", LIMIT),
        ("input 3×224×224\nFC(10)", 2**-24 * 150528**0.5),
    ],
)
def test_the_limit_grows_with_the_root_of_the_longest_sum(text: str, limit: float) -> None:
    assert plain_limit(parse_text(text).graph) == limit


SIAMESE = """input left: 3×16×16
input right: 3×16×16
share tower = [Conv3x3(16) → ReLU → MaxPool → Conv3x3(32) → ReLU → GlobalAvgPool → FC(64)]
sub{ left → tower | right → tower } → head: FC(1)"""


def test_what_subtraction_leaves_is_measured_by_what_was_subtracted() -> None:
    graph = parse_text("input 4\nsub{ a: FC(4) | b: FC(4) } → ReLU → add{ id | c: FC(4) }").graph
    near = {"a": np.array([[100.0]]), "b": np.array([[99.0]]), "sub": np.array([[1.0]]), "2": np.array([[1.0]])}
    last = {"c": np.array([[50.0]]), "add": np.array([[50.0]])}
    doubt = cancellation(graph, {**near, **last})
    assert [doubt[name] for name in ("a", "b", "sub", "2", "c", "add")] == [1, 1, 100, 100, 100, 100]
    assert cancellation(graph, {**near, "sub": np.array([[0.0]])})["sub"] == 1


@pytest.mark.parametrize("seed", [0, pytest.param(range(1, 10), marks=pytest.mark.slow)])
def test_embeddings_of_one_tower_may_be_subtracted(seed: int | range) -> None:
    for one in seed if isinstance(seed, range) else [seed]:
        assert [f.detail for f in verify(parse_text(SIAMESE).graph, one) if not f.agrees] == []


def test_a_wrong_value_behind_a_subtraction_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = FC.to_relax
    monkeypatch.setattr(
        FC,
        "to_relax",
        lambda op, relax, xs, values, weights: relax.op.multiply(
            right(op, relax, xs, values, weights), relax.const(1.05 if op.units == 1 else 1.0, "float32")
        ),
    )
    finding = found(SIAMESE)["values of layers, PyTorch and TVM, plain"]
    assert (finding.agrees, finding.first) == (False, "head")
