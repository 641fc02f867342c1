"""Guards `backends/tvm/target.py`. Each x86 by running it, Arm by its assembly, and packages that find their own
processor.
"""

from __future__ import annotations

import json
import platform
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.lower import lower
from cnndsl.backends.tvm.package.dump import assembly
from cnndsl.backends.tvm.package.loaded import Package, load
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.target import PORTABLE, Gpu, find_cpu, find_targets, untold
from cnndsl.diagnostics.errors import CnnError, MissingPart
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import inputs_for, relative_error, torch_outputs

pytestmark = pytest.mark.tvm
x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="code for x86")

TEXT = """
input 3×19×22
Conv3x3(24, 2) → BN → ReLU → DWConv3x3 → ReLU6 → add{ Conv3x3(24) → BN | id } → ReLU → MaxPool → GlobalAvgPool → FC(7)
"""


@x86
@pytest.mark.parametrize(("name", "lanes"), [("x86-64-v2", 4), ("x86-64-v3", 8), ("x86-64-v4", 16)])
def test_each_level_of_x86_gives_torchs_numbers(name: str, lanes: int) -> None:
    cpu = find_cpu(name)
    assert (cpu.lanes, cpu, cpu) == (lanes, find_cpu(f"llvm:{name}"), find_cpu(f"llvm -mcpu={name}"))
    if not set(cpu.features) <= (predict.cpu_features() or frozenset()):
        pytest.skip(f"this processor is no {name}")
    assert relative_error(parse_text(TEXT).graph, batch=1, count=2, target=name) < 1e-5


def test_words_for_targets() -> None:
    assert find_targets("cuda:sm_80") == Gpu("sm_80")
    assert [cpu.name for cpu in _cpus("aarch64,aarch64:cortex-a76")] == ["generic", "cortex-a76"]
    assert [asdict(cpu)["kind"] for cpu in _cpus("c")] == ["c"]
    for wrong in ("cuda", "cuda:80", "aarch64:znver4", "llvm:pentium9", "", "aarch64,x86-64-v3", "portable,c"):
        with pytest.raises(CnnError, match="unknown-target"):
            find_targets(wrong)


def _cpus(text: str) -> tuple[Any, ...]:
    found = find_targets(text)
    assert isinstance(found, tuple)
    return found


def test_arm_code_multiplies_and_adds_vectors_of_four() -> None:
    graph = parse_text(TEXT).graph
    compiled = lower(graph, program_of(graph, drawn_weights(graph, 0)), Job(find_cpu("aarch64:cortex-a76")), "drawn")
    text = assembly(compiled.code.executable.mod)  # type: ignore[attr-defined]
    vectors = len(re.findall(r"\bfmla\tv\d+\.4s, v\d+\.4s", text))
    scalars = len(re.findall(r"\bfmadd\ts\d+", text))
    assert vectors > 100
    assert vectors > 20 * scalars


@pytest.mark.slow
@x86
def test_an_arm_package_is_linked_here_and_refused_here(tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    package = build(parse_text(TEXT).graph, target="aarch64")
    path = package.export(tmp_path / "arm")
    arm64 = 183
    assert int.from_bytes((path / "lib.so").read_bytes()[18:20], "little") == arm64
    with pytest.raises(MissingPart, match="it is for aarch64, and this machine is x86_64"):
        load(path)
    with pytest.raises(MissingPart, match="aarch64"):
        package(np.zeros((3, 19, 22), np.float32))


@pytest.fixture(scope="module")
def portable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    graph = parse_text(TEXT).graph
    package = build(graph, drawn_weights(graph, 1), target="portable")
    return package.export(tmp_path_factory.mktemp("portable") / "p")


@x86
def test_a_portable_package_takes_the_best_code_this_processor_runs(
    portable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = parse_text(TEXT).graph
    inputs = inputs_for(graph, 1)
    (expected,) = torch_outputs(graph, drawn_weights(graph, 1), inputs).values()
    manifest = json.loads((portable / "manifest.json").read_text("utf-8"))
    assert [v["target"]["mcpu"] for v in manifest["variants"]] == list(PORTABLE)
    here = predict.cpu_features()
    assert here is not None
    for variant in manifest["variants"]:
        level = frozenset(variant["features"])
        monkeypatch.setattr(predict, "cpu_features", lambda level=level: level & here)
        if not level <= here:
            continue
        assert predict.suitable(manifest) == variant
        loaded = load(portable)
        assert np.abs(loaded(*inputs.values()) - expected).max() < 1e-5 * np.abs(expected).max()
        assert loaded.self_test() <= 1e-4
    monkeypatch.setattr(predict, "cpu_features", lambda: frozenset({"pni"}))
    with pytest.raises(MissingPart, match=r"x86-64-v2 takes .*sse4_2.*, which this processor lacks"):
        load(portable)


@x86
def test_a_changed_library_for_another_processor_is_not_this_ones_matter(portable: Path, tmp_path: Path) -> None:
    import shutil

    path = tmp_path / "copy"
    shutil.copytree(portable, path)
    manifest = json.loads((path / "manifest.json").read_text("utf-8"))
    used = predict.suitable(manifest)["programs"][0]["library"]
    libraries = [v["programs"][0]["library"] for v in manifest["variants"]]
    other = next(name for name in libraries if name != used)
    (path / other).write_bytes(b"")
    assert isinstance(load(path), Package)
    # This process has loaded the old file, which must not change under it: another one takes its place.
    (path / used).unlink()
    (path / used).write_bytes(b"")
    with pytest.raises(CnnError, match="damaged-package"):
        load(path)


def test_features_are_those_the_system_lists() -> None:
    text = Path("/proc/cpuinfo")
    if not text.exists():
        assert predict.cpu_features() is None
        return
    own = find_cpu("llvm")
    assert set(own.features) <= (predict.cpu_features() or frozenset())


def test_instructions_that_the_system_lists_and_llvm_does_not_know_of_are_added() -> None:
    """Hypervisors describe a Sapphire Rapids by Rocket Lake's model number, which LLVM goes by."""
    cpu, listed = find_cpu("llvm:rocketlake"), frozenset({"avx512f", "avx512_bf16", "amx_bf16", "avx512_fp16"})
    assert "avx512_bf16" not in cpu.features
    assert cpu.more == ()
    assert untold(cpu, listed) == ("avx512bf16",)
    told = replace(cpu, more=("avx512bf16",))
    assert set(told.features) - set(cpu.features) == {"avx512_bf16"}
    assert told.spelled["mattr"] == ["+avx512bf16"]
    assert untold(cpu, frozenset({"avx512f"})) == ()
    assert untold(find_cpu("llvm:sapphirerapids"), listed) == ()
    assert untold(find_cpu("llvm:x86-64-v3"), listed) == ()
    assert untold(find_cpu("aarch64"), listed | {"bf16"}) == ()


@pytest.mark.skipif("avx512_bf16" not in (predict.cpu_features() or ()), reason="this processor has no AVX512_BF16")
def test_this_machine_s_bfloat16_is_used_whatever_its_processor_is_called() -> None:
    assert "avx512_bf16" in find_cpu("llvm").features
