"""Guards which processors kernels on whole numbers are made for: features are checked before code is made, and all of a weight's 8
bits are used."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cnndsl.backends.tvm.emitters.quantized.kinds import without_dot_products
from cnndsl.backends.tvm.kernels.int8_projection import int8_projection
from cnndsl.backends.tvm.kernels.words.ending import Ending
from cnndsl.backends.tvm.kernels.words.quad_functions import functions
from cnndsl.backends.tvm.kernels.words.quads import _NEEDED, _TABLES, takes_quads, takes_tables
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.target import _FEATURES, find_cpu
from cnndsl.quantization.arithmetic import quantized_weight
from tests.backends.tvm.kernels.whole_numbers import CPUS

pytestmark = pytest.mark.tvm


def test_processors_that_gain_nothing_are_named_before_code_is_made() -> None:
    assert without_dot_products("portable") == ("x86-64-v2", "x86-64-v3", "x86-64-v4")
    assert without_dot_products("x86-64-v3,alderlake,icelake-server") == ("x86-64-v3",)
    assert without_dot_products("aarch64:neoverse-n1,aarch64:neoverse-v1") == ("neoverse-n1",)
    assert without_dot_products("c") == ("c",)
    assert without_dot_products("cuda:sm_80") == ()


@pytest.mark.parametrize("lanes", [16, 8, 4])
def test_code_asks_for_no_instruction_beyond_what_is_checked(lanes: int) -> None:
    # An instruction that the processor lacks would end the compiler: what the functions name is what is looked for before.
    asked = set(re.findall(r"\+([a-z0-9.]+)", functions(lanes)))
    names = _FEATURES["aarch64" if lanes == 4 else "x86_64"]
    implied = {"avx512f", "evex512"}
    assert {names.get(word, word) for word in asked} - implied <= _NEEDED[lanes] | _TABLES.get(lanes, frozenset())


def test_weights_have_all_of_their_8_bits() -> None:
    weight = np.random.default_rng(0).standard_normal((5, 7, 3, 3)).astype(np.float32)
    numbers, _ = quantized_weight(weight)
    assert numbers.dtype == np.int8
    assert np.abs(numbers.astype(int)).reshape(5, -1).max(axis=1).tolist() == [127] * 5


@pytest.mark.parametrize(
    ("cpu", "dots", "tables"),
    [
        ("x86-64-v3", False, False),
        ("alderlake", True, False),
        ("x86-64-v4", False, False),
        ("cascadelake", True, False),
        ("icelake-server", True, True),
        ("znver4", True, True),
        ("aarch64:neoverse-n1", False, False),
        ("aarch64:neoverse-v1", True, True),
    ],
)
def test_processors_tell_what_they_take(cpu: str, dots: bool, tables: bool) -> None:
    found = find_cpu(cpu if ":" in cpu else f"llvm:{cpu}")
    assert (takes_quads(found), takes_tables(found)) == (dots, tables)


@pytest.mark.parametrize(("lanes", "dot"), [(16, "vpdpbusd"), (8, "{vex}"), (4, "usdot")])
def test_code_for_other_processors_has_their_dot_products(lanes: int, dot: str) -> None:
    cpu = find_cpu("llvm:icelake-server" if lanes == 16 else CPUS[lanes])
    kernel = int8_projection(1, (9,), 32, 24, lanes, Ending())
    built = load_tvm().compile(load_tvm().IRModule({"main": kernel.prim_func()}), cpu.target)
    assert dot in built.mod.inspect_source("s")
