"""Guards `arrays/inputs.py`. Pictures and arrays from files, held against torchvision's own preprocessing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnndsl.arrays.inputs import IMAGENET_MEAN, IMAGENET_STD, read_arrays, read_image, read_inputs
from cnndsl.diagnostics.errors import CnnError
from tests.oracle import torchvision_models


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture wider than high, without symmetry."""
    y, x = np.mgrid[0:300, 0:437]
    pixels = np.stack([x % 256, y % 256, (x * y) % 251], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_photo_is_read_as_torchvision_does(photo: Path) -> None:
    torchvision_models()
    transforms = pytest.importorskip("torchvision.transforms")
    published = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    with Image.open(photo) as picture:
        expected = published(picture).numpy()
    found = read_image(photo, (3, 224, 224), IMAGENET_MEAN, IMAGENET_STD)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-6


def test_one_channel_is_luminance(photo: Path) -> None:
    found = read_image(photo, (1, 28, 28))
    with Image.open(photo) as picture:
        grey = picture.convert("L").resize((46, 32), Image.Resampling.BILINEAR).crop((9, 2, 37, 30))
    assert np.array_equal(found[0], np.asarray(grey, np.float32) / np.float32(255))


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    text = tmp_path / "note.png"
    text.write_text("no picture")
    for path, shape, id in [
        (tmp_path / "absent.png", (3, 8, 8), "file-not-found"),
        (text, (3, 8, 8), "unreadable-image"),
        (text, (4, 8, 8), "wrong-rank"),
    ]:
        with pytest.raises(CnnError) as caught:
            read_image(path, shape)
        assert [d.id for d in caught.value.diagnostics] == [id]


def test_arrays_come_from_npy_and_npz_but_never_from_pickles(tmp_path: Path) -> None:
    x, y = np.arange(6.0).reshape(2, 3), np.ones(4)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "xy.npz", x=x, y=y)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert np.array_equal(read_arrays(tmp_path / "x.npy")[""], x)
    assert list(read_inputs(tmp_path / "xy.npz", ("x", "y"), ((2, 3), (4,)))) == ["x", "y"]
    with pytest.raises(CnnError, match="unreadable-array"):
        read_arrays(tmp_path / "objects.npy")
    with pytest.raises(CnnError, match="missing-input"):
        read_inputs(tmp_path / "x.npy", ("x", "y"), ((2, 3), (4,)))
