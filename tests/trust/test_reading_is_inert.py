"""Reading a file never runs it: hostile files of every kind, read in a process whose every act is watched."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cnndsl import pipeline
from cnndsl.weights import write_weights

ROOT = Path(__file__).resolve().parents[2]


class Bomb:
    """An object whose pickle starts a process when it is loaded."""

    def __reduce__(self) -> Any:
        import os

        return os.system, ("touch exploded",)


def good(folder: Path) -> None:
    """One harmless file for each reader, so that what a first reading imports is not taken for the file's doing."""
    np = pytest.importorskip("numpy")
    torch = pytest.importorskip("torch")
    image = pytest.importorskip("PIL.Image")
    graph = pipeline.load("lenet5").graph
    (folder / "a.cnn").write_text("input 3×8×8\nConv3x3(4) → BN → ReLU → GlobalAvgPool → FC(2)", "utf-8")
    (folder / "a.json").write_text(graph.model_dump_json(), "utf-8")
    write_weights(folder / "a.safetensors", {"w": np.zeros(3, np.float32)})
    torch.save({"w": torch.zeros(3)}, folder / "a.pth")
    torch.save({"w": torch.zeros(3)}, folder / "a.pt")
    np.save(folder / "a.npy", np.zeros(3))
    np.savez(folder / "a.npz", a=np.zeros(3))
    image.new("RGB", (9, 9)).save(folder / "a.png")
    image.new("RGB", (9, 9)).save(folder / "a.jpg")


def hostile(folder: Path) -> dict[str, str]:
    """The files, and what each reader is to say."""
    np = pytest.importorskip("numpy")
    bomb = pickle.dumps(Bomb())
    graph = json.loads(pipeline.load("lenet5").graph.model_dump_json())
    files: dict[str, tuple[bytes, str]] = {
        "pickle.pth": (bomb, "unreadable-weights"),
        "pickle.pt": (_torch_archive(bomb), "unreadable-weights"),
        "pickle.npy": (_array(np.array([Bomb()], object)), "unreadable-array"),
        "pickle.npz": (_archive({"a.npy": _array(np.array([Bomb()], object))}), "unreadable-array"),
        "pickle.safetensors": (bomb, "unreadable-weights"),
        "pickle.png": (bomb, "unreadable-image"),
        "pickle.cnn": (bomb, "not-utf8"),
        "pickle.json": (bomb, "not-a-graph"),
        "climbing.npz": (_archive({"../../climbed.npy": _array(np.zeros(2))}), "read"),
        "postscript.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(exploded) (w) file\n", "unreadable-image"),
        "vector.jpg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "unreadable-image"),
        "header.safetensors": ((2**62).to_bytes(8, "little") + b"{}", "unreadable-weights"),
        "offsets.safetensors": (_safetensors({"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}), "unreadable-weights"),
        "negative.safetensors": (_safetensors({"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}), "unreadable-weights"),
        "words.safetensors": (_safetensors({"dtype": "F32", "shape": ["1"], "data_offsets": [0, 4]}), "unreadable-weights"),
        "list.safetensors": (_safetensors([]), "unreadable-weights"),
        "code.cnn": ("input 3×8×8\n__import__(\"os\").system(\"touch exploded\")".encode(), "syntax"),
        "device.cnn": (b'use A from "/dev/zero"\ninput 3x8x8\nA', "path-outside-project"),
        "climbing.cnn": (b'use A from "../../../../etc/passwd"\ninput 3x8x8\nA', "path-outside-project"),
        "name.json": (json.dumps({**graph, "modules": ["__import__('os')"]}).encode(), "not-a-graph"),
        "layer.json": (json.dumps({**graph, "nodes": [{**graph["nodes"][0], "op": {"layer": "os.system"}}]}).encode(), "not-a-graph"),
    }  # fmt: skip
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    return {name: said for name, (_, said) in files.items()}


def _array(array: Any) -> bytes:
    np = pytest.importorskip("numpy")
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def _archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def _torch_archive(pickled: bytes) -> bytes:
    return _archive({"archive/data.pkl": pickled, "archive/version": b"3\n"})


def _safetensors(entry: Any) -> bytes:
    header = json.dumps({"w": entry}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


def test_no_file_starts_a_process_opens_a_socket_or_writes(tmp_path: Path) -> None:
    for name in ("good", "hostile"):
        (tmp_path / name).mkdir()
    good(tmp_path / "good")
    expected = hostile(tmp_path / "hostile")
    done = subprocess.run(
        [sys.executable, "-m", "tests.trust.hostile", str(tmp_path)], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["events"] == []
    assert told["said"] == expected
    assert not list(tmp_path.rglob("exploded"))
    assert not (ROOT / "exploded").exists()
