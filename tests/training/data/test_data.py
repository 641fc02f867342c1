"""Guards `training/data` and `training/check.py`: what is read, how it is parted, what is said of data that cannot be used."""

from __future__ import annotations

import shutil
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit

from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import load, parse_text
from cnndsl.training.check import check_fits
from cnndsl.training.data import collection
from cnndsl.training.data.collection import Collection
from cnndsl.training.data.find import find_data

SMALL = "param classes: int = 3\ninput 3×16×16\nConv3x3(4) → ReLU → GlobalAvgPool → FC(classes)\n"


def pictures(folder: Path, classes: tuple[str, ...] = ("cat", "dog", "owl"), count: int = 4) -> Path:
    """A folder of class folders with noise of several sizes."""
    generator = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            noise = generator.integers(0, 256, (20 + number, 24, 3), dtype=np.uint8)
            Image.fromarray(noise).save(folder / name / f"{number}.png")
    return folder


def ids(error: pytest.ExceptionInfo[CnnError]) -> list[str]:
    return [fault.id for fault in error.value.diagnostics]


def test_digits_are_those_of_scikit_learn() -> None:
    found, theirs = find_data("digits"), load_digits()
    assert found.classes == tuple("0123456789")
    np.testing.assert_array_equal(found.labels, theirs.target)
    whole = found.read((1, 8, 8))
    assert whole.dtype == np.uint8
    np.testing.assert_array_equal(whole[:, 0], np.rint(theirs.images * 255 / 16))
    assert found.read((3, 32, 32)).shape == (1797, 3, 32, 32)


def test_what_is_held_out_has_as_many_of_each_class_as_scikit_learn_would_take() -> None:
    found = find_data("digits")
    training, held_out = found.parts(0.2, 3)
    assert len(held_out) + len(training) == 1797
    assert not set(training) & set(held_out)
    _, theirs = next(StratifiedShuffleSplit(1, test_size=0.2, random_state=0).split(found.labels, found.labels))
    difference = np.bincount(found.labels[held_out]) - np.bincount(found.labels[theirs])
    assert np.abs(difference).max() <= 1
    np.testing.assert_array_equal(found.parts(0.2, 3)[1], held_out)
    assert set(found.parts(0.2, 4)[1]) != set(held_out)


def test_a_folder_of_class_folders(tmp_path: Path) -> None:
    found = find_data(str(pictures(tmp_path)))
    (tmp_path / "cat" / "Thumbs.db").write_bytes(b"not a picture, and not called one")
    assert (found.classes, found.labels.tolist()) == (("cat", "dog", "owl"), [0] * 4 + [1] * 4 + [2] * 4)
    whole = found.read((3, 16, 16))
    # The centre of the shorter side brought to 256/224 of 16: Pillow's own words.
    with Image.open(tmp_path / "cat" / "0.png") as file:
        theirs = file.resize((21, 18), Image.Resampling.BILINEAR).crop((2, 1, 18, 17))
    np.testing.assert_array_equal(whole[0].transpose(1, 2, 0), np.asarray(theirs))
    assert [len(part) for part in found.parts(0.25, 0)] == [9, 3]


def test_a_folder_that_holds_out_itself(tmp_path: Path) -> None:
    pictures(tmp_path / "train")
    pictures(tmp_path / "val", count=2)
    found = find_data(str(tmp_path))
    training, held_out = found.parts(0.5, 0)
    assert (training.tolist(), held_out.tolist()) == (list(range(12)), list(range(12, 18)))


