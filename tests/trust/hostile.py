"""Files that try to be more than data, for every reader: run in a child process under an audit hook.

`python -m tests.trust.hostile FOLDER` reads each file of the folder as what its ending says and prints, as JSON, what
the readers said and every event that reading must not cause. Packages and runs are folders, with an ending too.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FORBIDDEN = (
    "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "pty.spawn",
    "socket.", "urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.", "ctypes.dlopen", "ctypes.dlsym",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "shutil.", "tempfile.", "pickle.find_class",
)  # fmt: skip
"""Audit events, by their start: processes, sockets, native libraries, changes of files, pickles."""


def forbidden(event: str, arguments: tuple[Any, ...]) -> str | None:
    """What the event does that a reader must not; None if nothing."""
    if event == "open":
        path, mode, flags = arguments
        written = (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if written or (mode and set(mode) & set("wax+")):
            return f"open {path} {mode}"
    return event if event.startswith(FORBIDDEN) else None


def readers() -> dict[str, Callable[[Path], Any]]:
    """By ending: what reads such a file. What they import is imported here, before anything is watched."""
    from cnndsl import pipeline
    from cnndsl.arrays import weight_files
    from cnndsl.arrays.inputs import read_arrays, read_image
    from cnndsl.disk.files import read_text
    from cnndsl.passes.read_graph import read_graph

    return {
        ".cnn": lambda path: pipeline.load(str(path)),
        ".json": lambda path: read_graph(path.read_bytes(), path.name),
        ".safetensors": weight_files.read_weights,
        ".pth": weight_files.read_weights,
        ".pt": weight_files.read_weights,
        ".npy": read_arrays,
        ".npz": read_arrays,
        ".png": lambda path: read_image(path, (3, 8, 8)),
        ".jpg": lambda path: read_image(path, (3, 8, 8)),
        ".txt": read_text,
        ".toml": _config,
        ".jsonl": _store,
        ".package": _package,
        ".run": _run,
        ".state": _state,
        ".data": _data,
    }


def _config(path: Path) -> None:
    from cnndsl.training.config import read_config

    read_config(path)


def _store(path: Path) -> None:
    from cnndsl.backends.tvm.kernels.choices import Choices
    from cnndsl.backends.tvm.kernels.traces import harmless
    from cnndsl.backends.tvm.tuning.ledger import Ledger
    from cnndsl.backends.tvm.tuning.store import Store

    store = Store(path)
    for place in {record.place for record in store.records}:
        found: Choices = Ledger(store, place).choices()
        assert not any(harmless(setting.get("trace")) for setting in found.settings.values())


def _package(path: Path) -> None:
    from cnndsl.backends.tvm.package import loaded as runtime

    runtime.load(path).self_test()


def _run(path: Path) -> None:
    from cnndsl.training.run import open_run

    open_run(path).weights()


def _state(path: Path) -> None:
    from cnndsl.training.loop.checkpoint import unpacked

    unpacked(path)


def _data(path: Path) -> None:
    from cnndsl.training.data.find import find_data

    find_data(str(path)).read((3, 8, 8))


def main(folder: Path) -> None:
    from cnndsl.diagnostics.errors import CnnError, MissingPart

    known = readers()
    for path in sorted((folder / "good").iterdir()):
        known[path.suffix](path)
    seen: list[str] = []
    watching = [False]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if watching[0] and (what := forbidden(event, arguments)) is not None:
            seen.append(what)

    sys.addaudithook(hook)
    said = {}
    for path in sorted((folder / "hostile").iterdir()):
        watching[0] = True
        try:
            known[path.suffix](path)
            said[path.name] = "read"
        except CnnError as error:
            said[path.name] = error.diagnostics[0].id
        except MissingPart as error:
            said[path.name] = error.message
        except Exception as error:  # noqa: BLE001  (a traceback is what this looks for)
            said[path.name] = f"{type(error).__name__}: {error}"
        watching[0] = False
    print(json.dumps({"said": said, "events": seen}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
