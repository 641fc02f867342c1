"""Guards `backends/tvm/kernels/kernel.py` and `backends/tvm/kernels/choices.py`. All candidates compute the same;
settings from files choose among them alone.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from cnndsl.backends.tvm.kernels.choices import Choices
from cnndsl.backends.tvm.kernels.kernel import Tunable, key, settings, tunable_fields
from cnndsl.backends.tvm.kernels.projection import Projection
from cnndsl.backends.tvm.kernels.words.nest import parts
from cnndsl.backends.tvm.tuning.problems import KernelProblem, Subject
from tests.backends.tvm.tuning.networks import TEXT, subject_of


@pytest.fixture(scope="module")
def subject() -> Subject:
    return subject_of(TEXT)


def test_keys_name_problems_and_not_settings(subject: Subject) -> None:
    for problem in subject.problems:
        kernel = problem.kernel
        assert isinstance(kernel, Tunable)
        names = tunable_fields(kernel)
        for candidate in kernel.candidates():
            assert tunable_fields(candidate) == names
            assert key(candidate) == problem.key
        assert not any(f" {name}=" in problem.key for name in names)


def test_settings_survive_json_and_find_their_candidate(subject: Subject) -> None:
    for problem in subject.problems:
        for setting, candidate in settings(problem.kernel):
            read = json.loads(json.dumps(setting))
            assert Choices({problem.key: read}).apply(problem.kernel) == candidate


@pytest.mark.parametrize("setting", [{}, {"tile": [64, 64]}, {"tile": "__import__"}, {"prim_func": 1}, {"batch": 2}])
def test_settings_that_are_no_candidates_are_not_taken(subject: Subject, setting: dict[str, object]) -> None:
    for problem in subject.problems:
        assert Choices({problem.key: setting}).apply(problem.kernel) == problem.kernel


def test_all_candidates_compute_the_same(subject: Subject) -> None:
    """Each against the rule's own, on arguments laid out for both where these are the same."""
    for problem in subject.problems:
        _check(problem, subject)


def _check(problem: KernelProblem, subject: Subject) -> None:
    import tvm

    rng = np.random.default_rng(0)
    first, *others = problem.kernel.candidates()
    layout = _layout(first)
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in _shapes(first)]
    expected = _run(tvm, first, arrays, subject)
    for other in others[:: max(1, len(others) // 3)]:
        if _layout(other) == layout:
            found = _run(tvm, other, arrays, subject)
            assert np.abs(found - expected).max() <= 2e-5 * np.abs(expected).max(), other


def _layout(kernel: Tunable) -> tuple[object, ...]:
    """Shapes of the arguments, and what else decides where their numbers are."""
    blocks = parts(kernel.chunks_out, kernel.tile[0]) if isinstance(kernel, Projection) else None
    return *_shapes(kernel), blocks


def _shapes(kernel: Tunable) -> list[tuple[int, ...]]:
    return [tuple(int(n) for n in parameter.shape) for parameter in kernel.prim_func().params]


def _run(tvm: object, kernel: Tunable, arrays: list[np.ndarray], subject: Subject) -> np.ndarray:
    function = kernel.prim_func().with_attr("global_symbol", "main")
    module = tvm.compile(tvm.IRModule({"main": function}), subject.job.cpu.target)  # type: ignore[attr-defined]
    tensors = [tvm.runtime.tensor(array) for array in arrays]  # type: ignore[attr-defined]
    module["main"](*tensors)
    return np.asarray(tensors[-1].numpy())