def test_every_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    pictures(tmp_path)
    (tmp_path / "dog" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (tmp_path / "owl" / "b.jpg").write_bytes(b"")
    with pytest.raises(CnnError) as error:
        find_data(str(tmp_path)).read((3, 16, 16))
    assert ids(error) == ["unreadable-image", "unreadable-image"]
    assert [str(tmp_path / name) in fault.message for name, fault in zip(("dog/a.png", "owl/b.jpg"), error.value.diagnostics, strict=True)] == [True, True]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "dtype", "shape"),
    [
        (("images", "labels"), "uint8", (12, 16, 16)),
        (("x", "y"), "uint8", (12, 16, 16, 3)),
        (("X", "y"), "uint8", (12, 3, 16, 16)),
        (("images", "labels"), "float64", (12, 3, 16, 16)),
    ],
)
def test_arrays(tmp_path: Path, names: tuple[str, str], dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    np.savez(tmp_path / "a.npz", allow_pickle=False, **{names[0]: array, names[1]: np.arange(12).reshape(12, 1) % 3})
    found = find_data(str(tmp_path / "a.npz"))
    assert found.classes == ("0", "1", "2")
    whole = found.read((3, 16, 16))
    expected = array if shape[1:] == (3, 16, 16) else np.moveaxis(np.broadcast_to(array.reshape(12, 16, 16, -1), (12, 16, 16, 3)), -1, 1)  # fmt: skip
    np.testing.assert_array_equal(whole, expected)
    assert whole.dtype == (np.uint8 if dtype == "uint8" else np.float32)


def test_arrays_in_two_parts_with_names(tmp_path: Path) -> None:
    parts = {"x_train": np.zeros((6, 8, 8), np.uint8), "x_test": np.ones((3, 8, 8), np.uint8)}
    labels = {"y_train": np.arange(6) % 3, "y_test": np.arange(3)}
    np.savez(tmp_path / "a.npz", allow_pickle=False, **parts, **labels, classes=np.array(["cat", "dog", "owl"]))
    found = find_data(str(tmp_path / "a.npz"))
    assert found.classes == ("cat", "dog", "owl")
    assert found.parts(0.2, 0)[1].tolist() == [6, 7, 8]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"pictures": np.zeros((4, 8, 8))}, "has no examples"),
        ({"x": np.zeros((4, 8, 8)), "y": np.zeros(3, int)}, "no label for each"),
        ({"x": np.zeros((4, 8, 8)), "y": np.array([0.5, 1, 2, 3])}, "no label for each"),
        ({"x": np.zeros((4, 8, 8)), "y": np.array([-1, 1, 2, 3])}, "no label for each"),
        ({"x": np.zeros((4, 8, 8)), "y": np.array([0, 1, 2, 2**62])}, "no label for each"),
        ({"x": np.zeros((4, 8, 8)), "y": np.array([0, 1, 2, 2**64 - 1], np.uint64)}, "no label for each"),
        ({"x": np.zeros((4, 0, 8), np.uint8), "y": np.zeros(4, int)}, "no array of examples"),
        ({"x": np.full((4, 8), np.nan), "y": np.zeros(4, int)}, "numbers that are none"),
        ({"x": np.full((4, 8), 1e300), "y": np.zeros(4, int)}, "numbers that are none"),
        ({"x": np.zeros((4, 8, 8, 5), np.uint8), "y": np.zeros(4, int)}, "holds no pictures"),
        ({"x": np.zeros(4), "y": np.zeros(4, int)}, "no array of examples"),
        ({"x": np.zeros((4, 8)), "y": np.zeros(4, int), "classes": np.zeros(1)}, "does not name the classes"),
        ({"x_train": np.zeros((4, 8)), "y_train": np.zeros(4, int), "x_val": np.zeros((4, 9)), "y_val": np.zeros(4, int)}, "another kind"),
    ],
)  # fmt: skip
def test_arrays_that_cannot_be_used(tmp_path: Path, content: dict[str, np.ndarray], what: str) -> None:
    np.savez(tmp_path / "a.npz", allow_pickle=False, **content)
    with pytest.raises(CnnError, match=what) as error:
        find_data(str(tmp_path / "a.npz"))
    assert ids(error) == ["unreadable-data"]


def test_objects_in_arrays_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([print], dtype=object), y=np.zeros(1, int))
    with pytest.raises(CnnError, match="unreadable-array"):
        find_data(str(tmp_path / "a.npz"))


