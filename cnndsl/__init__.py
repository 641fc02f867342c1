"""A text language and compiler for convolutional networks.

    import cnndsl
    net = cnndsl.load("resnet18", classes=10)
    net.params, net.macs, net.receptive_field
    module = net.to_torch()

All that is meant to be used from Python is a name of this module, and `docs/python.md` shows each of them; what lies in the
rooms below may move without notice. Importing this imports neither torch nor tvm: a name brings its room with it when it
is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnndsl.version import __version__

if TYPE_CHECKING:
    from cnndsl.analyses.differences.document import Difference
    from cnndsl.analyses.document import Summary
    from cnndsl.analyses.receptive_field import receptive_fields
    from cnndsl.analyses.summary import summarize
    from cnndsl.arrays.inputs import IMAGENET_MEAN, IMAGENET_STD, read_arrays, read_image
    from cnndsl.arrays.weights import checked as check_weights
    from cnndsl.arrays.weights import initial_weights, read_weights, write_weights
    from cnndsl.backends.drawing.draw import draw_figure, element_ids, to_svg
    from cnndsl.backends.drawing.figures.fields import fields as receptive_field_figure
    from cnndsl.backends.drawing.figures.volumes import volumes as volumes_figure
    from cnndsl.backends.drawing.formats.graphviz import to_dot
    from cnndsl.backends.drawing.formats.graphviz_program import render as render_dot
    from cnndsl.backends.tvm.package.built import BuiltPackage
    from cnndsl.backends.tvm.package.loaded import Package
    from cnndsl.backends.tvm.package.loaded import load as load_package
    from cnndsl.calibration.model import QuantizedModel
    from cnndsl.diagnostics.errors import CnnError, Diagnostic, MissingPart
    from cnndsl.diagnostics.render import render_all as render_diagnostics
    from cnndsl.diagnostics.source import Source
    from cnndsl.foreign import ImportedNetwork, from_onnx, from_pt2, from_torch
    from cnndsl.ir.graph import Graph
    from cnndsl.network import Network, load, parse
    from cnndsl.pipeline import check, format_text
    from cnndsl.published.table import class_names
    from cnndsl.published.table import published as published_weights
    from cnndsl.reference.explanation import explain
    from cnndsl.sweeping.call import sweep
    from cnndsl.training.data.find import find_data
    from cnndsl.training.run import open_run

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "BuiltPackage",
    "CnnError",
    "Diagnostic",
    "Difference",
    "Graph",
    "ImportedNetwork",
    "MissingPart",
    "Network",
    "Package",
    "QuantizedModel",
    "Source",
    "Summary",
    "__version__",
    "check",
    "check_weights",
    "class_names",
    "draw_figure",
    "element_ids",
    "explain",
    "find_data",
    "format_text",
    "from_onnx",
    "from_pt2",
    "from_torch",
    "initial_weights",
    "load",
    "load_package",
    "open_run",
    "parse",
    "published_weights",
    "read_arrays",
    "read_image",
    "read_weights",
    "receptive_field_figure",
    "receptive_fields",
    "render_diagnostics",
    "render_dot",
    "summarize",
    "sweep",
    "to_dot",
    "to_svg",
    "volumes_figure",
    "write_weights",
]

_HOMES = {
    "IMAGENET_MEAN": "cnndsl.arrays.inputs",
    "IMAGENET_STD": "cnndsl.arrays.inputs",
    "BuiltPackage": "cnndsl.backends.tvm.package.built",
    "CnnError": "cnndsl.diagnostics.errors",
    "Diagnostic": "cnndsl.diagnostics.errors",
    "Difference": "cnndsl.analyses.differences.document",
    "Graph": "cnndsl.ir.graph",
    "ImportedNetwork": "cnndsl.foreign",
    "MissingPart": "cnndsl.diagnostics.errors",
    "Network": "cnndsl.network",
    "Package": "cnndsl.backends.tvm.package.loaded",
    "QuantizedModel": "cnndsl.calibration.model",
    "Source": "cnndsl.diagnostics.source",
    "Summary": "cnndsl.analyses.document",
    "check": "cnndsl.pipeline",
    "check_weights": "cnndsl.arrays.weights:checked",
    "class_names": "cnndsl.published.table",
    "draw_figure": "cnndsl.backends.drawing.draw",
    "element_ids": "cnndsl.backends.drawing.draw",
    "explain": "cnndsl.reference.explanation",
    "find_data": "cnndsl.training.data.find",
    "format_text": "cnndsl.pipeline",
    "from_onnx": "cnndsl.foreign",
    "from_pt2": "cnndsl.foreign",
    "from_torch": "cnndsl.foreign",
    "initial_weights": "cnndsl.arrays.weights",
    "load": "cnndsl.network",
    "load_ipython_extension": "cnndsl.notebook",
    "load_package": "cnndsl.backends.tvm.package.loaded:load",
    "open_run": "cnndsl.training.run",
    "parse": "cnndsl.network",
    "published_weights": "cnndsl.published.table:published",
    "read_arrays": "cnndsl.arrays.inputs",
    "read_image": "cnndsl.arrays.inputs",
    "read_weights": "cnndsl.arrays.weights",
    "receptive_field_figure": "cnndsl.backends.drawing.figures.fields:fields",
    "receptive_fields": "cnndsl.analyses.receptive_field",
    "render_diagnostics": "cnndsl.diagnostics.render:render_all",
    "render_dot": "cnndsl.backends.drawing.formats.graphviz_program:render",
    "summarize": "cnndsl.analyses.summary",
    "sweep": "cnndsl.sweeping.call",
    "to_dot": "cnndsl.backends.drawing.formats.graphviz",
    "to_svg": "cnndsl.backends.drawing.draw",
    "volumes_figure": "cnndsl.backends.drawing.figures.volumes:volumes",
    "write_weights": "cnndsl.arrays.weights",
}
"""The module that each public name is in, and behind a colon what it is called there, where it has another name."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, _, own_name = _HOMES[name].partition(":")
    value = getattr(import_module(module), own_name or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
