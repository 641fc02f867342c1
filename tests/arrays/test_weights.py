"""Guards `arrays/weights.py` and `arrays/weight_files.py`. Weights from files, from a seed, and checked; held against
torch and the safetensors library.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_torch

from cnndsl.arrays.weights import checked, initial_weights, read_weights, write_weights
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.ops.bn import BN
from cnndsl.ops.conv import Conv
from cnndsl.ops.fc import FC
from cnndsl.pipeline import load, parse_text
from tests.graphs import Step, graph


@pytest.fixture
def network() -> Graph:
    steps: list[Step] = [
        ("conv1", Conv(channels=4, window=3), ("x",)),
        ("bn1", BN(), ("conv1",)),
        ("conv2", Conv(channels=4, window=3), ("bn1",)),
    ]
    return graph({"x": (3, 8, 8)}, steps)


def ids(error: CnnError) -> list[str]:
    return [d.id for d in error.diagnostics]


def test_safetensors_are_read_and_written_as_the_library_does(tmp_path: Path) -> None:
    arrays: dict[str, np.ndarray] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "n": np.array(5, dtype=np.int64),
        "h": np.array([1.5, -2], dtype=np.float16),
    }
    save_file(arrays, tmp_path / "theirs.safetensors")
    write_weights(tmp_path / "ours.safetensors", arrays, {"made": "here"})
    for found in (read_weights(tmp_path / "theirs.safetensors"), load_file(tmp_path / "ours.safetensors")):
        assert {key: (value.dtype, value.shape) for key, value in found.items()} == {
            key: (value.dtype, value.shape) for key, value in arrays.items()
        }
        assert all(np.array_equal(found[key], arrays[key]) for key in arrays)


def test_bfloat16_is_widened(tmp_path: Path) -> None:
    values = torch.tensor([1.0, -0.15625, 3e38], dtype=torch.bfloat16)
    save_torch({"w": values}, tmp_path / "b.safetensors")
    torch.save({"w": values}, tmp_path / "b.pth")
    for name in ("b.safetensors", "b.pth"):
        assert np.array_equal(read_weights(tmp_path / name)["w"], values.float().numpy())


def test_a_state_dict_may_lie_in_a_training_checkpoint(tmp_path: Path) -> None:
    state = torch.nn.Linear(3, 2).state_dict()
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "last.pt")
    found = read_weights(tmp_path / "last.pt")
    assert list(found) == ["weight", "bias"]
    assert np.array_equal(found["weight"], state["weight"].numpy())


@pytest.mark.parametrize(
    ("name", "content", "id"),
    [
        ("absent.pth", None, "file-not-found"),
        ("w.onnx", b"", "unreadable-weights"),
        ("w.safetensors", b"\xff" * 64, "unreadable-weights"),
        ("w.safetensors", b"", "unreadable-weights"),
        ("w.safetensors", b"\x02\0\0\0\0\0\0\0[]", "unreadable-weights"),
        ("w.pth", b"not a zip file", "unreadable-weights"),
    ],
)
def test_files_that_hold_no_weights_are_refused(tmp_path: Path, name: str, content: bytes | None, id: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CnnError) as caught:
        read_weights(tmp_path / name)
    assert ids(caught.value) == [id]


def test_a_pickle_is_not_executed(tmp_path: Path) -> None:
    torch.save({"w": Path("/")}, tmp_path / "code.pth")
    with pytest.raises(CnnError, match="unreadable-weights"):
        read_weights(tmp_path / "code.pth")


def test_first_values_depend_on_seed_and_key_alone(network: Graph) -> None:
    first, again, other = initial_weights(network, 1), initial_weights(network, 1), initial_weights(network, 2)
    assert list(first) == [entry.key for entry in network.weights]
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not np.array_equal(first["conv1.weight"], other["conv1.weight"])
    alone = graph({"x": (3, 8, 8)}, [("conv1", Conv(channels=4, window=3), ("x",))])
    assert np.array_equal(initial_weights(alone, 1)["conv1.weight"], first["conv1.weight"])


def test_first_values_are_spread_as_torch_spreads_them() -> None:
    network = graph({"x": (400,)}, [("fc", FC(units=500), ("x",))])
    ours, theirs = initial_weights(network, 0)["fc.weight"], torch.nn.Linear(400, 500).weight.detach().numpy()
    assert np.abs(ours).max() <= 0.05
    assert np.abs(ours.std() / theirs.std() - 1) < 0.02
    assert abs(ours.mean()) < 1e-3


def test_checked_weights_are_in_order_and_may_lack_a_count(network: Graph) -> None:
    arrays = initial_weights(network, 0)
    shuffled = {key: arrays[key] for key in reversed(arrays) if key != "bn1.num_batches_tracked"}
    found = checked(network, shuffled, "w.pth")
    assert list(found) == list(arrays)
    assert found["bn1.num_batches_tracked"] == 0


@pytest.mark.parametrize("name", ["lenet5", "resnet18"])
def test_a_head_for_other_classes_is_told_with_the_parameter_that_makes_it(name: str) -> None:
    other = load(name, {"classes": 7}).graph
    with pytest.raises(CnnError) as caught:
        checked(load(name).graph, initial_weights(other, 0), "w.pth")
    assert [d.help for d in caught.value.diagnostics] == [
        "say `-P classes=7` for the network that these weights are of, or give other weights"
    ] * 2


def test_what_is_computed_may_be_missing_and_must_not_differ() -> None:
    network = parse_text("input tokens 9×4\nidx: RelPosIndex(2, saved=true) → Linear(4)").graph
    arrays = initial_weights(network, 0)
    assert arrays["idx"].dtype == np.int64
    assert np.array_equal(checked(network, {k: v for k, v in arrays.items() if k != "idx"}, "w")["idx"], arrays["idx"])
    arrays["idx"] = arrays["idx"].copy()
    arrays["idx"][1, 2] = 999
    with pytest.raises(CnnError) as caught:
        checked(network, arrays, "w")
    assert caught.value.diagnostics[0].notes == ("expected 2 at place 6, found 999",)


def test_every_fault_is_told_with_both_values_and_the_nearest_names(network: Graph) -> None:
    arrays = initial_weights(network, 0)
    arrays["conv_1.weight"] = arrays.pop("conv1.weight")
    arrays["conv2.bias"] = np.zeros(5, np.float32)
    arrays["bn1.bias"] = np.array(["a"] * 4)
    with pytest.raises(CnnError) as caught:
        checked(network, arrays, "w.pth")
    assert ids(caught.value) == ["missing-weight", "weight-mismatch", "weight-mismatch", "unexpected-weight"]
    missing, kind, shape, unexpected = caught.value.diagnostics
    assert missing.notes == ("expected 4×3×3×3, found nothing", "nearest there: conv_1.weight")
    assert kind.notes == ("expected float32, found str32",)
    assert shape.notes == ("expected 4, found 5",)
    assert unexpected.notes[1].startswith("nearest here: conv1.weight")


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_change_of_a_weights_file_gives_arrays_or_a_diagnostic(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.safetensors"
        write_weights(path, {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b.c": np.zeros(0, np.int64)})
        changed = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(changed) - 1))
            changed[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        path.write_bytes(changed)
        try:
            read_weights(path)
        except CnnError as error:
            assert error.diagnostics[0].id == "unreadable-weights"


def test_a_header_of_brackets_is_refused(tmp_path: Path) -> None:
    header = b'{"a":' + b"[" * 200_000
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(CnnError, match="unreadable-weights"):
        read_weights(tmp_path / "w.safetensors")


def test_what_is_no_plain_tensor_is_told(tmp_path: Path) -> None:
    """One number that is repeated a million million times would be terabytes."""
    path = tmp_path / "w.pth"
    for state in (
        {"w": torch.ones(1).expand(10**6, 10**6)},
        {"w": torch.eye(3).to_sparse()},
        {"w": torch.ones(2, dtype=torch.complex64)},
        {1: torch.ones(2)},
        {"w": torch.ones(2, device="meta")},
    ):
        torch.save(state, path)
        with pytest.raises(CnnError, match="unreadable-weights"):
            read_weights(path)
    torch.save({"w": torch.ones(1).expand(3, 2)}, path)
    assert read_weights(path)["w"].tolist() == [[1, 1]] * 3


@pytest.mark.parametrize("content", [b"root:x:0:0:root:/root:/bin/sh\n", b"", b"PK\x03\x04", b"\x80\x02}q\x00."])
def test_what_is_no_pickle_is_told(tmp_path: Path, content: bytes) -> None:
    """The restricted unpickler of PyTorch ends in an IndexError, or in others, for some of them."""
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(CnnError, match="unreadable-weights"):
        read_weights(tmp_path / "w.pth")
