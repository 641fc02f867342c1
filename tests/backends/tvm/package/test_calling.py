"""Guards packages as other languages use them: C++, Rust and Go, by CMake and pkg-config, and over HTTP."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.package.loaded import load
from cnndsl.pipeline import parse_text

pytestmark = [pytest.mark.tvm, pytest.mark.slow, pytest.mark.skipif(shutil.which("cc") is None, reason="takes cc")]

DOCS = Path(__file__).parents[4] / "docs"
TEXT = "input 3×8×8\nConv3x3(16) → ReLU → MaxPool → FC(5)"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    graph = parse_text(TEXT, "net.cnn").graph
    return build(graph, drawn_weights(graph, 3)).export(tmp_path_factory.mktemp("called") / "package")


def done(command: list[str], folder: Path, **environment: str) -> str:
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=os.environ | environment
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def right(said: str, exported: Path) -> None:
    expected = load(exported)(np.ones((3, 8, 8), np.float32))
    assert np.array_equal(np.array(said.split(), np.float32), expected[0])


def first_line(name: str) -> str:
    """How a file says that it is built."""
    return (DOCS / "calling" / name).read_text("utf-8").partition("\n")[0].removeprefix("// ")


@pytest.mark.parametrize(("name", "compiler"), [("call.cpp", "g++"), ("call.rs", "rustc"), ("call.go", "go")])
def test_other_languages_get_the_numbers(name: str, compiler: str, exported: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler}")
    folder = exported.parent
    shutil.copy(DOCS / "calling" / name, folder)
    said = done(["bash", "-c", first_line(name)], folder, CGO_ENABLED="1")
    if name != "call.go":
        said = done(["./call", "package/weights.safetensors"], folder)
    right(said, exported)


def test_pkg_config_and_cmake_find_the_library(exported: Path, tmp_path: Path) -> None:
    shutil.copy(DOCS / "calling" / "call.cpp", tmp_path)
    if shutil.which("pkg-config") and shutil.which("g++"):
        flags = done(["pkg-config", "--cflags", "--libs", "network"], tmp_path, PKG_CONFIG_PATH=str(exported)).split()
        done(["g++", "-std=c++17", "call.cpp", *flags, "-o", "call"], tmp_path)
        right(done(["./call", str(exported / "weights.safetensors")], tmp_path), exported)
    if shutil.which("cmake"):
        (tmp_path / "CMakeLists.txt").write_text(
            f"cmake_minimum_required(VERSION 3.13)\nproject(call CXX)\ninclude({exported}/network.cmake)\n"
            "add_executable(called call.cpp)\ntarget_compile_features(called PRIVATE cxx_std_17)\n"
            "target_link_libraries(called PRIVATE network::network)\n"
        )
        done(["cmake", "-S", ".", "-B", "made"], tmp_path)
        done(["cmake", "--build", "made"], tmp_path)
        right(done(["made/called", str(exported / "weights.safetensors")], tmp_path), exported)


def test_a_service_answers_many_at_once(exported: Path) -> None:
    pytest.importorskip("starlette")
    pytest.importorskip("uvicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, str(DOCS / "serving" / "server.py"), str(exported), port]
    with subprocess.Popen(command) as server:
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                        break
                time.sleep(0.1)
            said = done([sys.executable, str(DOCS / "serving" / "load.py"), port, "3x8x8", "8", "1"], exported)
            assert re.fullmatch(
                r"[0-9.]+ requests a second; half of them in [0-9.]+ ms, 99 of 100 in [0-9.]+ ms\n", said
            )
            body = np.ones((3, 8, 8), np.float32).tobytes()
            for size, status in ((len(body), b"200"), (len(body) - 4, b"400")):
                with socket.create_connection(("127.0.0.1", int(port))) as asked:
                    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
                    asked.sendall(head.encode() + body[:size])
                    answer = b"".join(iter(lambda: asked.recv(4096), b""))
                assert answer.split(b" ", 2)[1] == status
                if status == b"200":
                    found = np.frombuffer(answer.partition(b"\r\n\r\n")[2], np.float32)
                    assert np.array_equal(found, load(exported)(np.ones((3, 8, 8), np.float32))[0])
        finally:
            server.terminate()
