"""Readers of what compiling and tuning leave behind: packages, and the tuning store."""

from __future__ import annotations

import shutil
from functools import cache
from hashlib import sha256
from pathlib import Path

from cnndsl.diagnostics.errors import MissingPart, Refused
from tests.fuzz import made


def manifest(data: bytes) -> None:
    """`manifest.json` of a package, its checksums right where the bytes say `@NAME@`."""
    _package({"manifest.json": data})


def package_weights(data: bytes) -> None:
    """The weights of a package whose manifest has been adapted to them."""
    _package({"weights.safetensors": data})


def package_sample(data: bytes) -> None:
    """The sample of a package whose manifest has been adapted to it."""
    _package({"sample.safetensors": data})


def _package(files: dict[str, bytes]) -> None:
    from cnndsl.backends.tvm import predict
    from cnndsl.backends.tvm.package import loaded as runtime

    folder = _copy()
    sums = dict(_sums())
    for name, data in files.items():
        (folder / name).write_bytes(data)
        sums[name] = sha256(data).hexdigest()
    text = files.get("manifest.json", made.manifest())
    for name, checksum in sums.items():
        text = text.replace(b"@%s@" % name.encode(), checksum.encode())
    (folder / "manifest.json").write_bytes(text)
    refused = False
    try:
        network = predict.load(folder)
        # What a package says of its batch is true or takes memory; both are fine, and one of them slow.
        if max(network._runnables) < 1000:
            network.self_test()
    except (predict.DamagedError, predict.UnsuitableError):
        refused = True
    try:
        if refused:
            runtime.load(folder)
    except Refused as error:
        assert [d.id for d in error.diagnostics] == ["damaged-package"]
    except MissingPart:
        pass
    for name in files:
        shutil.copy(made.package() / name, folder / name)


@cache
def _copy() -> Path:
    return Path(shutil.copytree(made.package(), made.folder() / "copy"))


@cache
def _sums() -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in made.package().iterdir()}


def store(data: bytes) -> None:
    """A tuning store: read, added to, and read again."""
    from cnndsl.backends.tvm.tuning.ledger import Ledger
    from cnndsl.backends.tvm.tuning.records import Measured, Place
    from cnndsl.backends.tvm.tuning.store import Store

    path = made.folder() / "fuzz.jsonl"
    path.write_bytes(data)
    try:
        found = Store(path)
    except Refused as error:
        assert [d.id for d in error.diagnostics] == ["not-a-store"]
        assert path.read_bytes() == data
        return
    before = found.records
    for place in {record.place for record in before}:
        Ledger(found, place).choices()
    new = Measured(place=Place(target="x", threads=1, tvm="0"), key="k", setting={}, seconds=1.0)
    found.append(new)
    assert found.records == (*before, new)
    assert Store(path).records == found.records
