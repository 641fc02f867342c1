"""Small files of arrays as other libraries write them: what their readers are tested and fuzzed with."""

from __future__ import annotations

import io
import json
import pickle

import numpy as np

KERNEL = np.arange(54, dtype=np.float32).reshape(3, 3, 3, 2)
BIAS = np.array([0.5, -1], np.float32)


def pickled(protocol: int = 3) -> bytes:
    """Arrays in lists in a dict, as research code leaves them."""
    return pickle.dumps({"conv1": [KERNEL, BIAS], "more": (BIAS.astype(np.float64),)}, protocol=protocol)


def hdf5() -> bytes:
    """Keras' groups with a kernel and a bias, and attributes that are no arrays."""
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["model_config"] = "{}"
        file["model_weights/conv2d_1/conv2d_1/kernel:0"] = KERNEL
        file["model_weights/conv2d_1/conv2d_1/bias:0"] = BIAS
        file["names"] = np.array([b"a", b"b"])
    return stream.getvalue()


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    done = b""
    while value > 0x7F:
        done += bytes([value & 0x7F | 0x80])
        value >>= 7
    return done + bytes([value])


def _shape(array: np.ndarray) -> bytes:
    return b"".join(_field(2, _field(1, size)) for size in array.shape)


def tf_graph() -> bytes:
    """A frozen graph: two constants of floats, one of whole numbers, an operation."""
    nodes = []
    for name, array, kind in (("conv/kernel", KERNEL, 1), ("conv/bias", BIAS, 1), ("axis", np.array([1], np.int32), 3)):
        tensor = _field(1, kind) + _field(2, _shape(array)) + _field(4, array.tobytes())
        entry = _field(1, b"value") + _field(2, _field(8, tensor))
        nodes.append(_field(1, name.encode()) + _field(2, b"Const") + _field(5, entry))
    same = _field(1, 1) + _field(2, _shape(KERNEL)) + _field(5, np.float32(2).tobytes())
    filled = _field(1, b"value") + _field(2, _field(8, same))
    nodes.append(_field(1, b"filled") + _field(2, b"Const") + _field(5, filled))
    nodes.append(_field(1, b"conv") + _field(2, b"Conv2D") + _field(3, b"conv/kernel"))
    return b"".join(_field(1, node) for node in nodes)


def tf_checkpoint() -> tuple[bytes, bytes]:
    """An index and its numbers: keys share their beginnings, as they do in TensorFlow's."""
    data = KERNEL.tobytes() + BIAS.tobytes()
    entries = [(b"", b"\x08\x01"), (b"conv/bias", _entry(BIAS, KERNEL.nbytes)), (b"conv/kernel", _entry(KERNEL, 0))]
    block, before = b"", b""
    for key, value in entries:
        shared = 0
        while shared < min(len(key), len(before)) and key[shared] == before[shared]:
            shared += 1
        block += _varint(shared) + _varint(len(key) - shared) + _varint(len(value)) + key[shared:] + value
        before = key
    block += bytes(4) + (1).to_bytes(4, "little")
    handle = _varint(0) + _varint(len(block))
    index = _varint(0) + _varint(1) + _varint(len(handle)) + b"z" + handle + bytes(4) + (1).to_bytes(4, "little")
    start = len(block) + 5
    footer = _varint(0) + _varint(0) + _varint(start) + _varint(len(index))
    magic = (0xDB4775248B80FB57).to_bytes(8, "little")
    return block + bytes(5) + index + bytes(5) + footer.ljust(40, b"\0") + magic, data


def _entry(array: np.ndarray, offset: int) -> bytes:
    parts = _field(1, 1) + _field(2, _shape(array))
    return parts + (_field(4, offset) if offset else b"") + _field(5, array.nbytes)


def tfjs() -> tuple[bytes, bytes]:
    """`model.json`, and the file of numbers beside it."""
    weights = [
        {"name": "conv/kernel", "shape": [3, 3, 3, 2], "dtype": "float32"},
        {"name": "conv/bias", "shape": [2], "dtype": "float32"},
    ]
    model = {"modelTopology": {}, "weightsManifest": [{"paths": ["numbers.bin"], "weights": weights}]}
    return json.dumps(model).encode(), KERNEL.tobytes() + BIAS.tobytes()


def darknet(count: int) -> bytes:
    """A header of version 0.2 and `count` numbers."""
    header = np.array([0, 2, 0], "<i4").tobytes() + np.array([32], "<i8").tobytes()
    return header + np.arange(count, dtype="<f4").tobytes()
