"""Any value in any place of a JSON text: each place gets every value, and is left out; read, or refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from itertools import islice
from math import gcd
from typing import Any

import pytest

from tests.fuzz import made
from tests.fuzz.readers import READERS

VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 3, 2**31, 2**63, 10**30, 0.5, float("nan"), float("inf"), "", "x", "../x", "\0", "\ud800", "F64", "I8",
    "weights.safetensors", "predict.py", "float64", [], [-1], [2**62, 4], [[]], [None], {}, {"": {}}, {"kind": "c"}, {"kind": "cuda"},
)  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each part of a JSON value."""
    yield at
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*at, key))


def changed(value: Any) -> Iterator[Any]:
    """The value with each place changed to each value, left out, or there twice."""
    text = json.dumps(value)
    for at in places(value):
        for new in VALUES:
            if not at:
                yield new
                continue
            whole, found, key = _opened(text, at)
            found[key] = new
            yield whole
        if at:
            whole, found, key = _opened(text, at)
            del found[key]
            yield whole
            whole, found, key = _opened(text, at)
            if isinstance(found, list):
                found.append(found[key])
            else:
                found[f"{key} "] = found[key]
            yield whole


def _opened(text: str, at: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """The value of a text, the part of it in which the place lies, and its key there."""
    whole = found = json.loads(text)
    for key in at[:-1]:
        found = found[key]
    return whole, found, at[-1]


def plain(data: bytes) -> tuple[Any, Callable[[Any], bytes]]:
    """A JSON text, and how it is written again."""
    return json.loads(data), lambda value: json.dumps(value).encode()


def header(data: bytes) -> tuple[Any, Callable[[Any], bytes]]:
    """The header of a safetensors file."""
    end = 8 + int.from_bytes(data[:8], "little")

    def packed(value: Any) -> bytes:
        text = json.dumps(value).encode()
        return len(text).to_bytes(8, "little") + text + data[end:]

    return json.loads(data[8:end]), packed


def inner(data: bytes) -> tuple[Any, Callable[[Any], bytes]]:
    """The state of training in the header of its file."""
    from safetensors.torch import load

    from cnndsl.training.loop.checkpoint import check

    whole, packed = header(data)
    tensors = load(data)

    def within(value: Any) -> bytes:
        text = json.dumps(value)
        about = {**whole["__metadata__"], "state": text, "check": check(text, tensors)}
        return packed({**whole, "__metadata__": about})

    return json.loads(whole["__metadata__"]["state"]), within


def record(data: bytes) -> tuple[Any, Callable[[Any], bytes]]:
    """A record of the tuning store, with a check that is its own."""
    from hashlib import sha256

    from cnndsl.backends.tvm.tuning.store import HEADER

    def line(value: Any) -> bytes:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
        return HEADER + f'{{"check":"{sha256(text.encode()).hexdigest()[:16]}","record":{text}}}\n'.encode()

    return json.loads(data.splitlines()[2])["record"], line


TEXTS: dict[str, tuple[str, Callable[[bytes], tuple[Any, Callable[[Any], bytes]]]]] = {
    "manifest": ("manifest", plain),
    "package_weights": ("package_weights", header),
    "package_sample": ("package_sample", header),
    "weights": ("weights", header),
    "run": ("run", plain),
    "run_weights": ("run_weights", header),
    "checkpoint": ("checkpoint", header),
    "state": ("checkpoint", inner),
    "store": ("store", record),
    "pt2_model": ("pt2_model", plain),
}
"""The reader, and where in the file its JSON is."""

MANY = 300
"""About as many changes of each are tried here, with equal distances; `CNNDSL_FUZZ=all` tries every one."""


@pytest.mark.parametrize("name", TEXTS)
def test_any_value_in_any_place_is_read_or_refused(name: str) -> None:
    reader, opened = TEXTS[name]
    good = made.seeds("run_weights" if name == "weights" else reader)[0]
    value, packed = opened(good)
    count = sum(len(VALUES) + 2 for _ in places(value))
    every = 1 if os.environ.get("CNNDSL_FUZZ") == "all" else max(1, count // MANY)
    # A distance that the number of changes of a place is divisible by would meet the same values everywhere.
    while gcd(every, len(VALUES) + 2) > 1:
        every -= 1
    tried = 0
    for other in islice(changed(value), 0, None, every):
        READERS[reader](packed(other))
        tried += 1
    assert tried > 200
    READERS[reader](good)
