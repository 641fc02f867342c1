"""A small good file of every kind that is not kept as bytes, because it is another on every machine: made when asked for."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl import pipeline
from cnndsl.ir.graph import Graph

if TYPE_CHECKING:
    from cnndsl.backends.tvm.package.built import BuiltPackage

NETWORK = "input 1×8×8\nConv3x3(4) → ReLU → GlobalAvgPool → FC(2)"


@cache
def folder() -> Path:
    """A folder in memory, where there is one; it goes with the process."""
    memory = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory if os.access(memory, os.W_OK) else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def network() -> Graph:
    return pipeline.parse_text(NETWORK, "net.cnn").graph


@cache
def package(target: str = "llvm") -> Path:
    """A package of two batch sizes for this machine."""
    return small_package(target).export(folder() / f"package-{target}")


@cache
def small_package(target: str = "llvm") -> BuiltPackage:
    """The same, not written yet."""
    from cnndsl.arrays.weights import initial_weights
    from cnndsl.backends.tvm.build import build
    from cnndsl.backends.tvm.options import CompileOptions

    return build(network(), initial_weights(network(), 0), target, (1, 3), CompileOptions(threads=1))


def manifest() -> bytes:
    """Its manifest, with `@NAME@` where the checksum of a file stands."""
    found = json.loads((package() / "manifest.json").read_text("utf-8"))
    found["files"] = {name: f"@{name}@" for name in found["files"]}
    return json.dumps(found).encode()


def store() -> bytes:
    """A store of three records, behind one that is damaged and before one that is torn."""
    from cnndsl.backends.tvm.tuning.records import Measured, Place, Verdict
    from cnndsl.backends.tvm.tuning.store import HEADER, line_of

    place = Place(target="x86-64-v3", threads=2, tvm="0.27.0")
    records = [
        Measured(place=place, key="Conv 3", setting={"tile": [4, 2]}, seconds=1e-3),
        Measured(place=place, key="Conv 3", setting={"tile": None}, seconds=None, error="it crashed"),
        Verdict(place=place, key="Conv 3", setting={}, network="n", accepted=True, before=2.0, after=1.0),
    ]
    lines = [line_of(record.model_dump(mode="json")) for record in records]
    return HEADER + b'{"check":"0","record":{}}\n' + b"".join(lines) + lines[0][:40]


@cache
def run() -> Path:
    """A run that was trained for one epoch on its own data."""
    import numpy as np

    from cnndsl.training.options import Options
    from cnndsl.training.train import train

    data = folder() / "data.npz"
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8), np.uint8)
    np.savez(data, images=images, labels=np.arange(8) % 2)
    train(network(), Options(data=str(data), epochs=1, batch=4, augment=(), accelerator="cpu"), folder() / "run")
    return folder() / "run"


@cache
def quantized() -> bytes:
    """The network in whole numbers."""
    from cnndsl.arrays.drawn import drawn_inputs, drawn_weights
    from cnndsl.calibration.calibrate import quantize
    from cnndsl.quantization.file import write_quantization

    found = quantize(network(), drawn_weights(network(), 0), drawn_inputs(network(), 0), {}, keep=("3",))
    write_quantization(folder() / "network8.safetensors", found.quantization)
    return (folder() / "network8.safetensors").read_bytes()


def module() -> Any:
    """A small network in PyTorch."""
    from cnndsl.backends.pytorch.live.module import to_torch

    return to_torch(network()).eval()


@cache
def pt2() -> bytes:
    """The network as an exported program."""
    import io
    import warnings

    import torch

    packed = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(module(), (torch.zeros(2, 1, 8, 8),), strict=False), packed)
    return packed.getvalue()


@cache
def onnx() -> bytes:
    """The network as an ONNX file, with weights in a Constant node too."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weight = numpy_helper.from_array(rng.standard_normal((4, 1, 3, 3)).astype("float32"), "conv.weight")
    bias = numpy_helper.from_array(np.zeros(4, "float32"))
    fc = numpy_helper.from_array(rng.standard_normal((2, 4)).astype("float32"), "fc.weight")
    nodes = [
        helper.make_node("Constant", [], ["b"], value=bias),
        helper.make_node("Conv", ["x", "conv.weight", "b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "fc.weight"], ["y"], transB=1),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 8, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])
    graph = helper.make_graph(nodes, "small", [x], [y], [weight, fc])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = made.SerializeToString()
    return data


def pt2_model() -> bytes:
    from tests.fuzz.of_importing import model_json

    return model_json(pt2())


SEEDS = {
    "onnx": lambda: [onnx()],
    "pt2": lambda: [pt2()],
    "pt2_model": lambda: [pt2_model()],
    "manifest": lambda: [manifest()],
    "package_weights": lambda: [(package() / "weights.safetensors").read_bytes()],
    "package_sample": lambda: [(package() / "sample.safetensors").read_bytes()],
    "store": lambda: [store()],
    "run": lambda: [(run() / "run.json").read_bytes()],
    "run_graph": lambda: [(run() / "graph.json").read_bytes()],
    "run_weights": lambda: [(run() / "best.safetensors").read_bytes()],
    "checkpoint": lambda: [(run() / "checkpoint.safetensors").read_bytes()],
    "data": lambda: [(run().parent / "data.npz").read_bytes()],
}


def seeds(name: str) -> list[bytes]:
    """What is made for this reader; nothing where its corpus is enough."""
    from tests.fuzz import of_weights

    known = SEEDS | of_weights.SEEDS
    return known[name]() if name in known else []
