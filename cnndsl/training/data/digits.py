"""Handwritten digits that come with scikit-learn: 1797 pictures of 8×8, from the UCI repository."""

from __future__ import annotations

from functools import partial

from cnndsl.diagnostics.errors import MissingPart
from cnndsl.diagnostics.extras import how_to_install
from cnndsl.training.data.collection import Collection, fitted


def digits() -> Collection:
    """The ten digits; ink from 0 to 16 becomes 0 to 255. Raises `MissingPart` without scikit-learn."""
    import numpy as np

    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingPart("the digits come with scikit-learn", how_to_install("train")) from None
    loaded = load_digits()
    pictures = np.rint(loaded.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = loaded.target.astype(np.int64)
    return Collection("digits", tuple(map(str, range(10))), labels, partial(fitted, pictures), size="1×8×8")
