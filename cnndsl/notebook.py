"""Cells of a Jupyter notebook that hold a program: the magic `%%cnn`.

%load_ext cnndsl
%%cnn net -P classes=10
input 3×32×32
Conv3x3(16) → ReLU → GlobalAvgPool → FC(10)
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from cnndsl.diagnostics.errors import CnnError

if TYPE_CHECKING:
    from cnndsl.network import Network


def load_ipython_extension(shell: Any) -> None:
    """Registers `%%cnn`: IPython calls this for `%load_ext cnndsl`."""
    shell.register_magic_function(_cell, "cell", "cnn")


def _cell(line: str, cell: str) -> Network | None:
    """%%cnn [NAME] [-P name=value]… [--input SHAPE]…: the program below as a network, shown and kept as NAME."""
    from IPython import get_ipython

    from cnndsl.diagnostics.render import render_all
    from cnndsl.network import parse

    try:
        name, parameters, inputs = _arguments(line)
        network = parse(cell, f"%%cnn {name or ''}".strip(), input=inputs or None, **parameters)
    except CnnError as error:
        # A traceback through our own code would say nothing about theirs.
        print(render_all(error.diagnostics), file=sys.stderr)
        return None
    except ValueError as error:
        print(f"error: {error}\n  = help: write `%%cnn name -P classes=10 --input 3x64x64`", file=sys.stderr)
        return None
    for warning in network.warnings:
        print(render_all([warning]), file=sys.stderr)
    if name:
        get_ipython().user_ns[name] = network
    return network


def _arguments(line: str) -> tuple[str | None, dict[str, str], dict[str, str]]:
    """Name, parameters and input sizes of a magic's line. Raises ValueError."""
    import shlex

    words = shlex.split(line)
    name: str | None = None
    parameters: dict[str, str] = {}
    inputs: dict[str, str] = {}
    while words:
        word = words.pop(0)
        if word in ("-P", "--input"):
            if not words:
                raise ValueError(f"`{word}` is followed by nothing")
            key, equals, value = words.pop(0).partition("=")
            if word == "-P" and not (equals and key.isidentifier()):
                raise ValueError(f"`-P` takes name=value, found `{key}`")
            if word == "-P":
                parameters[key] = value
            else:
                inputs[key if equals else ""] = value if equals else key
        elif name is None and word.isidentifier():
            name = word
        else:
            raise ValueError(f"expected one name for the network, found `{word}`")
    return name, parameters, inputs
