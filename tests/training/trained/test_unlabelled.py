"""Examples without labels, `cnndsl/training/trained/unlabelled.py`: what is read, how many, and what is held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnndsl import parse
from cnndsl.diagnostics.errors import CnnError
from cnndsl.training.trained.unlabelled import read_unlabelled

GRAPH = parse("input image: 3×8×8\nConv3x3(4)").graph
TWO = parse("input a: 3×8×8\ninput b: 4\na → Conv3x3(4) as y → Flatten → FC(4) → add{ id | b }").graph


def pictures(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for shade in range(count):
        Image.new("RGB", (12, 10), (shade, shade, shade)).save(folder / f"{shade}.png")


def shades(arrays: dict[str, np.ndarray]) -> list[int]:
    return sorted(round(255 * float(x.mean())) for x in arrays["image"])


def test_a_folder_of_pictures_is_parted_without_labels(tmp_path: Path) -> None:
    pictures(tmp_path / "deep" / "er", 12)
    found = read_unlabelled(GRAPH, str(tmp_path), {}, 64)
    assert (len(found.calibration["image"]), len(found.held_out["image"])) == (9, 3)
    assert sorted(shades(found.calibration) + shades(found.held_out)) == list(range(12))
    assert shades(read_unlabelled(GRAPH, str(tmp_path), {}, 4).calibration) != list(range(4))
    few = read_unlabelled(GRAPH, str(tmp_path), {}, 4)
    assert (len(few.calibration["image"]), len(few.held_out["image"])) == (4, 4)


def test_validation_pictures_are_held_out(tmp_path: Path) -> None:
    pictures(tmp_path / "train" / "cats", 5)
    pictures(tmp_path / "val" / "cats", 2)
    found = read_unlabelled(GRAPH, str(tmp_path), {}, 64)
    assert (shades(found.calibration), shades(found.held_out)) == ([0, 1, 2, 3, 4], [0, 1])


def test_pictures_are_read_as_the_network_wants_them(tmp_path: Path) -> None:
    pictures(tmp_path / "all", 1)
    found = read_unlabelled(GRAPH, str(tmp_path / "all"), {"mean": [0.5] * 3, "std": [0.25] * 3}, 8)
    assert np.allclose(found.calibration["image"], -2)
    assert found.held_out["image"].shape == (0, 3, 8, 8)


def test_arrays_are_taken_by_the_names_of_inputs_or_as_for_training(tmp_path: Path) -> None:
    a, b = np.ones((6, 3, 8, 8), np.float32), np.zeros((6, 4), np.float32)
    np.savez(tmp_path / "two.npz", a=a, b=b)
    found = read_unlabelled(TWO, str(tmp_path / "two.npz"), {}, 3)
    assert {name: array.shape for name, array in found.calibration.items()} == {"a": (3, 3, 8, 8), "b": (3, 4)}
    np.savez(tmp_path / "images.npz", images=np.full((5, 8, 8, 3), 51, np.uint8))
    assert np.allclose(read_unlabelled(GRAPH, str(tmp_path / "images.npz"), {}, 3).calibration["image"], 0.2)
    np.save(tmp_path / "one.npy", a)
    assert len(read_unlabelled(GRAPH, str(tmp_path / "one.npy"), {}, 4).held_out["image"]) == 2
    assert len(read_unlabelled(GRAPH, {"image": a}, {}, 2).calibration["image"]) == 2


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"other": np.ones((2, 3, 8, 8), np.float32)}, "expected image; found other"),
        ({"image": np.ones((2, 3, 9, 9), np.float32)}, "expected N×3×8×8, found 2×3×9×9"),
        ({"image": np.ones((0, 3, 8, 8), np.float32)}, "expected N×3×8×8, found 0×3×8×8"),
    ],
)
def test_arrays_of_another_kind_are_refused(arrays: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(CnnError) as error:
        read_unlabelled(GRAPH, arrays, {}, 4)
    (found,) = error.value.diagnostics
    assert (found.id, found.notes) == ("unreadable-data", (said,))


def test_what_is_not_there_is_told_with_what_suffices(tmp_path: Path) -> None:
    with pytest.raises(CnnError) as error:
        read_unlabelled(GRAPH, str(tmp_path / "absent"), {}, 4)
    (found,) = error.value.diagnostics
    assert found.id == "file-not-found"
    assert "8 to 64 examples suffice" in (found.help or "")


def test_two_inputs_are_no_pictures(tmp_path: Path) -> None:
    pictures(tmp_path / "all", 2)
    with pytest.raises(CnnError) as error:
        read_unlabelled(TWO, str(tmp_path / "all"), {}, 4)
    assert error.value.diagnostics[0].notes == ("expected inputs `a` N×3×8×8, `b` N×4",)
