"""Random networks get everywhere: the seeds that are compared with torch make use of every kernel, in each of its kinds."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Protocol, get_args, get_type_hints

import pytest

from cnndsl.arrays.weights import initial_weights
from cnndsl.backends.tvm import kernels as room
from cnndsl.backends.tvm.emitters.bf16.maps import FEATURE
from cnndsl.backends.tvm.program.plain import refuse_unlowered
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import parse_text
from tests.trust.agreement import calls
from tests.trust.programs import Case, case
from tests.trust.test_agreement import pieces

KINDS = ("kind", "m", "plain", "source")
"""Fields of kernels that tell kinds of them apart."""

pytestmark = pytest.mark.tvm


def kernels(one: Case) -> Iterator[Any]:
    """Those that the network is compiled to; None is TVM's own form of a layer."""
    graph = parse_text(one.text).graph
    try:
        refuse_unlowered(graph)
    except CnnError:
        return
    yield from (call.kernel for call in calls(graph, initial_weights(graph, 0), one))


def spoken(kernel: Any) -> set[str]:
    """A kernel's class, and each kind of it that this is."""
    name = type(kernel).__name__
    return {name, *(f"{name} {field}={getattr(kernel, field)}" for field in KINDS if hasattr(kernel, field))}


def literals(hint: Any) -> Iterator[Any]:
    """The values of a `Literal`, and of a union of several."""
    for part in get_args(hint):
        yield from literals(part) if get_args(part) else (part,)


def every_kernel() -> set[str]:
    """The classes that make functions, and what their kinds may be by the types of their fields."""
    found = set()
    for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            here = isinstance(value, type) and value.__module__ == module.name
            if not here or Protocol in value.__bases__ or not hasattr(value, "prim_func"):
                continue
            found.add(name)
            hints = get_type_hints(value)
            for field in set(KINDS) & hints.keys():
                found |= {f"{name} {field}={value}" for value in literals(hints[field])}
    return found


@pytest.mark.slow
def test_random_networks_use_every_kernel() -> None:
    missing = every_kernel() | {f"{name} m={m}" for name in ("Winograd", "DeepWinograd") for m in (2, 4)}
    # Those on whole numbers are `tests/backends/tvm/quantized`'s.
    missing = {word for word in missing if not word.startswith(("Int8", "Quantize", "Dequantize"))}
    missing |= {"DirectConv plain=True", "DirectConv plain=False", "NoneType"}
    if FEATURE not in find_cpu("llvm").features:
        # `agreement.precision` takes float32 where the processor does not multiply bfloat16 numbers.
        missing -= {word for word in missing if word.startswith("Bf16")}
    for seeds in pieces(360):
        for seed in seeds:
            missing -= {word for kernel in kernels(case(seed)) for word in spoken(kernel)}
        if not missing:
            return
    assert not missing
