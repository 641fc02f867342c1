"""Names of operations that say the same, and the arguments that files leave out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAME = {
    "contiguous",
    "clone",
    "alias",
    "detach",
    "lift_fresh_copy",
    "lift_fresh",
    "_to_copy",
    "to",
    "type_as",
    "view_as",
}
"""What gives the numbers it takes, at the same places."""
RESHAPES = {
    "view",
    "reshape",
    "flatten",
    "unflatten",
    "squeeze",
    "unsqueeze",
    "_unsafe_view",
    "ravel",
    "view_copy",
    "reshape_as",
    "unsafe_view",
}
"""What lays the numbers out in other axes, in the same order."""
ALIASES = {
    "concat": "cat",
    "concatenate": "cat",
    "bmm": "matmul",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "hardtanh": "clamp",
    "clip": "clamp",
    "max_pool1d_with_indices": "max_pool1d",
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d",
    "native_dropout": "dropout",
    "alpha_dropout": "dropout",
    "_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "clamp_min": "clamp",
    "clamp_max": "clamp",
    "expand_as": "expand",
    "norm": "linalg_vector_norm",
}
_WINDOWS = {"stride": [1], "padding": [0], "dilation": [1]}
_CONV = {"bias": None, **_WINDOWS, "groups": 1}
_POOL = {"stride": [], "padding": [0], "ceil_mode": False}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _CONV),
    **{f"conv_transpose{n}d": {**_CONV, "output_padding": [0]} for n in (1, 2, 3)},
    **{f"max_pool{n}d": {**_POOL, "dilation": [1]} for n in (1, 2, 3)},
    **{f"avg_pool{n}d": {**_POOL, "count_include_pad": True, "divisor_override": None} for n in (1, 2, 3)},
    **{name: {"keepdim": False} for name in ("mean", "sum", "amax", "amin")},
    "linalg_vector_norm": {"ord": 2, "keepdim": False},
    **{name: {"weight": None, "bias": None, "eps": 1e-5} for name in ("layer_norm", "group_norm")},
    "celu": {"alpha": 1.0},
    "glu": {"dim": -1},
    "batch_norm": {"training": False, "momentum": 0.1, "eps": 1e-5},
    "pad": {"mode": "constant", "value": None},
    "dropout": {"p": 0.5},
}
"""Arguments that files leave out where they are at their defaults."""
ONE_RESULT = {
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
}
VIEWS = {
    "slice", "narrow", "select", "permute", "transpose", "swapaxes", "t", "mT", "movedim", "moveaxis",
}  # fmt: skip
"""What gives a view of the tensor it takes, beside changes of its shape."""
