"""Guards `backends/tvm/driver/` and packages that need NumPy alone. The same bits as TVM's runtime gives, no symbol of
TVM, C programs, one pool for all networks, and nothing believed that a file says.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm import predict
from cnndsl.backends.tvm.build import build
from cnndsl.backends.tvm.code.alone import DRIVER, SOURCES, Ports, parts
from cnndsl.backends.tvm.code.kinds import Native
from cnndsl.backends.tvm.options import CompileOptions
from cnndsl.backends.tvm.package.built import BuiltPackage
from cnndsl.backends.tvm.package.loaded import load
from cnndsl.diagnostics.errors import Refused
from cnndsl.pipeline import parse_text

pytestmark = [pytest.mark.tvm, pytest.mark.skipif(shutil.which("cc") is None, reason="takes a C compiler")]

TEXT = """
input x: 16×9×9
input v: 6
a = x → cat{ Conv1x1(16) → ReLU | Conv3x3(16) → SiLU | MaxPool3x3(1, pad=1) } → Conv3x3(20) → BN → ReLU → FC(6)
b = a → add{ id | FC(6) → Sigmoid }
output b, v, a
"""
"""Parts of a map computed where they lie, memory for kernels, several outputs, and one that is an input."""

WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes", "-std=c11", "-O2", "-fPIC")


@pytest.fixture(scope="module")
def package() -> BuiltPackage:
    graph = parse_text(TEXT, "net.cnn").graph
    return build(graph, drawn_weights(graph, 3), batch=(1, 2), options=CompileOptions(threads=2))


@pytest.fixture(scope="module")
def exported(package: BuiltPackage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package.export(tmp_path_factory.mktemp("packages") / "p")


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def drawn(batch: int, seed: int = 0) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {
        "x": draw.standard_normal((batch, 16, 9, 9)).astype(np.float32),
        "v": draw.standard_normal((batch, 6)).astype(np.float32),
    }


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_bit_is_that_of_tvms_runtime(package: BuiltPackage, exported: Path, threads: int) -> None:
    alone = load(exported, threads)
    for batch in (1, 3, 5):
        inputs = drawn(batch, batch)
        expected, found = package(**inputs), alone(**inputs)
        assert list(found) == ["b", "v", "a"]
        assert all(np.array_equal(found[name], expected[name]) for name in found)
        assert np.ptp(found["b"]) > 0.1
        assert np.array_equal(found["v"], inputs["v"])
        assert not np.may_share_memory(found["v"], inputs["v"])


def test_the_library_asks_for_nothing_of_tvm(exported: Path) -> None:
    done = subprocess.run(["nm", "-D", str(exported / "lib-batch1.so")], capture_output=True, text=True, check=True)
    symbols = [line.split() for line in done.stdout.splitlines()]
    assert not [s for s in symbols if "TVM" in s[-1] or "tvm" in s[-1]]
    given = {s[-1] for s in symbols if s[-2] in ("T", "u")}
    assert given == {
        "network_open", "network_open_bytes", "network_run", "network_close", "network_error", "network_pool_1",
    }  # fmt: skip


FRESH = """
import os, sys
sys.path.insert(0, __FOLDER__)
for name in ("cnndsl", "pydantic", "tvm", "tvm_ffi", "torch"):
    sys.modules[name] = None  # from here on importing it is an error
from predict import load
network = load(__FOLDER__)
assert network.self_test() == 0
maps = open("/proc/self/maps").read() if os.path.exists("/proc/self/maps") else ""
print("tvm" in maps, "torch" in maps)
"""


def test_a_fresh_process_loads_numpy_alone(exported: Path) -> None:
    program = FRESH.replace("__FOLDER__", repr(str(exported)))
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False False\n"), done.stderr


def test_arrays_may_start_anywhere(exported: Path) -> None:
    network = load(exported)
    inputs = drawn(2)
    expected = network(**inputs)
    odd = {}
    for name, array in inputs.items():
        room = np.zeros(array.nbytes + 4, np.uint8)
        odd[name] = room[4:].view(array.dtype).reshape(array.shape)
        odd[name][...] = array
        odd[name].flags.writeable = False
    found = network(**odd)
    assert all(np.array_equal(found[name], expected[name]) for name in found)


@pytest.mark.skipif(sys.platform != "linux", reason="takes /proc and the loader of glibc")
def test_all_networks_of_a_process_share_one_pool(exported: Path, copy: Path) -> None:
    """Two libraries, each with its own copy of the driver: as many threads as the one that asks for most."""
    program = f"""
