"""Trained networks say of photographs what is in them, as they did when their packages were opened and their answers looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnndsl.arrays.pictures import mosaic
from cnndsl.published.table import cascade
from cnndsl.training.trained.cascade import CascadeAnswering
from tests.published.trained import BESIDE, asked, entry_of, photograph, pixels, psnr, run


def best(name: str, *photographs: str) -> list[tuple[str, int]]:
    """The likeliest class of each photograph, and its share in percent."""
    found = [answer["top"][0] for answer in asked(name, *photographs)]
    return [(top["label"], round(100 * top["share"])) for top in found]


def test_efficientnet_lite0_knows_what_is_in_photographs() -> None:
    names = ("coffee.png", "camera.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png")
    assert best("efficientnet_lite0:imagenet", *names) == [
        ("espresso", 96),
        ("tripod", 94),
        ("tiger cat", 38),
        ("missile", 36),
        ("moped", 58),
    ]


def test_squeezenet_from_caffe_knows_them_too() -> None:
    """It reads blue, green and red, and its weights are a pickle."""
    found = best("squeezenet1_1:deepscale", "coffee.png", "camera.png", "chelsea.png")
    assert [name for name, _ in found] == ["espresso", "tripod", "Egyptian cat"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_lite1:imagenet", "efficientnet_lite2:imagenet"])
def test_the_larger_ones_agree(name: str) -> None:
    assert [name for name, _ in best(name, "coffee.png", "camera.png")] == ["espresso", "tripod"]


def test_yolov3_tiny_finds_things_and_where_they_are() -> None:
    (motorcycle, coffee) = asked("yolov3_tiny:coco", "motorcycle_left.png", "coffee.png")
    (found,) = motorcycle["boxes"]
    assert (found["label"], round(found["share"], 2)) == ("motorbike", 0.56)
    assert found["box"] == pytest.approx([56.4, 51.6, 695.9, 456.1], abs=1)
    assert [(box["label"], round(box["share"], 2)) for box in coffee["boxes"]] == [("cup", 0.59)]


def test_rnet_and_onet_tell_faces_from_what_is_none() -> None:
    """scikit-image's part of Labeled Faces in the Wild: 100 faces, then 100 pictures that are none."""
    file = BESIDE / "skimage" / "data" / "lfw_subset.npy"
    if not file.is_file():
        pytest.skip("scikit-image's pictures are not in .venv/trained")
    from PIL import Image

    faces = np.load(file)
    for name, size in (("rnet:facenet-pytorch", 24), ("onet:facenet-pytorch", 48)):
        resized = [
            np.asarray(Image.fromarray((255 * face).astype(np.uint8)).resize((size, size), Image.Resampling.BILINEAR))
            for face in faces
        ]
        x = (np.stack(resized)[:, None].repeat(3, 1).astype(np.float32) - 127.5) / 128
        called = run(name, x)["face"][:, 1] > 0.5
        assert (called[:100].sum(), called[100:].sum()) == (100, 0), name


def test_mtcnn_s_three_networks_find_a_face_and_its_points_and_none_in_a_cat() -> None:
    """The box is within 3 pixels of the one that facenet-pytorch gives for this photograph."""
    for name in ("pnet", "rnet", "onet"):
        entry_of(name)
    several = cascade("mtcnn")
    assert several is not None
    images = Path(__file__).parents[2] / "docs" / "images"
    answers = CascadeAnswering.published(several).answers([images / "astronaut.jpg", images / "cat.jpg"])
    (face,), cat = (found["boxes"] for _, found in answers)
    assert face["label"] == "face"
    assert face["share"] > 0.99
    assert face["box"] == pytest.approx([178, 63, 267, 173], abs=4)
    left_eye, right_eye, nose, *mouth = face["points"]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(corner[1] for corner in mouth)
    assert cat == []


def test_demosaicnet_fills_in_two_of_three_colours() -> None:
    """At least 8 dB above what is seen of each colour, averaged over its neighbours."""
    colours = pixels("coffee.png")[:256, :256].transpose(2, 0, 1)
    ((found,),) = run("demosaicnet:bayer", mosaic(colours)[None]).values()
    rim = (256 - found.shape[1]) // 2
    truth = colours[:, rim:-rim, rim:-rim]
    assert psnr(np.clip(found, 0, 1), truth) > 37
    assert psnr(np.clip(found, 0, 1), truth) > psnr(_averaged(mosaic(colours))[:, rim:-rim, rim:-rim], truth) + 8


def _averaged(seen: np.ndarray) -> np.ndarray:
    """Each colour where it is not seen as the mean of its neighbours that are, which is bilinear demosaicking."""
    from scipy.ndimage import convolve

    weights = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float64)
    known = mosaic(np.ones_like(seen))
    return np.stack(
        [
            convolve(c.astype(np.float64), weights) / convolve(k.astype(np.float64), weights)
            for c, k in zip(seen, known, strict=True)
        ]
    )


