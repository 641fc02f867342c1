"""Every reader ends within its bounds: files made to take all time or memory, read in a process that has little of both."""

from __future__ import annotations

import json
import os
import resource
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20
"""CPU seconds for one reading, imports included; each takes less than two of them on a machine with nothing else to do."""

READ = """
import sys
from pathlib import Path
from tests.trust.hostile import readers
from cnndsl.diagnostics.errors import CnnError
path = Path(sys.argv[1])
try:
    readers()[path.suffix](path)
    print("read")
except CnnError as error:
    print(error.diagnostics[0].id)
"""


def told(path: Path, gigabytes: float) -> str:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (int(gigabytes * 2**30),) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    # Each thread of a pool reserves address space that it never uses.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        preexec_fn=limited,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr.decode()[-2000:])
    return done.stdout.decode().strip()


def nested(item: str, count: int, repeat: str) -> str:
    return "[" * count + item + f"]{repeat}" * count


PROGRAMS = {
    "layers": ("input 3×8×8\n" + nested("Conv3x3(8)", 12, "×1000"), "too-many-nodes"),
    "calls": (
        "input 3×8×8\nA60\nblock A0 { ReLU }\n" + "\n".join(f"block A{i + 1} {{ A{i} → A{i} }}" for i in range(60)),
        "too-many-nodes",
    ),
    "power": ("input 3×8×8\nConv3x3(9 ** 9 ** 9 ** 9)", "value-too-large"),
    "lists": ("input 3×8×8\nlet a = [0]" + "\nlet a = a + a" * 60 + "\nConv3x3(len(a))", "value-too-large"),
    "comprehension": ("input 3×8×8\nlet a = [i for i in range(100000) if sum(range(100000)) > 0]\nReLU", "too-many-steps"),
    "weights": ("input 3×8×8\nConv3x3(2 ** 31) → Conv3x3(2 ** 31)", "value-too-large"),
    "brackets": ("[" * 900_000, "too-deep"),
    "long": ("#" * 1_000_001, "source-too-long"),
    "strings": ('use A from "' + "a" * 900_000 + '"\nA', "file-not-found"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_refused_in_a_gigabyte(tmp_path: Path, name: str) -> None:
    text, id = PROGRAMS[name]
    path = tmp_path / "bomb.cnn"
    path.write_text(text, "utf-8")
    assert told(path, 4) == id


def _picture(side: int) -> bytes:
    """A PNG of one colour, some kilobytes long however large it is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"\x00" * 10_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")  # fmt: skip


def _archive(path: Path, size: int) -> None:
    """An `.npz` whose one array is `size` zeros, of which the file has a thousandth."""
    header = str({"descr": "|u1", "fortran_order": False, "shape": (size,)}).encode().ljust(117) + b"\n"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w", force_zip64=True) as file,
    ):
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        block = bytes(2**24)
        for _ in range(size // 2**24):
            file.write(block)


def test_a_picture_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_picture(60_000))
    assert told(path, 6) == "unreadable-image"


@pytest.mark.slow
def test_an_archive_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    _archive(path, 5 * 2**30)
    assert path.stat().st_size < 10_000_000
    assert told(path, 6) == "unreadable-array"


@pytest.mark.parametrize(
    "graph",
    [
        b'{"nodes":' + b"[" * 2_000_000,
        json.dumps({"name": "x" * 5_000_000}).encode(),
        b"[" + b"0," * 3_000_000 + b"0]",
    ],
    ids=["deep", "name", "list"],
)  # fmt: skip
def test_a_graph_is_refused(tmp_path: Path, graph: Any) -> None:
    path = tmp_path / "bomb.json"
    path.write_bytes(graph)
    assert told(path, 4) == "not-a-graph"


def test_weights_with_a_header_of_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "bomb.safetensors"
    with path.open("wb") as file:
        file.write((3 * 10**9).to_bytes(8, "little"))
        file.truncate(4 * 10**9)
    assert told(path, 6) == "unreadable-weights"
