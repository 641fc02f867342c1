"""What a file is that was taken for another kind: told by its first bytes, so that an error can say what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MOST_LOOKED_AT = 512


@dataclass(frozen=True)
class Kind:
    """A kind of file in words, and what to do with one where a network was expected."""

    what: str
    help: str


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8", "strict" if len(head) < MOST_LOOKED_AT else "ignore")
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c in "\r\n\t" for c in text)


_EMPTY = Kind("an empty file", "fetch the file again, or export it again")
_WEIGHTS = (
    "it holds weights, or a module that only its own code can build: build the module in Python and give it to "
    "`cnndsl.from_torch(module, (3, 224, 224))`"
)
_BEGINNINGS: tuple[tuple[Callable[[bytes], bool], Kind], ...] = (
    (
        lambda head: head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head")),
        Kind("a web page", "fetch the file itself: this is the page that was shown in its place"),
    ),
    (
        lambda head: head.startswith(b"version https://git-lfs"),
        Kind("a pointer of Git LFS, not the file", "fetch the file that it points to with `git lfs pull`"),
    ),
    (
        lambda head: head.startswith(b"PK"),
        Kind("a zip archive, as PyTorch writes `.pt`, `.pth` and `.pt2`", _WEIGHTS),
    ),
    (
        lambda head: head.startswith(b"\x80") and head[1:2] in b"\x02\x03\x04\x05",
        Kind("a pickle, as older PyTorch writes `.pth`", _WEIGHTS),
    ),
    (
        lambda head: head.startswith(b"\x89HDF"),
        Kind("HDF5, as Keras writes weights", "export the network to ONNX with tf2onnx"),
    ),
    (
        lambda head: head[4:8] == b"TFL3",
        Kind("a TensorFlow Lite model", "export the network to ONNX with tf2onnx"),
    ),
    (
        lambda head: b"ONNX" in head[:64] or b"pytorch" in head[:64] or head.startswith(b"\x08"),
        Kind("the beginning of an ONNX file", "fetch the file again: it is cut off, or damaged"),
    ),
    (
        lambda head: head.startswith((b"{", b"[")),
        Kind("JSON", "give the network's file, `.onnx` or `.pt2`"),
    ),
    (
        _is_text,
        Kind("text", "give the network's file, `.onnx` or `.pt2`"),
    ),
)


def kind_of(head: bytes) -> Kind:
    """The kind of a file by its first bytes."""
    if not head:
        return _EMPTY
    found = next((kind for fits, kind in _BEGINNINGS if fits(head)), None)
    shown = " ".join(f"{byte:02x}" for byte in head[:8])
    return found or Kind(f"bytes of no known kind, {shown} first", "fetch the file again, or export it again")