def test_mini_xception_sees_an_astronaut_smile() -> None:
    from PIL import Image

    face = Image.open(photograph("astronaut.png")).convert("L").crop((178, 63, 267, 173)).resize((64, 64))
    x = (np.asarray(face, np.float32)[None, None] / 255 - 0.5) * 2
    (shares,) = run("mini_xception:fer2013", x).values()
    assert int(shares[0].argmax()) == 3
    assert shares[0, 3] > 0.99


def test_three_convolutions_read_handwritten_digits() -> None:
    """scikit-learn's 8×8 digits, enlarged to 20×20 with a border of 4: other people's handwriting than MNIST's."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    places = np.arange(0, len(digits.images), 4)
    large = [
        np.pad(
            np.asarray(Image.fromarray((image * 15.9).astype(np.uint8)).resize((20, 20), Image.Resampling.BICUBIC)), 4
        )
        for image in digits.images[places]
    ]
    x = (np.stack(large)[:, None].astype(np.float32) / 255 - 0.1307) / 0.3081
    (scores,) = run("digits_3conv:mnist", x).values()
    assert (scores.argmax(1) == digits.target[places]).mean() > 0.85


def test_esrgan_slim_gives_the_picture_that_its_package_shows() -> None:
    """The package has an input and what its authors' code made of it: nearly all values are the same after rounding."""
    from PIL import Image

    folder = BESIDE / "weights" / "esrgan_slim-x2" / "assets"
    if not folder.is_dir():
        pytest.skip("the pictures of @upscalerjs/esrgan-slim are not in .venv/trained")
    given = np.asarray(Image.open(folder / "fixture.png").convert("RGB"), np.float32).transpose(2, 0, 1)
    truth = np.asarray(Image.open(folder / "result.png").convert("RGB"), np.int64).transpose(2, 0, 1)
    (found,) = run("esrgan_slim:x2", given[None]).values()
    difference = np.abs(np.clip(np.round(found[0]), 0, 255).astype(np.int64) - truth)
    assert difference.max() <= 1
    assert (difference == 0).mean() > 0.999


@pytest.mark.slow
def test_mc_cnn_finds_the_same_point_in_two_pictures() -> None:
    """The motorcycle with its true disparities: of the pixels that both pictures show, about 11 % are off by more than 3."""
    from PIL import Image

    greys = [
        np.asarray(Image.open(photograph(f"motorcycle_{side}.png")).convert("L"), np.float32)
        for side in ("left", "right")
    ]
    greys = [(grey - grey.mean()) / grey.std() for grey in greys]
    left, right = (run("mc_cnn_fast:middlebury", np.pad(grey, 5, mode="edge")[None, None]) for grey in greys)
    left, right = (next(iter(maps.values()))[0] for maps in (left, right))
    most = 70
    costs = np.full((most, *left.shape[1:]), -2, np.float32)
    for shift in range(most):
        costs[shift, :, shift:] = (left[:, :, shift:] * right[:, :, : right.shape[2] - shift]).sum(0)
    file = BESIDE / "skimage" / "data" / "motorcycle_disp.npz"
    truth = np.load(file)["arr_0"]
    known = np.isfinite(truth) & (truth < most) & (truth <= np.arange(truth.shape[1]))
    wrong = (np.abs(costs.argmax(0) - truth) > 3)[known].mean()
    assert wrong < 0.13


@pytest.mark.slow
def test_hed_draws_the_outline_of_a_cup() -> None:
    """Edges are where brightness changes, not on the even wood of the table."""
    (answer,) = asked("hed:bsds500", "coffee.png", size="3x400x600")
    edges = answer["pixels"].astype(np.float64) / 255
    # The rim of the cup, and the dark corner behind it.
    assert edges[15:30, 240:330].max() > 0.7
    assert edges[10:60, 30:90].mean() < 0.1


def test_mobilenet_v2_features_are_near_for_pictures_that_are_alike() -> None:
    """A cat and its mirror image are nearer to each other than to a motorcycle."""
    from cnndsl.arrays.inputs import prepared_picture, read_picture

    use = entry_of("mobilenet_v2_features:imagenet").use
    read = [
        prepared_picture(read_picture(photograph(name)), (3, 224, 224), use.reading)[0]
        for name in ("chelsea.png", "motorcycle_left.png")
    ]
    x = np.stack([read[0], read[0][:, :, ::-1], read[1]])
    (rows,) = run("mobilenet_v2_features:imagenet", x).values()
    rows = rows.reshape(3, -1)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert rows[0] @ rows[1] > 0.8
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2