def test_archives_of_what_is_no_array_are_told(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images", b"no array")
        archive.writestr("labels", b"nor this")
    with pytest.raises(CnnError, match=r"unreadable-array.*`images` in it is no array"):
        find_data(str(tmp_path / "a.npz"))


@pytest.mark.parametrize("name", ["c\udcffat", "c\nat", "c\x1bat"])
def test_folders_whose_names_are_no_text_are_told(tmp_path: Path, name: str) -> None:
    """Such a name could not be written down in the run, or would move a terminal's cursor."""
    pictures(tmp_path, ("dog", name))
    with pytest.raises(CnnError, match=r"unreadable-data.*a name that is no text"):
        find_data(str(tmp_path))


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(CnnError, match="file-not-found"):
        find_data(str(tmp_path / "nothing"))
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(CnnError, match="no data to learn from"):
        find_data(str(tmp_path / "a.txt"))
    with pytest.raises(CnnError, match="no folder of class folders"):
        find_data(str(tmp_path))
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").mkdir()
    with pytest.raises(CnnError, match="cat has no pictures"):
        find_data(str(tmp_path))
    pictures(tmp_path / "two" / "train")
    pictures(tmp_path / "two" / "val", ("cat", "dog"))
    with pytest.raises(CnnError, match="not the same classes"):
        find_data(str(tmp_path / "two"))


def test_nothing_to_hold_out_is_told() -> None:
    few = Collection("few", ("a", "b"), np.arange(2), lambda _: np.zeros((2, 1)))
    with pytest.raises(CnnError, match="too few to hold some out"):
        few.parts(0.2, 0)


def test_many_examples_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_data(str(pictures(tmp_path)))
    inside = found.read((3, 16, 16))
    monkeypatch.setattr(collection, "IN_MEMORY", 100)
    outside = found.read((3, 16, 16))
    assert isinstance(outside, np.memmap)
    np.testing.assert_array_equal(inside, outside)


def test_classes_and_size_are_checked_with_the_mend() -> None:
    digits = find_data("digits")
    check_fits(load("lenet5").graph, digits)
    check_fits(parse_text(SMALL, parameters={"classes": 10}).graph, digits)
    with pytest.raises(CnnError, match="3 classes apart, and digits has 10") as error:
        check_fits(parse_text(SMALL).graph, digits)
    assert error.value.diagnostics[0].help == "say `-P classes=10`"
    assert error.value.diagnostics[0].span is not None
    fixed = SMALL.replace("param classes: int = 3\n", "").replace("classes", "7")
    with pytest.raises(CnnError) as error:
        check_fits(parse_text(fixed).graph, digits)
    assert error.value.diagnostics[0].help == "let the last layer give 10 numbers"
    with pytest.raises(CnnError, match="takes 5×16×16, and pictures have 1 or 3 channels") as error:
        check_fits(parse_text(SMALL.replace("3×16×16", "5×16×16"), parameters={"classes": 10}).graph, digits)
    assert (ids(error), error.value.diagnostics[0].help) == (["input-mismatch"], "say `--input 1x8x8`")


def test_numbers_of_another_size_are_told_with_the_mend(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((6, 3, 12, 12), np.float32), y=np.arange(6) % 3)
    with pytest.raises(CnnError, match=r"takes 3×16×16, and .*a\.npz has numbers of 3×12×12") as error:
        check_fits(parse_text(SMALL).graph, find_data(str(tmp_path / "a.npz")))
    assert error.value.diagnostics[0].help == "say `--input 3x12x12`"


@pytest.mark.parametrize(
    "text",
    [
        "input 3×16×16\nConv3x3(4)",
        "input a: 3\ninput b: 3\nadd{ a | b } → FC(2)",
        "input a: 3×16×16\nx = a → GlobalAvgPool → FC(2)\ny = a → GlobalAvgPool → FC(3)\noutput x, y",
    ],
)
def test_what_is_no_classifier_is_told(text: str) -> None:
    with pytest.raises(CnnError) as error:
        check_fits(parse_text(text).graph, find_data("digits"))
    assert ids(error) == ["not-a-classifier"]


def test_what_a_newcomer_gives_is_told_in_words(tmp_path: Path) -> None:
    from cnndsl.arrays.inputs import read_arrays, read_image

    def found(path: Path) -> str:
        with pytest.raises(CnnError, match="no folder of class folders") as told:
            find_data(str(path))
        return told.value.diagnostics[0].notes[0]

    (tmp_path / "cats").mkdir()
    assert found(tmp_path) == "expected at least 2 folders, found one: cats"
    assert found(tmp_path / "cats") == "expected at least 2 folders, found nothing"
    for number in range(12):
        (tmp_path / "cats" / f"{number}.png").write_text("no picture")
    assert found(tmp_path / "cats") == "expected at least 2 folders, found 12 pictures and no folder"
    (tmp_path / "cats").rename(tmp_path / "all")
    for name in ("cats", "dogs"):
        shutil.copytree(tmp_path / "all", tmp_path / "photos" / name)
    with pytest.raises(CnnError) as told:
        find_data(str(tmp_path / "photos")).read((1, 8, 8))
    assert len(told.value.diagnostics) == 10
    assert told.value.diagnostics[-1].notes == ("and 14 more cannot be read",)
    with pytest.raises(CnnError, match="it is in no format that pictures have"):
        read_image(tmp_path / "all" / "0.png", (1, 8, 8))
    (tmp_path / "a.npz").write_text("no arrays")
    with pytest.raises(CnnError, match=r"it is no `\.npy` or `\.npz` file"):
        read_arrays(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", images=np.zeros((9, 8, 8), np.uint8), labels=np.zeros(9, int))
    with pytest.raises(CnnError, match="has one class"):
        find_data(str(tmp_path / "a.npz"))
