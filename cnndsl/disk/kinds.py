"""What a file of bytes is, by its first ones: told to whoever gives it where a program or weights are due."""

from __future__ import annotations

import re
from typing import NamedTuple

_IMPORT = "`cnndsl import {name} -o net.cnn` makes a program of it"
_SAVE = 'save its weights in Python: `torch.save(model.state_dict(), "weights.pth")`'
_EXPORT = 'save it in Python: `torch.export.save(torch.export.export(model, (x,)), "net.pt2")`; `cnndsl import net.pt2 -o net.cnn` makes a program of that'
_WEIGHTS = "it has no network in it: name one, and give the file with `--weights {name}`; `cnndsl weights check NETWORK {name}` compares keys"
_ONNX = "export the network to ONNX where it was made; `cnndsl import net.onnx -o net.cnn` makes a program of that"


class FileKind(NamedTuple):
    """What a file is, and what to do with it where a program was due, and where weights were."""

    what: str
    as_program: str
    as_weights: str


_KINDS = {
    "onnx": FileKind("an ONNX file", _IMPORT, f"{_IMPORT}, with its weights beside it"),
    "pt2": FileKind("an exported program of PyTorch", _IMPORT, f"{_IMPORT}, with its weights beside it"),
    "torchscript": FileKind("a TorchScript archive", _EXPORT, _SAVE),
    "module": FileKind("a whole module that Python pickled, and pickles can run code", _EXPORT, _SAVE),
    "state dict": FileKind("a file of weights that PyTorch saved", _WEIGHTS, _SAVE),
    "pickle": FileKind("a Python pickle, and pickles can run code", _EXPORT, _SAVE),
    "safetensors": FileKind("a file of weights", _WEIGHTS, _WEIGHTS),
    "hdf5": FileKind("an HDF5 file, as Keras saves weights", _ONNX, "convert it to `.safetensors` where it was made"),
    "keras": FileKind("a network that Keras saved", _ONNX, "convert its weights to `.safetensors` where it was made"),
    "tflite": FileKind("a TensorFlow Lite file", _ONNX, "convert its weights to `.safetensors` where it was made"),
    "npz": FileKind("arrays of NumPy", "give the file of the network", "write them as `.safetensors`"),
    "picture": FileKind("a picture", "give the file of the network; `cnndsl predict NETWORK {name}` takes pictures", "give a file of weights"),
    "archive": FileKind("an archive", "unpack it, and give the file of the network", "unpack it, and give the file of weights"),
    "machine code": FileKind("machine code", "give the file of the network", "give a file of weights"),
    "pdf": FileKind("a PDF", "give the file of the network", "give a file of weights"),
    "Python": FileKind("a Python file", "write the network in the language; a module in memory becomes a program by `cnndsl.from_torch(module, example)`",
                       "give a file of weights"),
    "notebook": FileKind("a notebook", "write the network in a file of its own", "give a file of weights"),
    "bytes": FileKind("no text", "give a program, a text in UTF-8", "give a `.safetensors` or `.pth` file"),
}  # fmt: skip
_MAGIC = (
    (b"\x89HDF", "hdf5"), (b"\x89PNG", "picture"), (b"\xff\xd8\xff", "picture"), (b"GIF8", "picture"), (b"BM", "picture"),
    (b"%PDF", "pdf"), (b"\x7fELF", "machine code"), (b"MZ", "machine code"), (b"\x1f\x8b", "archive"), (b"7z\xbc\xaf", "archive"),
    (b"\xcf\xfa\xed\xfe", "machine code"),
)  # fmt: skip


def kind_of(name: str, data: bytes) -> FileKind | None:
    """What bytes at the start of a file called `name` are; None for what may be a text."""
    found = _kind(name.lower(), data)
    if found is None:
        return None
    kind = _KINDS[found]
    return FileKind(kind.what, *(text.format(name=name) for text in kind[1:]))


def _kind(name: str, data: bytes) -> str | None:
    if data.startswith(b"PK\x03\x04"):
        return _archive(data)
    if re.match(rb"\x80[\x02-\x05]", data):
        return "module" if b"torch.nn.modules" in data else "state dict" if b"_rebuild_tensor" in data else "pickle"
    if data[4:8] == b"TFL3":
        return "tflite"
    if len(data) > 9 and data[8:9] == b"{" and int.from_bytes(data[:8], "little") < 100_000_000 and b"\0" in data[:8]:
        return "safetensors"
    for magic, kind in _MAGIC:
        if data.startswith(magic) and (len(magic) > 2 or b"\0" in data[:64]):
            return kind
    if name.endswith(".onnx") or (data[:1] == b"\x08" and re.search(rb"onnx|pytorch|tf2onnx|keras2onnx", data[:80])):
        return "onnx"
    if name.endswith(".py"):
        return "Python"
    if name.endswith(".ipynb"):
        return "notebook"
    return "bytes" if b"\0" in data[:1024] else None


def _archive(data: bytes) -> str:
    """A zip by the names in it: their local headers come in the order in which they were written."""
    text = b"\n".join(
        data[at + 30 : at + 30 + int.from_bytes(data[at + 26 : at + 28], "little")]
        for at in (match.start() for match in re.finditer(rb"PK\x03\x04", data))
    )
    if b"/code/" in text or b"constants.pkl" in text:
        return "torchscript"
    if b"archive_format" in text or b"exported_program" in text or b"models/model.json" in text:
        return "pt2"
    if b"data.pkl" in text:
        return "module" if b"torch.nn.modules" in data else "state dict"
    if b"model.weights.h5" in text or b"metadata.json" in text:
        return "keras"
    return "npz" if b".npy" in text else "archive"
