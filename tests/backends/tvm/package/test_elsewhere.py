"""Guards packages for other machines: 64-bit Arm executed by qemu, WebAssembly by Node; for Windows and macOS what is linked
is looked at, and not executed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.code.alone import DRIVER, SOURCES, Ports, parts
from cnndsl.backends.tvm.code.kinds import Native
from cnndsl.backends.tvm.package.built import BuiltPackage
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import load, parse_text
from tests.backends.tvm.quantized.definition import drawn
from tests.backends.tvm.quantized.networks import NETWORKS

pytest.importorskip("ziglang")
pytestmark = [pytest.mark.tvm, pytest.mark.slow]

HERE = Path(__file__).parent
NAMES = ("lenet5", "resnet18", "mobilenet_v2", "squeezenet1_1", "shufflenet_v2_x1_0")
WHOLE = ("sums", "unet", "lenet")


def graph_of(name: str) -> Graph:
    return load(name, {}, {} if name == "lenet5" else {"input": "3×64×64"}).graph


def floats(name: str, target: str) -> BuiltPackage:
    graph = graph_of(name)
    return build(graph, drawn_weights(graph, 3), target=target)


def expected_of(folder: Path) -> tuple[bytes, list[np.ndarray]]:
    """The sample of a package: its inputs as bytes, one behind the other, and its outputs."""
    manifest, sample = predict.read_manifest(folder), predict.read_weights(folder / "sample.safetensors")
    given = b"".join(sample[f"input.{port['name']}"].tobytes() for port in manifest["inputs"])
    return given, [sample[f"output.{port['name']}"] for port in manifest["outputs"]]


def agree(found: bytes, expected: list[np.ndarray], tolerance: float) -> None:
    for array in expected:
        own, found = np.frombuffer(found[: array.nbytes], array.dtype), found[array.nbytes :]
        scale = np.abs(array.astype(np.float64)).max()
        assert np.ptp(array) > 0
        assert np.abs(own.astype(np.float64) - array.ravel()).max() <= tolerance * scale
    assert found == b""


def program(package: BuiltPackage, folder: Path, into: Path, target: str) -> Path:
    """A program for the target that has the network in it and takes nothing of the system."""
    ((compiled,),) = package._variants
    assert isinstance(compiled.code, Native)
    assert compiled.code.alone is not None
    manifest = predict.read_manifest(folder)
    names = [tuple(port["name"] for port in manifest[kind]) for kind in ("inputs", "outputs")]
    keys = tuple(manifest["variants"][0]["programs"][0]["constants"])
    source, objects = parts(compiled.code.executable, compiled.code.alone, Ports(names[0], names[1], keys), into)
    sources = [*(str(DRIVER / name) for name in SOURCES), str(HERE / "pipe.c"), str(source)]
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-std=c11", "-O2", "-static", f"-I{DRIVER}"]
    done = subprocess.run(
        [*zig, *sources, *objects, "-o", str(into / "run")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return into / "run"


@pytest.mark.skipif(shutil.which("qemu-aarch64") is None, reason="takes qemu-user")
@pytest.mark.parametrize("name", [*NAMES, *(f"int8 {name}" for name in WHOLE)])
def test_arm_gives_the_numbers_of_this_machine(name: str, tmp_path: Path) -> None:
    if name.startswith("int8 "):
        graph = parse_text(NETWORKS[name[5:]], name).graph
        package = build(graph, target="aarch64", quantization=drawn(graph, seed=4).quantization)
    else:
        package = floats(name, "aarch64")
    folder = package.export(tmp_path / "p")
    given, expected = expected_of(folder)
    made = program(package, folder, tmp_path, "aarch64-linux-musl")
    command = ["qemu-aarch64", str(made), str(folder / "weights.safetensors")]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    agree(done.stdout, expected, package.manifest.tolerance / 10)
    text = subprocess.run(["readelf", "-hd", str(folder / "lib.so")], capture_output=True, text=True, check=True).stdout
    assert "AArch64" in text
    assert "tvm" not in text


NODE = """
import { readFileSync, writeFileSync } from "node:fs";
const folder = process.argv[2];
const { Network } = await import(`${folder}/network.mjs`);
const net = await Network.open(readFileSync(`${folder}/lib.wasm`), readFileSync(`${folder}/weights.safetensors`));
const given = readFileSync(0);
let at = 0;
const inputs = {};
for (const { name, bytes } of net.inputs) {
  inputs[name] = new Float32Array(given.buffer.slice(given.byteOffset + at, given.byteOffset + at + bytes));
  at += bytes;
}
for (let i = 0; i < 3; ++i) var found = net.run(inputs);
const wrong = [() => net.run({}), () => net.run({ [net.inputs[0].name]: new Float32Array(1) })];
for (const call of wrong) {
  let said = "";
  try { call(); } catch (error) { said = error.message; }
  if (!said.includes("must be")) throw new Error(`not refused: ${said}`);
}
process.stdout.write(Buffer.concat(net.outputs.map(({ name }) => new Uint8Array(found[name].buffer))));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="takes Node")
@pytest.mark.parametrize("name", ["lenet5", "mobilenet_v2"])
def test_node_gives_the_numbers_of_this_machine(name: str, tmp_path: Path) -> None:
    folder = floats(name, "wasm32").export(tmp_path / "p")
    given, expected = expected_of(folder)
    (tmp_path / "run.mjs").write_text(NODE)
    done = subprocess.run(
        ["node", str(tmp_path / "run.mjs"), str(folder)], input=given, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    # WebAssembly has no multiplication with an addition in one step: other roundings.
    agree(done.stdout, expected, 1e-5)
    with pytest.raises(predict.UnsuitableError, match="wasm32"):
        predict.load(folder)


@pytest.mark.parametrize(
    ("triple", "cpu", "ending", "magic"),
    [
        ("x86_64-w64-windows-gnu", "x86-64-v3", "dll", b"MZ"),
        ("arm64-apple-macosx11.0.0", "apple-m1", "dylib", b"\xcf\xfa\xed\xfe"),
    ],
)
def test_libraries_for_windows_and_macos_have_the_four_functions(
    tmp_path: Path, triple: str, cpu: str, ending: str, magic: bytes
) -> None:
    """Linked and looked at; there is no such machine here that could run them."""
    package = floats("lenet5", f"llvm -mcpu={cpu} -mtriple={triple}")
    folder = package.export(tmp_path / "p")
    content = (folder / f"lib.{ending}").read_bytes()
    assert content.startswith(magic)
    for name in ("network_open", "network_run", "network_close", "network_error"):
        assert name.encode() in content
    (variant,) = json.loads((folder / "manifest.json").read_text("utf-8"))["variants"]
    assert variant["system"] == {"dll": "win32", "dylib": "darwin"}[ending]
