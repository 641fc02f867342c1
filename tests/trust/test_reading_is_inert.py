"""Reading a file never runs it: hostile files of every kind, read in a process whose every act is watched."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cnndsl import pipeline
from cnndsl.arrays.weights import write_weights
from tests.fuzz import made

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
    (folder / "a.toml").write_text('freeze = ["layer1.*"]', "utf-8")
    (folder / "a.txt").write_text("cat\ndog", "utf-8")
    (folder / "a.jsonl").write_bytes(made.store())
    (folder / "a.state").write_bytes((made.run() / "checkpoint.safetensors").read_bytes())
    shutil.copytree(made.package(), folder / "a.package")
    shutil.copytree(made.run(), folder / "a.run")
    for name in ("cat", "dog"):
        (folder / "a.data" / name).mkdir(parents=True)
        image.new("RGB", (9, 9)).save(folder / "a.data" / name / "1.png")


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
        "pickle.cnn": (bomb, "not-a-program"),
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
        "pickle.toml": (bomb, "not-utf8"),
        "code.toml": (b"data = __import__('os').system('touch exploded')", "wrong-option"),
        "tag.toml": (b'epochs = "!!python/object/apply:os.system"', "wrong-option"),
        "pickle.txt": (bomb, "not-utf8"),
        "pickle.jsonl": (bomb, "not-a-store"),
        "code.jsonl": (_store(json.dumps([[["Annotate", [], ["pragma_import_c", "evil"], []]], []])), "read"),
        "words.jsonl": (_store("__import__('os').system('touch exploded')"), "read"),
        "pickle.state": (bomb, "damaged-run"),
        "torch.state": (_torch_archive(bomb), "damaged-run"),
        "code.state": (_safetensors({"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}), "damaged-run"),
        "name.json": (json.dumps({**graph, "modules": ["__import__('os')"]}).encode(), "not-a-graph"),
        "layer.json": (json.dumps({**graph, "nodes": [{**graph["nodes"][0], "op": {"layer": "os.system"}}]}).encode(), "not-a-graph"),
    }  # fmt: skip
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    return {name: said for name, (_, said) in files.items()} | packages(folder) | runs(folder)


def packages(folder: Path) -> dict[str, str]:
    """Packages that would run something else, with manifests that have been adapted to it."""
    manifest = json.loads((made.package() / "manifest.json").read_text("utf-8"))
    library = manifest["variants"][0]["programs"][0]["library"]
    for kind in ("changed", "climbing", "linked", "pickled", "threads"):
        own = Path(shutil.copytree(made.package(), folder / f"{kind}.package"))
        changed = json.loads(json.dumps(manifest))
        if kind == "changed":
            with (own / library).open("ab") as file:
                file.write(b"\0")
        elif kind == "climbing":
            changed["variants"][0]["programs"][0]["library"] = "../evil.so"
            changed["files"]["../evil.so"] = changed["files"][library]
        elif kind == "linked":
            (own / library).unlink()
            (own / library).symlink_to(made.package() / library)
        elif kind == "pickled":
            (own / "weights.safetensors").write_bytes(pickle.dumps(Bomb()))
            changed["files"]["weights.safetensors"] = sha256(pickle.dumps(Bomb())).hexdigest()
        else:
            changed["threads"] = 10**6
        (own / "manifest.json").write_text(json.dumps(changed), "utf-8")
    return dict.fromkeys(
        (f"{kind}.package" for kind in ("changed", "climbing", "linked", "pickled", "threads")), "damaged-package"
    )


def runs(folder: Path) -> dict[str, str]:
    """Runs whose files are others, or would be code."""
    bomb, graph = pickle.dumps(Bomb()), json.loads((made.run() / "graph.json").read_text("utf-8"))
    graph["nodes"][0]["name"] = "__import__('os').system('touch exploded')"
    changes: dict[str, tuple[str, bytes]] = {
        "weights": ("best.safetensors", bomb),
        "torch": ("best.safetensors", _torch_archive(bomb)),
        "about": ("run.json", bomb),
        "code": ("graph.json", json.dumps(graph).encode()),
    }
    for kind, (name, data) in changes.items():
        own = Path(shutil.copytree(made.run(), folder / f"{kind}.run"))
        (own / name).write_bytes(data)
    own = Path(shutil.copytree(made.run(), folder / "linked.run"))
    (own / "graph.json").unlink()
    (own / "graph.json").symlink_to("/dev/zero")
    return {f"{kind}.run": "damaged-run" for kind in (*changes, "linked")}


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


def _store(trace: str) -> bytes:
    """A store in which a network has taken this trace for the schedule of a function."""
    from cnndsl.backends.tvm.tuning.records import Place, Verdict
    from cnndsl.backends.tvm.tuning.store import HEADER, line_of

    place = Place(target="x", threads=1, tvm="0")
    taken = Verdict(place=place, key="f", setting={"trace": trace}, network="n", accepted=True, before=2.0, after=1.0)
    return HEADER + line_of(taken.model_dump(mode="json"))


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