import os, sys
sys.path.insert(0, {str(exported)!r})
import numpy as np
from predict import load
before = len(os.listdir("/proc/self/task"))
inputs = dict(x=np.ones((2, 16, 9, 9), np.float32), v=np.ones((2, 6), np.float32))
networks = [load(folder, threads) for folder in {[str(exported), str(copy)]!r} for threads in (2, 3)]
results = [network(**inputs)["b"] for network in networks]
assert all(np.array_equal(r, results[0]) for r in results)
print(len(os.listdir("/proc/self/task")) - before)
"""
    # NumPy's own threads would be counted, too.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


@pytest.mark.parametrize("change", ["missing", "shape", "type", "outside", "header", "short"])
def test_weights_that_are_not_the_networks_are_refused(copy: Path, change: str) -> None:
    path = copy / "weights.safetensors"
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    name = next(key for key in header if key != "__metadata__")
    entry = header[name]
    if change == "missing":
        header["other"] = header.pop(name)
    elif change == "shape":
        entry["shape"] = [1, *entry["shape"]]
    elif change == "type":
        entry["dtype"] = "I32"
    elif change == "outside":
        entry["data_offsets"] = [n + 2**40 for n in entry["data_offsets"]]
    changed = json.dumps(header).encode()
    written = len(changed).to_bytes(8, "little") + changed + data[8 + length :]
    if change == "header":
        written = (2**60).to_bytes(8, "little") + data[8:]
    elif change == "short":
        written = data[: len(data) // 2]
    path.write_bytes(written)
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    manifest["files"][path.name] = sha256(written).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(Refused, match=r"damaged-package.*weights\.safetensors.* (has no|holds no|its) "):
        load(copy)


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
@pytest.mark.parametrize("what", ["shape", "dtype", "missing"])
def test_a_manifest_that_is_not_the_librarys_is_refused_before_anything_runs(
    exported: Path, kind: str, what: str
) -> None:
    """C believes its sizes: numbers behind an array's end would be read, or written."""
    manifest = predict.read_manifest(exported)
    ports = {name: [dict(port) for port in manifest[name]] for name in ("inputs", "outputs")}
    if what == "missing":
        ports[kind].pop()
    elif what == "shape":
        ports[kind][0]["shape"] = [n + 1 for n in ports[kind][0]["shape"]]
    else:
        ports[kind][0]["dtype"] = "int8"
    files = str(exported / "lib-batch1.so"), str(exported / "weights.safetensors")
    with pytest.raises(ValueError, match="the manifest"):
        predict._Alone(*files, ports["inputs"], ports["outputs"], 1, None)


