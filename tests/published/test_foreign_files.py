"""Files of other libraries become arrays by key, and nothing in them is ever run."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnndsl import pipeline
from cnndsl.arrays.foreign.darknet import read_darknet
from cnndsl.arrays.weight_files import read_weights
from cnndsl.diagnostics.errors import CnnError
from cnndsl.published.layout import darknet_order, renamed, spatial_last
from tests.published import foreign


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_are_read_from_pickles(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "w.pkl").write_bytes(foreign.pickled(protocol))
    found = read_weights(tmp_path / "w.pkl")
    assert list(found) == ["conv1/0", "conv1/1", "more/0"]
    np.testing.assert_array_equal(found["conv1/0"], foreign.KERNEL)
    assert found["more/0"].dtype == np.float64


class Evil:
    """What a pickle may do to who loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
def test_a_pickle_that_would_call_something_is_refused_and_calls_nothing(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({"a": foreign.BIAS, "b": Evil(tmp_path / "made")}, protocol))
    with pytest.raises(CnnError, match=r"nothing but NumPy's arrays is read|which no array needs"):
        read_weights(tmp_path / "w.pkl")
    assert not (tmp_path / "made").exists()


def test_a_pickle_of_objects_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(np.array([object()], object)[:0], 3))
    with pytest.raises(CnnError, match="holds numbers of the type"):
        read_weights(tmp_path / "w.pkl")


def test_an_array_that_is_shorter_than_its_shape_is_refused(tmp_path: Path) -> None:
    data = foreign.pickled().replace(foreign.BIAS.tobytes(), b"\0" * 4 + b"more", 1)
    (tmp_path / "w.pkl").write_bytes(data.replace(b"K\x02\x85", b"K\x09\x85", 1))
    with pytest.raises(CnnError, match="bytes for the shape"):
        read_weights(tmp_path / "w.pkl")


def test_arrays_are_read_from_keras_files(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    (tmp_path / "w.h5").write_bytes(foreign.hdf5())
    found = read_weights(tmp_path / "w.h5")
    assert set(found) == {f"model_weights/conv2d_1/conv2d_1/{name}:0" for name in ("kernel", "bias")}
    np.testing.assert_array_equal(found["model_weights/conv2d_1/conv2d_1/kernel:0"], foreign.KERNEL)


def test_arrays_are_read_from_frozen_graphs(tmp_path: Path) -> None:
    (tmp_path / "w.pb").write_bytes(foreign.tf_graph())
    found = read_weights(tmp_path / "w.pb")
    assert list(found) == ["conv/kernel", "conv/bias", "filled"]
    np.testing.assert_array_equal(found["conv/kernel"], foreign.KERNEL)
    np.testing.assert_array_equal(found["filled"], np.full((3, 3, 3, 2), 2, np.float32))


def test_arrays_are_read_from_checkpoints(tmp_path: Path) -> None:
    index, data = foreign.tf_checkpoint()
    (tmp_path / "w.index").write_bytes(index)
    (tmp_path / "w.data-00000-of-00001").write_bytes(data)
    found = read_weights(tmp_path / "w.index")
    assert list(found) == ["conv/bias", "conv/kernel"]
    np.testing.assert_array_equal(found["conv/kernel"], foreign.KERNEL)


def test_arrays_are_read_from_tensorflow_js(tmp_path: Path) -> None:
    model, data = foreign.tfjs()
    (tmp_path / "model.json").write_bytes(model)
    (tmp_path / "numbers.bin").write_bytes(data)
    found = read_weights(tmp_path / "model.json")
    np.testing.assert_array_equal(found["conv/bias"], foreign.BIAS)


def test_a_model_that_names_a_file_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_bytes(foreign.tfjs()[0].replace(b"numbers.bin", b"../secret"))
    with pytest.raises(CnnError, match="names a file elsewhere"):
        read_weights(tmp_path / "model.json")


def test_darknet_s_numbers_go_to_the_layers_in_their_order(tmp_path: Path) -> None:
    """Before a kernel its normalisation: bias, weight, mean, variance; a plain layer's bias, then its kernel."""
    graph = pipeline.parse_text("input 1×4×4\na: Conv1x1(2, bias=false) → b: BN → c: Conv1x1(1)").graph
    assert [key for key, _ in darknet_order(graph)] == [
        "b.bias", "b.weight", "b.running_mean", "b.running_var", "a.weight", "c.bias", "c.weight",
    ]  # fmt: skip
    (tmp_path / "w").write_bytes(foreign.darknet(13))
    with (tmp_path / "w").open("rb") as file:
        found = read_darknet(file, darknet_order(graph))
    assert found["b.weight"].tolist() == [2, 3]
    assert found["a.weight"].reshape(-1).tolist() == [8, 9]
    assert found["c.weight"].reshape(-1).tolist() == [11, 12]
    (tmp_path / "w").write_bytes(foreign.darknet(12))
    with (
        (tmp_path / "w").open("rb") as file,
        pytest.raises(ValueError, match="48 bytes of numbers, and the network's weights take 52"),
    ):
        read_darknet(file, darknet_order(graph))


def test_kernels_of_tensorflow_become_ours() -> None:
    text = "input 2×9×9\na: Conv3x3(4) → d: DWConv3x3(multiplier=2) → e: ConvT2x2(3, 2) → f: FC(5)"
    graph = pipeline.parse_text(text).graph
    drawn = np.random.default_rng(0).random
    theirs = {
        "a.kernel": drawn((3, 3, 2, 4)),
        "d.depthwise_kernel": drawn((3, 3, 4, 2)),
        "e.kernel": drawn((2, 2, 3, 8)),
    }
    found = spatial_last({**theirs, "d.kernel": theirs["d.depthwise_kernel"]}, graph)
    assert found["a.weight"][3, 1, 2, 0] == theirs["a.kernel"][2, 0, 1, 3]
    # Channel 2's second kernel is the fifth of all.
    assert found["d.weight"].shape == (8, 1, 3, 3)
    assert found["d.weight"][5, 0, 1, 2] == theirs["d.depthwise_kernel"][1, 2, 2, 1]
    assert found["e.weight"][7, 2, 1, 0] == theirs["e.kernel"][1, 0, 2, 7]


def test_keys_are_renamed_by_the_first_expression_that_fits_all_of_them() -> None:
    arrays = {"conv1/0": foreign.KERNEL, "conv10/0": foreign.BIAS, "optimizer/0": foreign.BIAS}
    assert list(renamed(arrays, [["conv1/0", "a.weight"], [r"conv(\d+)/0", r"b.\1.weight"]])) == [
        "a.weight",
        "b.10.weight",
    ]
    assert renamed(arrays, []) == arrays
