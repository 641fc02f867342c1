"""Guards `backends/tvm/code/linking.py`. Libraries are linked by whichever compiler there is."""

from __future__ import annotations

import ctypes
import shutil
import sys
from pathlib import Path

import pytest

from cnndsl.backends.tvm.code import linking
from cnndsl.backends.tvm.code.linking import compiler, linker
from cnndsl.diagnostics.errors import MissingPart

SOURCE = "#include <math.h>\ndouble five(double x) { return floor(x) + sqrt(x - 0.75 + 16); }\n"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("CC", "CXX"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "bin"


def five(library: Path) -> float:
    function = ctypes.CDLL(str(library)).five
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    return float(function(1.0))


def test_the_systems_compiler_is_taken_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = shutil.which("cc")
    if found is None:
        pytest.skip("there is no cc")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    assert compiler() == (found,)
    monkeypatch.setenv("CC", f"{found} -O1")
    assert compiler() == (found, "-O1")
    (tmp_path / "a.c").write_text(SOURCE)
    linker()(str(tmp_path / "a.so"), [str(tmp_path / "a.c")])
    assert five(tmp_path / "a.so") == pytest.approx(1 + 16.25**0.5)


def test_without_one_zig_from_the_registry_links(bare: Path, tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    assert compiler() == (sys.executable, "-m", "ziglang", "cc")
    assert compiler("aarch64")[-2:] == ("-target", "aarch64-linux-gnu")
    (tmp_path / "a.c").write_text(SOURCE)
    linker()(str(tmp_path / "a.so"), [str(tmp_path / "a.c")])
    assert five(tmp_path / "a.so") == pytest.approx(1 + 16.25**0.5)


def test_a_cross_compiler_has_the_name_of_its_machine(bare: Path) -> None:
    cross = bare / "riscv64-linux-gnu-gcc"
    cross.write_text("#!/bin/sh\n")
    cross.chmod(0o755)
    assert compiler("riscv64") == (str(cross),)


def test_without_any_it_says_what_to_install(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "find_spec", lambda _name: None)
    with pytest.raises(MissingPart, match="pip install ziglang"):
        compiler()
    with pytest.raises(MissingPart, match="gcc-aarch64-linux-gnu"):
        compiler("aarch64" if linking.own_architecture() != "aarch64" else "x86_64")


def test_a_compiler_that_fails_is_named_with_what_it_said(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = bare / "cc"
    broken.write_text("#!/bin/sh\necho 'no space left' >&2\nexit 4\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(bare))
    with pytest.raises(MissingPart, match="cc could not link the package: no space left"):
        linker()(str(tmp_path / "a.so"), [])
