"""Guards kernels on whole numbers for 64-bit Arm: their machine code runs, under emulation, and gives the numbers of the
definition, those that the same tests demand of this machine's."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.target import find_cpu
from tests.backends.tvm.kernels import test_int8
from tests.backends.tvm.kernels.whole_numbers import CPUS

QEMU = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
CODES = {"int": 0, "uint": 1, "float": 2}
"""DLPack's."""
LANES = 4
pytestmark = [
    pytest.mark.tvm,
    pytest.mark.slow,
    pytest.mark.skipif(QEMU is None or find_spec("ziglang") is None, reason="takes QEMU and ziglang"),
]


def packed(arrays: Sequence[np.ndarray]) -> bytes:
    """The arrays as `emulated.c` reads them."""
    parts = [struct.pack("<i", len(arrays))]
    for array in arrays:
        name, bits = array.dtype.name.rstrip("0123456789"), 8 * array.itemsize
        parts.append(struct.pack(f"<iii{array.ndim}q", CODES[name], bits, array.ndim, *array.shape))
        parts.append(np.ascontiguousarray(array).tobytes())
    return b"".join(parts)


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("arm") / "harness.o"
    source = Path(__file__).with_name("emulated.c")
    zig("-O1", "-Wall", "-Werror", "-c", str(source), "-o", str(made))
    return made


def zig(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-musl", *arguments], check=True)


@pytest.fixture
def ran(harness: Path, tmp_path: Path) -> Callable[..., np.ndarray]:
    """What stands in for `whole_numbers.ran`."""
    cpu = find_cpu(CPUS[LANES])

    def run(kernel: Any, arguments: Sequence[np.ndarray], shape: tuple[int, ...], real: bool = False) -> np.ndarray:
        tvm, dtype = load_tvm(), np.float32 if real else np.int32
        assert kernel.lanes == LANES
        built = tvm.compile(tvm.IRModule({"main": kernel.prim_func()}), cpu.target)
        files = {name: str(tmp_path / name) for name in ("kernel.o", "program", "in", "out")}
        built.mod.write_to_file(files["kernel.o"], "o")
        zig("-static", str(harness), files["kernel.o"], "-lm", "-o", files["program"])
        Path(files["in"]).write_bytes(packed([*arguments, np.full(shape, -7, dtype)]))
        assert QEMU is not None
        subprocess.run([QEMU, "-cpu", "max", files["program"], files["in"], files["out"]], check=True)
        return np.fromfile(files["out"], dtype).reshape(shape)

    return run


SEEDS = range(4)
TESTS: list[Callable[[int], None]] = [
    test_int8.test_projections_are_exact,
    test_int8.test_convolutions_are_exact,
    test_int8.test_depthwise_convolutions_are_exact,
    test_int8.test_dense_layers_are_exact,
    lambda seed: test_int8.test_sums_products_and_norms_of_maps_are_exact("sum", seed),
    lambda seed: test_int8.test_sums_products_and_norms_of_maps_are_exact("scaled", seed),
    lambda seed: test_int8.test_sums_products_and_norms_of_maps_are_exact("norm", seed),
    test_int8.test_pictures_become_quads_with_the_zero_point_around,
]
NAMES = ["projections", "convolutions", "depthwise", "dense", "sums", "products", "norms", "pictures"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("test", TESTS, ids=NAMES)
def test_code_for_arm_gives_the_numbers_of_the_definition(
    test: Callable[[int], None], seed: int, ran: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_int8, "width", lambda seed: LANES)
    monkeypatch.setattr(test_int8, "ran", ran)
    test(seed)


def test_arm_looks_numbers_up(ran: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    from cnndsl.backends.tvm.kernels.int8_elementwise import Int8Table
    from cnndsl.backends.tvm.kernels.words.quads import quads

    r = np.random.default_rng(0)
    table, q = (r.integers(0, 256, n).astype(np.uint8) for n in (256, 4 * 65))
    found = ran(Int8Table(65, LANES), [quads(q, 0), quads(table, 0)], (65,))
    assert np.array_equal(found.view(np.uint8), table[q])
