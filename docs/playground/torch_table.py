"""The names and signatures of `torch.nn`, as modules that can stand in torch's place while a PyTorch file is written.

Writing such a file asks torch three things: how its layers are called, which names its modules have taken, and nothing else. Here
the answers are read from the torch of this environment, so the written text is the same; `tests/playground` compares both.
"""

from __future__ import annotations

import inspect
from typing import Any

HEAD = '''"""Names and signatures of torch {version}: enough to write a PyTorch file, and nothing to run one."""

from torch import nn

__version__ = "{version}"
'''
PLAIN = (bool, int, float, str, type(None))


def files() -> dict[str, str]:
    """The files by their path."""
    import torch
    from torch import nn

    lines = ['"""Names and signatures."""', "", ""]
    lines += ["class Module:", f"    {_names(nn.Module())} = (None,) * {len(_own(nn.Module()))}", ""]
    for name in sorted(vars(nn)):
        value = getattr(nn, name)
        if name == "Module" or not isinstance(value, type) or not (issubclass(value, nn.Module) or name == "Parameter"):
            continue
        base = "Module" if issubclass(value, nn.Module) else "object"
        lines += ["", f"class {name}({base}):"]
        more = sorted(set(_own(value)) - set(_own(nn.Module)))
        lines += [f"    {', '.join(more)}, = (None,) * {len(more)}"] if more else []
        lines += [f"    def __init__(self{_signature(value)}):", "        pass", ""]
    return {"torch/__init__.py": HEAD.format(version=torch.__version__.split("+")[0]), "torch/nn.py": "\n".join(lines)}


def _own(thing: Any) -> list[str]:
    return [name for name in dir(thing) if not name.startswith("__") and name.isidentifier()]


def _names(module: Any) -> str:
    return ", ".join(_own(module))


def _signature(layer: Any) -> str:
    """The parameters as they would be written. A default that is no plain constant is left as `...`, which no layer of ours has."""
    written, starred = [], False
    for parameter in inspect.signature(layer).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            written.append(f"*{parameter.name}")
            starred = True
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            written.append(f"**{parameter.name}")
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            written.append("*")
            starred = True
        default = parameter.default
        if default is parameter.empty:
            written.append(parameter.name)
        else:
            written.append(f"{parameter.name}={default!r}" if _plain(default) else f"{parameter.name}=...")
    return "".join(f", {part}" for part in written)


def _plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_plain, value))
    return isinstance(value, PLAIN) and "inf" not in repr(value) and "nan" not in repr(value)
