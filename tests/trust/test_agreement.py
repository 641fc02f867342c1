"""Differential fuzzing: random networks of all layers, and everything we make of them, against each other and torch.

`CNNDSL_NETWORKS=2000` draws that many afresh (`make nightly`); otherwise the same hundred each time. What fails is
cut down to what it takes and written to `tests/trust/found`, where it stays as a test.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.trust.agreement import compare, drawn, static, torch_outputs, tvm_outputs
from tests.trust.programs import builds, networks

FOUND = Path(__file__).with_name("found")
MANY = int(os.environ.get("CNNDSL_NETWORKS", "0"))
RELAXED = settings(
    deadline=None, suppress_health_check=list(HealthCheck), derandomize=not MANY, phases=[Phase.generate], database=None
)


def whole(text: str) -> None:
    """All that must be true of a program."""
    graph = static(text)
    weights, inputs = drawn(graph, 0)
    expected = torch_outputs(graph, weights, inputs)
    package = tvm_outputs(graph, weights, inputs)
    if package is not None:
        compare(expected, package, 1e-4)


def kept(text: str) -> None:
    """Runs a program; one that fails is kept, with every element taken out that it also fails without."""
    try:
        whole(text)
    except Exception as error:
        least = smallest(text, type(error))
        FOUND.mkdir(exist_ok=True)
        (FOUND / f"{sha256(least.encode()).hexdigest()[:8]}.cnn").write_text(least + "\n", "utf-8")
        raise AssertionError(f"this network fails:\n{least}") from error


def smallest(text: str, failure: type[Exception]) -> str:
    """Elements taken out one at a time, as long as what remains fails alike."""
    entrance, chain = text.split("\n")
    elements = chain.split(" → ")
    for index in reversed(range(len(elements))):
        fewer = [*elements[:index], *elements[index + 1 :]]
        shorter = f"{entrance}\n{' → '.join(fewer)}"
        if fewer and builds(shorter):
            try:
                whole(shorter)
            except failure:
                elements = fewer
            except Exception:  # noqa: BLE001  (another fault than the one that is looked for)
                continue
    return f"{entrance}\n{' → '.join(elements)}"


@settings(RELAXED, max_examples=MANY or 100)
@given(networks())
def test_random_networks_agree_with_torch(text: str) -> None:
    graph = static(text)
    weights, inputs = drawn(graph, 0)
    torch_outputs(graph, weights, inputs)


@pytest.mark.tvm
@settings(RELAXED, max_examples=MANY or 25)
@given(networks())
def test_random_networks_agree_with_tvm(text: str) -> None:
    kept(text)


@pytest.mark.parametrize("path", sorted(FOUND.glob("*.cnn")), ids=lambda path: path.stem)
def test_what_once_failed(path: Path) -> None:
    whole(path.read_text("utf-8"))
