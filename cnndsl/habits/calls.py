"""A call of PyTorch or Keras as elements of the language: `nn.Conv2d(3, 64, 3, padding=1)` is `Conv3x3(64)`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from cnndsl.habits.words import foreign

Given = dict[str, ast.expr]

_CONV = (
    "in_channels",
    "out_channels",
    "kernel_size",
    "stride",
    "padding",
    "dilation",
    "groups",
    "bias",
    "padding_mode",
)
_CONV_T = (
    "in_channels",
    "out_channels",
    "kernel_size",
    "stride",
    "padding",
    "output_padding",
    "groups",
    "bias",
    "dilation",
)
_KERAS = ("filters", "kernel_size", "strides", "padding")
_POOL = ("kernel_size", "stride", "padding")
_SIGNATURES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Conv1d", "Conv2d", "Conv3d"), _CONV),
    **dict.fromkeys(("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"), _CONV_T),
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "SeparableConv2D"), _KERAS),
    "DepthwiseConv2D": ("kernel_size", "strides", "padding"),
    **dict.fromkeys(("MaxPool1d", "MaxPool2d", "MaxPool3d"), (*_POOL, "dilation", "return_indices", "ceil_mode")),
    **dict.fromkeys(("AvgPool1d", "AvgPool2d", "AvgPool3d"), (*_POOL, "ceil_mode", "count_include_pad")),
    **dict.fromkeys(("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"), ("pool_size", "strides", "padding")),
    "Linear": ("in_features", "out_features", "bias"),
    "Dense": ("units", "activation", "use_bias"),
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"), ("num_features", "eps", "momentum", "affine")),
    "BatchNormalization": (),
    "GroupNorm": ("num_groups", "num_channels", "eps"),
    **dict.fromkeys(("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"), ("num_features", "eps")),
    **dict.fromkeys(("LayerNorm", "LayerNormalization"), ("normalized_shape", "eps")),
    **dict.fromkeys(("Dropout", "Dropout2d", "SpatialDropout2D"), ("p", "inplace")),
    "LeakyReLU": ("negative_slope", "inplace"),
    "AdaptiveAvgPool2d": ("output_size",),
    "Upsample": ("size", "scale_factor", "mode", "align_corners"),
    "UpSampling2D": ("size",),
    "PixelShuffle": ("upscale_factor",),
    "ZeroPad2d": ("padding",),
    "Flatten": ("start_dim", "end_dim"),
}  # fmt: skip
_PLAIN = ("ReLU", "ReLU6", "Sigmoid", "Tanh", "SiLU", "GELU", "Mish", "Hardswish", "Softmax", "ELU", "SELU", "Identity")


def element(call: str) -> str | None:
    """The element that a call of PyTorch or Keras means; None where that cannot be said for certain."""
    try:
        tree = ast.parse(call.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(tree, ast.Call):
        return None
    name = tree.func.attr if isinstance(tree.func, ast.Attribute) else getattr(tree.func, "id", "")
    if name in _PLAIN and not any(isinstance(a, ast.Name) for a in tree.args):
        word = foreign(name)
        return word.write if word else name
    signature = _SIGNATURES.get(name)
    if signature is None or len(tree.args) > len(signature):
        return None
    given: Given = dict(zip(signature, tree.args, strict=False))
    given |= {k.arg: k.value for k in tree.keywords if k.arg}
    try:
        return _MAKERS[_family(name)](name, given)
    except (KeyError, TypeError, ValueError):
        return None


def _family(name: str) -> str:
    for family in ("ConvTranspose", "Conv2DTranspose", "DepthwiseConv", "SeparableConv", "Conv", "MaxPool", "AvgPool", "AveragePool", "BatchNorm", "InstanceNorm", "LayerNorm", "Dropout", "SpatialDropout"):  # fmt: skip
        if name.startswith(family):
            return family
    return name


def _text(value: ast.expr) -> str:
    """A value of Python as the language writes it."""
    if isinstance(value, ast.Constant) and isinstance(value.value, bool):
        return "true" if value.value else "false"
    if isinstance(value, ast.Tuple | ast.List):
        return f"({', '.join(map(_text, value.elts))})"
    if not all(isinstance(part, _SIMPLE) for part in ast.walk(value)):
        raise ValueError
    return ast.unparse(value)


_SIMPLE = (ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context, ast.Call)


def _number(value: ast.expr | None, default: Any) -> Any:
    """A number or tuple of them; None where it is neither."""
    if value is None:
        return default
    try:
        found = ast.literal_eval(value)
    except ValueError:
        return None
    return tuple(found) if isinstance(found, list) else found


def _axes(name: str) -> int:
    return int(name[name.lower().rindex("d") - 1]) if name[-1] in "dD" else 2


def _window(name: str, value: ast.expr) -> tuple[str, tuple[int, ...] | None]:
    """What the window is in the word, and as numbers."""
    size = _number(value, None)
    if isinstance(size, int) and not isinstance(size, bool):
        size = (size,) * _axes(name)
    if not isinstance(size, tuple):
        return f", window={_text(value)}", None
    return "x".join(map(str, size)), size


def _sliding(word: str, name: str, given: Given, first: list[str], padded: bool, *, default_pad: str) -> str:
    """A layer with a window, from PyTorch's numbers or Keras' words of padding."""
    window, size = _window(name, given.get("kernel_size", given.get("pool_size", _TWO)))
    inside, named = list(first), []
    stride = given.get("stride", given.get("strides"))
    pad = given.get("padding")
    pooling = word.endswith("Pool")
    if stride is not None and _number(stride, None) != 1:
        if not (pooling and _number(stride, None) in (size[0] if size else None, size)):
            named.append(f"stride={_text(stride)}")
    elif pooling and stride is not None:
        named.append("stride=1")
    named += _padding(pad, size, given, default_pad, padded)
    for theirs, ours in (
        ("dilation", "dilation"),
        ("dilation_rate", "dilation"),
        ("groups", "groups"),
        ("output_padding", "output_pad"),
    ):
        if theirs in given and _number(given[theirs], None) not in (1, 0):
            named.append(f"{ours}={_text(given[theirs])}")
    for theirs, ours in (("bias", "bias"), ("use_bias", "bias")):
        if theirs in given and _number(given[theirs], None) is not True:
            named.append(f"{ours}={_text(given[theirs])}")
    if window.startswith(","):
        named.append(window[2:])
        window = ""
    arguments = ", ".join([*inside, *named])
    if pooling and set(size or ()) == {2}:
        window = ""
    return f"{word}{window}({arguments})" if arguments else f"{word}{window}"


def _padding(
    pad: ast.expr | None, size: tuple[int, ...] | None, given: Given, default: str, same_is_default: bool
) -> list[str]:
    """The argument `pad`, where the layer's own default does not say it."""
    value = _number(pad, default)
    if value in ("valid", 0):
        return ["pad=valid"] if same_is_default and (size is None or set(size) != {1}) else []
    if value == "same":
        strided = _number(given.get("strides"), 1) not in (1, (1, 1))
        return ["pad=same_tf"] if strided else [] if same_is_default else ["pad=same"]
    spread = _number(given.get("dilation"), 1)
    half = {(k - 1) // 2 * spread for k in size or ()} if isinstance(spread, int) else set()
    if same_is_default and half == {value}:
        return []
    assert pad is not None
    return [f"pad={_text(pad)}"]


_TWO = ast.Constant(2)


def _activated(text: str, given: Given) -> str:
    """An element with the activation that Keras gives as an argument behind it."""
    act = given.get("activation")
    if act is None:
        return text
    name = _number(act, None)
    word = foreign(str(name))
    if not isinstance(name, str) or word is None or not word.write:
        raise ValueError
    return f"{text} → {word.write}"


def _conv(name: str, given: Given) -> str:
    out = given.get("out_channels", given.get("filters"))
    if out is None:
        raise KeyError
    separable = "SepConv" if name.startswith("Separable") else "Conv"
    made = _sliding(separable, name, given, [_text(out)], True, default_pad="valid")
    return _activated(made, given)


def _depthwise(name: str, given: Given) -> str:
    return _activated(_sliding("DWConv", name, given, [], True, default_pad="valid"), given)


def _transposed(name: str, given: Given) -> str:
    out = given.get("out_channels", given.get("filters"))
    if out is None or isinstance(_number(given.get("padding"), 0), str):
        raise KeyError
    return _activated(_sliding("ConvT", name, given, [_text(out)], False, default_pad="valid"), given)


def _pool(word: str) -> Callable[[str, Given], str]:
    return lambda name, given: _sliding(word, name, given, [], False, default_pad="valid")


def _dense(_: str, given: Given) -> str:
    units = given.get("out_features", given.get("units"))
    if units is None:
        raise KeyError
    bias = given.get("bias", given.get("use_bias"))
    return _activated(f"FC({_text(units)}{'' if bias is None else f', bias={_text(bias)}'})", given)


def _norm(word: str, first: str = "") -> Callable[[str, Given], str]:
    def made(_: str, given: Given) -> str:
        inside = [_text(given[first])] if first else []
        inside += [f"{key}={_text(given[key])}" for key in ("eps", "momentum", "affine") if key in given]
        return f"{word}({', '.join(inside)})" if inside else word

    return made


def _adaptive(_: str, given: Given) -> str:
    size = _number(given["output_size"], None)
    return "GlobalAvgPool" if size in (1, (1, 1)) else f"AdaptiveAvgPool({_text(given['output_size'])})"


def _upsample(name: str, given: Given) -> str:
    scale = given["scale_factor"] if name == "Upsample" else given.get("size", _TWO)
    mode = _number(given.get("mode"), "nearest")
    align = ", align=true" if _number(given.get("align_corners"), False) else ""
    return f"Upsample({_text(scale)}{'' if mode == 'nearest' else f', {mode}'}{align})"


def _dropout(name: str, given: Given) -> str:
    p = _text(given.get("p", given.get("rate", ast.Constant(0.5))))
    return f"Dropout({p}, channel=true)" if "2" in name else f"Dropout({p})"


_MAKERS: dict[str, Callable[[str, Given], str]] = {
    "Conv": _conv,
    "SeparableConv": _conv,
    "DepthwiseConv": _depthwise,
    "ConvTranspose": _transposed,
    "Conv2DTranspose": _transposed,
    "MaxPool": _pool("MaxPool"),
    "AvgPool": _pool("AvgPool"),
    "AveragePool": _pool("AvgPool"),
    "Linear": _dense,
    "Dense": _dense,
    "BatchNorm": _norm("BN"),
    "InstanceNorm": _norm("IN"),
    "LayerNorm": lambda _, __: "LN",
    "GroupNorm": _norm("GN", "num_groups"),
    "Dropout": _dropout,
    "SpatialDropout": _dropout,
    "LeakyReLU": lambda _, given: f"LeakyReLU({_text(given['negative_slope'])})" if given else "LeakyReLU",
    "AdaptiveAvgPool2d": _adaptive,
    "Upsample": _upsample,
    "UpSampling2D": _upsample,
    "PixelShuffle": lambda _, given: f"PixelShuffle({_text(given['upscale_factor'])})",
    "ZeroPad2d": lambda _, given: f"Pad({_text(given['padding'])})",
    "Flatten": lambda _, __: "Flatten",
}
