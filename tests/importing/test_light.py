"""The networks that ship with ONNX, of several authors and exporters: imported, with the outputs of ONNX Runtime.

In the package each of their weights has one value in all places; here they are drawn, so that outputs can tell.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import cnndsl

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
FIGURES = {
    "squeezenet": (1_235_496, 349_151_936, 7),
    "bvlc_alexnet": (60_965_224, 654_560_384, 4),
    "densenet121": (7_978_856, 2_834_161_664, 11),
    "inception_v1": (6_998_552, 1_431_556_352, 57),
    "inception_v2": (11_194_984, 2_018_851_840, 62),
    "resnet50": (25_557_032, 4_089_184_256, 21),
    "shufflenet": (1_393_320, 124_664_528, 25),
    "vgg19": (143_667_240, 19_632_062_464, 4),
    "zfnet512": (87_250_536, 1_481_727_008, 4),
}
"""Parameters, MACs, and how many lines the program has at most."""


def with_drawn_weights(path: Path) -> bytes:
    """The model with numbers of a seed for its weights."""
    model = onnx.load(path)
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    random = np.random.default_rng(3)
    for node in [node for node in model.graph.node if node.op_type == "ConstantOfShape"]:
        shape = tuple(int(n) for n in arrays[node.input[0]])
        fan = int(np.prod(shape[1:], dtype=np.int64))
        drawn = (
            random.standard_normal(shape, "float32") * (2 / fan) ** 0.5
            if len(shape) > 1
            else random.random(shape) + 0.5
        )
        model.graph.initializer.append(numpy_helper.from_array(drawn.astype("float32"), node.output[0]))
        model.graph.node.remove(node)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    "name", [name if name == "squeezenet" else pytest.param(name, marks=pytest.mark.slow) for name in FIGURES]
)
def test_a_network_of_the_onnx_package_is_imported_right(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.onnx"
    path.write_bytes(with_drawn_weights(FOLDER / f"light_{name}.onnx"))
    net = cnndsl.from_onnx(path)
    params, macs, lines = FIGURES[name]
    assert (net.report.params, net.report.macs, net.report.form) == (params, macs, "blocks")
    assert net.report.lines <= lines
    assert net.report.max_rel_error_given is not None
    assert net.report.max_rel_error_given <= 1e-5