def test_a_package_of_tvms_runtime_is_run_too(tmp_path: Path) -> None:
    graph = parse_text("input 3×4×4\nConv3x3(4) → ReLU", "net.cnn").graph
    older = build(graph, drawn_weights(graph, 1), options=CompileOptions(runtime="tvm")).export(tmp_path / "p")
    manifest = json.loads((older / "manifest.json").read_text("utf-8"))
    assert manifest.pop("runtime") == "tvm"
    # Packages that were written before there was another runtime do not say theirs.
    (older / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert not (older / "network.h").exists()
    assert load(older).self_test() == 0


CALLER = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "network.h"

int main(int count, char **words) {
  network *net = count == 2 ? network_open(words[1], 2) : NULL;
  if (!net) return fprintf(stderr, "%s\n", network_error()), 1;
  void *arrays[8] = {0};
  for (size_t i = 0; i < net->inputs + net->outputs; ++i) {
    arrays[i] = malloc(net->arrays[i].bytes + 4);
    memset(arrays[i], 0, net->arrays[i].bytes + 4);
    /* Not where vectors can be read. */
    arrays[i] = (char *)arrays[i] + 4;
  }
  for (size_t i = 0; i < net->inputs; ++i)
    for (size_t k = 0; k < net->arrays[i].bytes / 4; ++k) ((float *)arrays[i])[k] = (float)(k % 7) - 3;
  for (int again = 0; again < 100; ++again)
    if (network_run(net, (const void *const *)arrays, arrays + net->inputs)) return fprintf(stderr, "%s\n", network_error()), 1;
  for (size_t i = net->inputs; i < net->inputs + net->outputs; ++i)
    for (size_t k = 0; k < net->arrays[i].bytes / 4; ++k) printf("%s %.9g\n", net->arrays[i].name, ((float *)arrays[i])[k]);
  for (size_t i = 0; i < net->inputs + net->outputs; ++i) free((char *)arrays[i] - 4);
  network_close(net);
  return 0;
}
"""


def test_a_c_program_needs_the_header_and_the_library_alone(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "caller.c").write_text(CALLER)
    library = str(exported / "lib-batch1.so")
    build = ["cc", *WARNINGS, f"-I{exported}", "-o", "caller", "caller.c", library, f"-Wl,-rpath,{exported}"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    weights = exported / "weights.safetensors"
    done = subprocess.run([tmp_path / "caller", weights], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = [float(line.split()[1]) for line in done.stdout.splitlines()]
    shapes = {"x": (1, 16, 9, 9), "v": (1, 6)}
    inputs = {n: (np.arange(np.prod(s), dtype=np.float32) % 7 - 3).reshape(s) for n, s in shapes.items()}
    expected = load(exported)(**inputs)
    assert np.array_equal(np.array(found, np.float32), np.concatenate([expected[name][0] for name in ("b", "v", "a")]))
    done = subprocess.run([tmp_path / "caller", "/nowhere"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "/nowhere: No such file or directory\n")


@pytest.mark.parametrize(
    "compiler", [("gcc",), pytest.param((sys.executable, "-m", "ziglang", "cc"), marks=pytest.mark.slow)]
)
def test_the_driver_compiles_without_a_warning(tmp_path: Path, compiler: tuple[str, ...]) -> None:
    if compiler == ("gcc",) and shutil.which("gcc") is None:
        pytest.skip("there is no gcc")
    if len(compiler) > 1:
        pytest.importorskip("ziglang")
    for name in SOURCES:
        command = [*compiler, *WARNINGS, "-c", str(DRIVER / name), "-o", str(tmp_path / "made.o")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def _stress(package: BuiltPackage, exported: Path, tmp_path: Path, *options: str) -> Path:
    """A program that has the driver and the network in it, both as the options say."""
    compiled = package.compiled(1)
    native = compiled.code
    assert isinstance(native, Native)
    assert native.alone is not None
    manifest = predict.read_manifest(exported)
    names = [tuple(port["name"] for port in manifest[kind]) for kind in ("inputs", "outputs")]
    keys = tuple(manifest["variants"][0]["programs"][0]["constants"])
    source, objects = parts(native.executable, native.alone, Ports(names[0], names[1], keys), tmp_path)
    ours = [str(DRIVER / name) for name in SOURCES] + [str(Path(__file__).parent / "stress.c"), str(source)]
    command = ["cc", "-std=c11", "-g", "-O1", f"-I{DRIVER}", *options, *ours, *objects, "-lm", "-o", "stress"]
    done = subprocess.run([*command, "-pthread"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return tmp_path / "stress"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sanitizer", "ways"), [("thread", ["threads"]), ("address,undefined", ["threads", "forks", "files"])]
)
def test_sanitizers_have_nothing_to_say(
    package: BuiltPackage, exported: Path, tmp_path: Path, sanitizer: str, ways: list[str]
) -> None:
    options = (f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all")
    program = _stress(package, exported, tmp_path, *options)
    for way in ways:
        command = [str(program), str(exported / "weights.safetensors"), way]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
