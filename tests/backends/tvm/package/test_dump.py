"""Guards `backends/tvm/package/dump.py` and `backends/tvm/package/built.py`. Every stage of a compilation can be
read.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.package.built import BuiltPackage
from cnndsl.backends.tvm.package.loaded import load
from cnndsl.backends.tvm.program.passes import PASSES
from cnndsl.pipeline import parse_text

pytestmark = pytest.mark.tvm

TEXT = "input 3×16×16\nConv3x3(16) as one → BN → ReLU → add{ id | Conv3x3(16) as two } → GlobalAvgPool → FC(4) as y"


def test_stages_of_each_processor_and_batch_size(tmp_path: Path) -> None:
    package = build(parse_text(TEXT).graph, target="x86-64-v3,x86-64-v4", batch=(1, 2))
    package.dump(tmp_path / "d")
    folders = sorted(str(p.relative_to(tmp_path / "d")) for p in (tmp_path / "d").glob("*/*"))
    assert folders == [f"x86-64-v{level}/batch{size}" for level in (3, 4) for size in (1, 2)]
    own = tmp_path / "d" / "x86-64-v4" / "batch2"
    assert sorted(p.name for p in own.iterdir()) == [
        "1-passes", "1-program.txt", "2-groups.txt", "3-joins.txt", "4-calls.txt", "5-relax.txt", "6-relax-lowered.txt",
        "7-assembly.s", "kernels",
    ]  # fmt: skip
    program = (own / "1-program.txt").read_text("utf-8")
    assert "BN" not in program
    assert "0: 16×16×16 = Conv" in program
    passes = {p.stem: p.read_text("utf-8") for p in sorted((own / "1-passes").iterdir())}
    assert [*passes] == ["0-as_written", *(f"{i}-{run.__name__}" for i, run in enumerate(PASSES, 1))]
    assert passes["3-channels_first"].count("= BN of") == 1
    assert passes["4-with_factors_folded"] == program
    assert "add" in (own / "2-groups.txt").read_text("utf-8")
    functions = [p.stem for p in (own / "kernels").iterdir()]
    calls = (own / "4-calls.txt").read_text("utf-8")
    lowered = (own / "6-relax-lowered.txt").read_text("utf-8")
    assert all(name in lowered for name in functions)
    assert any(name in calls for name in functions)
    assert "zmm" in (own / "7-assembly.s").read_text("utf-8")
    assert "zmm" not in (tmp_path / "d" / "x86-64-v3" / "batch1" / "7-assembly.s").read_text("utf-8")


def test_a_loaded_package_is_called_and_cannot_be_written_again(tmp_path: Path) -> None:
    built = build(parse_text("input 3×4×4\nReLU").graph)
    loaded = load(built.export(tmp_path / "p"))
    assert isinstance(built, BuiltPackage)
    assert not isinstance(loaded, BuiltPackage)
    assert loaded.manifest.model == built.manifest.model
    assert not {"export", "dump", "compiled"} & set(dir(loaded))
