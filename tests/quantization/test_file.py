"""The file of a quantised network: `cnndsl/quantization/file.py`, and what is refused when it is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnndsl.arrays.weight_files import read_safetensors, read_weights, write_weights
from cnndsl.diagnostics.errors import CnnError
from cnndsl.quantization.arithmetic import Scale
from cnndsl.quantization.file import read_quantization, write_quantization
from cnndsl.quantization.quantization import Quantization, QuantizedWeight

TABLE = Quantization(
    maps={"image": Scale(0.5, 3), "act.1": Scale(float(np.float32(0.1)), 0)},
    weights={
        "conv": QuantizedWeight(
            np.arange(-4, 4, dtype=np.int8).reshape(2, 1, 2, 2),
            np.array([0.25, 2.0], np.float32),
            np.array([-1.0, 3.5], np.float32),
        )
    },
    floats={"fc.weight": np.ones((3, 2), np.float32), "fc.bias": np.zeros(3, np.float32)},
    keep=frozenset({"fc"}),
    about={"pictures": "64"},
)

Change = Callable[[dict[str, np.ndarray], dict[str, str]], object]


def changed(path: Path, change: Change) -> CnnError:
    """What is said of the file once its arrays or its texts were changed."""
    write_quantization(path, TABLE)
    arrays, texts = read_safetensors(path)
    arrays = {key: array.copy() for key, array in arrays.items()}
    change(arrays, texts)
    write_weights(path, arrays, texts)
    with pytest.raises(CnnError) as error:
        read_quantization(path)
    return error.value


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    write_quantization(tmp_path / "q.safetensors", TABLE)
    found = read_quantization(tmp_path / "q.safetensors")
    assert (found.maps, found.keep, found.about) == (TABLE.maps, TABLE.keep, TABLE.about)
    assert found.weights.keys() == {"conv"}
    for name in ("numbers", "scales", "bias"):
        np.testing.assert_array_equal(getattr(found.weights["conv"], name), getattr(TABLE.weights["conv"], name))
    assert {key: array.tolist() for key, array in found.floats.items()} == {
        key: array.tolist() for key, array in TABLE.floats.items()
    }


def test_other_libraries_read_it_under_the_networks_keys(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    write_quantization(tmp_path / "q.safetensors", TABLE)
    found = {key: array.dtype.name for key, array in load_file(tmp_path / "q.safetensors").items()}
    assert found == {
        "conv.weight": "int8",
        "conv.weight_scale": "float32",
        "conv.bias": "float32",
        "fc.weight": "float32",
        "fc.bias": "float32",
        "image.map_scale": "float32",
        "image.map_zero_point": "uint8",
        "act.1.map_scale": "float32",
        "act.1.map_zero_point": "uint8",
    }


WRONG: dict[str, tuple[Change, str]] = {
    "a scale of zero": (lambda a, _: a["conv.weight_scale"].__setitem__(0, 0), "conv.weight_scale"),
    "a scale below zero": (lambda a, _: a["image.map_scale"].__setitem__((), -1), "image.map_scale"),
    "a scale that is no number": (lambda a, _: a["image.map_scale"].__setitem__((), np.nan), "image.map_scale"),
    "an infinite scale": (lambda a, _: a["conv.weight_scale"].__setitem__(1, np.inf), "conv.weight_scale"),
    "one scale for two channels": (lambda a, _: a.update({"conv.weight_scale": np.ones(1, np.float32)}), "conv.weight_scale"),
    "no zero point": (lambda a, _: a.pop("image.map_zero_point"), "image.map_zero_point"),
    "a zero point beyond 255": (
        lambda a, _: a.update({"image.map_zero_point": np.array(256, np.int32)}),
        "image.map_zero_point",
    ),
    "a zero point that is not whole": (
        lambda a, _: a.update({"image.map_zero_point": np.array(3.0, np.float32)}),
        "image.map_zero_point",
    ),
    "a weight of -128": (lambda a, _: a["conv.weight"].__setitem__((0, 0, 0, 0), -128), "conv.weight"),
    "a weight in float32": (lambda a, _: a.update({"conv.weight": a["conv.weight"].astype(np.float32)}), "conv.weight"),
    "no weight": (lambda a, _: a.pop("conv.weight"), "conv.weight"),
    "no bias": (lambda a, _: a.pop("conv.bias"), "conv.bias"),
    "a bias that is no number": (lambda a, _: a["conv.bias"].__setitem__(0, np.nan), "conv.bias"),
    "a weight in float32 that is no number": (lambda a, _: a["fc.bias"].__setitem__(0, np.inf), "fc.bias"),
    "layers to keep that are no list": (lambda _, t: t.update(keep=json.dumps({"fc": 1})), "keep"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_table_is_refused_by_name(name: str, tmp_path: Path) -> None:
    change, key = WRONG[name]
    (found,) = changed(tmp_path / "q.safetensors", change).diagnostics
    assert (found.id, found.help) == ("wrong-quantization", "quantise the network again with `cnndsl quantize`")
    assert f"`{key}`" in found.message


def test_another_version_of_the_format_is_refused(tmp_path: Path) -> None:
    (found,) = changed(tmp_path / "q.safetensors", lambda _, texts: texts.update(version="2")).diagnostics
    assert (found.id, found.notes) == ("wrong-quantization", ("expected format 1, found '2'",))


def test_weights_in_float32_are_no_quantised_network_and_the_other_way_round(tmp_path: Path) -> None:
    write_weights(tmp_path / "w.safetensors", {"conv.weight": np.ones((2, 1, 2, 2), np.float32)})
    with pytest.raises(CnnError) as error:
        read_quantization(tmp_path / "w.safetensors")
    assert [d.id for d in error.value.diagnostics] == ["not-quantized"]
    write_quantization(tmp_path / "q.safetensors", TABLE)
    with pytest.raises(CnnError) as error:
        read_weights(tmp_path / "q.safetensors")
    assert [d.id for d in error.value.diagnostics] == ["quantized-weights"]
