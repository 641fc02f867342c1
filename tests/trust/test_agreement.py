"""Differential fuzzing: random networks of all layers, and everything we make of them, against each other and torch.

`CNNDSL_NETWORKS=2000` takes that many, from seed `CNNDSL_SEED` on (`make nightly`: others every day); otherwise the same
few each time. What fails is cut down to what it takes and written to `tests/trust/found`, where it stays as a test.
"""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.trust.agreement import compare, drawn_for, limits, static, torch_outputs, tvm_outputs, tvm_package
from tests.trust.programs import Case, builds, case, case_of

FOUND = Path(__file__).with_name("found")
MANY = int(os.environ.get("CNNDSL_NETWORKS", "0"))
FIRST = int(os.environ.get("CNNDSL_SEED", "0"))
PIECE = 16
"""Networks of one test: as many as there are kinds, so that pieces take alike."""


def pieces(few: int) -> list[range]:
    """The seeds, in pieces for processes to share."""
    end = FIRST + (MANY or few)
    return [range(start, min(start + PIECE, end)) for start in range(FIRST, end, PIECE)]


def whole(one: Case) -> None:
    """All that must be true of a program."""
    graph = static(one.text)
    weights, inputs = drawn_for(graph, one.count)
    expected = torch_outputs(graph, weights, inputs)
    package = tvm_package(graph, weights, one)
    if package is not None:
        found = tvm_outputs(graph, package, inputs)
        usual = dict.fromkeys(expected, 2e-2 if one.precision == "bf16" else 1e-4)
        try:
            compare(expected, found, usual)
        except AssertionError:
            compare(expected, found, limits(graph, weights, inputs, expected, one.precision))


def kept(one: Case) -> None:
    """Runs a case; one that fails is kept, without all that it also fails without."""
    try:
        whole(one)
    except Exception as error:
        least = smallest(one, type(error))
        FOUND.mkdir(exist_ok=True)
        (FOUND / f"{sha256(str(least).encode()).hexdigest()[:8]}.cnn").write_text(str(least), "utf-8")
        raise AssertionError(f"this network fails:\n{least}") from error


def smallest(one: Case, failure: type[Exception]) -> Case:
    """The plainest way to compile it, then lines and elements taken out one at a time, as long as it fails alike."""

    def fails(other: Case) -> bool:
        if other == one or not builds(other.text):
            return False
        try:
            whole(other)
        except failure:
            return True
        except Exception:  # noqa: BLE001  (another fault than the one that is looked for)
            return False
        return False

    for plainer in (
        Case(one.text),
        *(replace(one, **change) for change in ({"count": 1}, {"batch": (1,)}, {"tuned": 0})),
    ):
        if fails(plainer):
            one = plainer
    for separator in ("\n", " → "):
        parts = one.text.split(separator)
        for index in reversed(range(len(parts))):
            fewer = [*parts[:index], *parts[index + 1 :]]
            shorter = replace(one, text=separator.join(fewer))
            if fewer and fails(shorter):
                one, parts = shorter, fewer
    return one


@pytest.mark.parametrize("seeds", pieces(32), ids=str)
def test_random_networks_agree_with_torch(seeds: range) -> None:
    for seed in seeds:
        one = case(seed)
        graph = static(one.text)
        torch_outputs(graph, *drawn_for(graph, one.count))


@pytest.mark.tvm
@pytest.mark.parametrize("seeds", pieces(8), ids=str)
def test_random_networks_agree_with_tvm(seeds: range) -> None:
    failed = []
    for seed in seeds:
        try:
            kept(case(seed))
        except AssertionError as error:
            failed.append(f"seed {seed}: {error}")
    assert not failed, "\n".join(failed)


@pytest.mark.tvm
@pytest.mark.parametrize("path", sorted(FOUND.glob("*.cnn")), ids=lambda path: path.stem)
def test_what_once_failed(path: Path) -> None:
    whole(case_of(path.read_text("utf-8")))
