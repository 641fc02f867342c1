"""A text language and compiler for convolutional networks.

    import cnndsl
    net = cnndsl.load("resnet18", classes=10)
    net.params, net.macs, net.receptive_field
    module = net.to_torch()

Importing this imports neither torch nor tvm, nor anything else before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnndsl.version import __version__

if TYPE_CHECKING:
    from cnndsl.diagnostics.errors import CnnError, Diagnostic, MissingPart
    from cnndsl.network import Network, load, parse

__all__ = ["CnnError", "Diagnostic", "MissingPart", "Network", "__version__", "load", "parse"]

_HOMES = {
    "CnnError": "cnndsl.diagnostics.errors",
    "Diagnostic": "cnndsl.diagnostics.errors",
    "MissingPart": "cnndsl.diagnostics.errors",
    "Network": "cnndsl.network",
    "load": "cnndsl.network",
    "load_ipython_extension": "cnndsl.notebook",
    "parse": "cnndsl.network",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
