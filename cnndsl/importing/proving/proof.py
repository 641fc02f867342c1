"""That an imported program is the same network: keys, shapes, parameters, MACs, and outputs on drawn and given weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cnndsl.backends.pytorch.library import torch
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.importing.refuse import Unproved
from cnndsl.ir.graph import Graph

MOST_ERROR = 1e-4
"""The largest difference of outputs, relative to the largest output, that rounding in another order may bring."""

Run = Callable[[Mapping[str, Any], tuple[Any, ...]], dict[str, Any]]
"""The source's outputs by name for these weights (by the source's keys) and inputs."""


@dataclass(frozen=True)
class Agreement:
    """How far outputs agree: the largest difference, relative to the largest output. None where nothing was run."""

    drawn: float | None
    given: float | None


def same_state(graph: Graph, state: Mapping[str, tuple[tuple[int, ...], str]]) -> None:
    """Compares keys, shapes and types with the source's state dict. Raises `Unproved`."""
    ours = {entry.key: (entry.weight.shape, entry.weight.dtype) for entry in graph.weights}
    theirs = dict(state)
    missing = [key for key in theirs if key not in ours]
    extra = [key for key in ours if key not in theirs]
    if missing or extra:
        what = ", ".join(f"`{key}`" for key in (missing or extra)[:3])
        raise Unproved(f"{len(missing)} weights are missing and {len(extra)} are too many, such as {what}")
    for key, (shape, dtype) in theirs.items():
        if ours[key] != (shape, dtype):
            raise Unproved(f"`{key}` is {ours[key][0]} of {ours[key][1]} here and {shape} of {dtype} there")


def same_outputs(
    graph: Graph, run: Run, given: Mapping[str, Any] | None, keys: Mapping[str, str], batch: int = 2
) -> Agreement:
    """Compares outputs on drawn weights, and on the given ones. `keys` has the source's key for each of ours. Raises
    `Unproved`."""
    module = to_torch(graph).eval()
    generator = torch.Generator().manual_seed(11)
    inputs = tuple(_drawn_input(i.type, batch, generator) for i in graph.inputs)
    drawn = _drawn(module.state_dict(), generator)
    found = {"drawn": _compare(module, run, drawn, keys, inputs)}
    if given is not None:
        first = module.state_dict()
        own = {key: given.get(source, first[key]) for key, source in keys.items()}
        found["given"] = _compare(module, run, own, keys, inputs)
    return Agreement(found["drawn"], found.get("given"))


def _compare(
    module: Any, run: Run, state: Mapping[str, Any], keys: Mapping[str, str], inputs: tuple[Any, ...]
) -> float:
    module.load_state_dict(state, strict=True)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = module(*inputs)
        theirs = list(run({keys[key]: value for key, value in state.items()}, inputs).values())
    mine = list(ours.values()) if isinstance(ours, dict) else [ours]
    if len(mine) != len(theirs):
        raise Unproved(f"there are {len(theirs)} outputs, and {len(mine)} in the program")
    worst = 0.0
    for a, b in zip(mine, theirs, strict=True):
        if a.shape != b.shape:
            raise Unproved(f"an output is {tuple(b.shape)}, and {tuple(a.shape)} in the program")
        if not bool(torch.isfinite(b).all()):
            if not bool(torch.equal(torch.isfinite(a), torch.isfinite(b))):
                raise Unproved("an output is not a number in one of the two only")
            continue
        scale = max(float(b.abs().max()), 1e-12)
        worst = max(worst, float((a - b).abs().max()) / scale)
    if worst > MOST_ERROR:
        raise Unproved(f"outputs differ by {worst:.1e} of the largest")
    return worst


def _drawn_input(type: Any, batch: int, generator: Any) -> Any:
    shape = (batch, *type.shape)
    if type.dtype.startswith("int"):
        return torch.randint(0, 3, shape, generator=generator, dtype=getattr(torch, type.dtype))
    return torch.randn(shape, generator=generator)


def _drawn(state: Mapping[str, Any], generator: Any) -> dict[str, Any]:
    """Weights that keep numbers about their size, no norm, scale or statistic left at its start."""
    made = {}
    for key, value in state.items():
        if not value.dtype.is_floating_point:
            made[key] = value.clone()
        elif value.dim() > 1 and value.numel() > value.shape[0]:
            fan = value[0].numel()
            made[key] = torch.randn(value.shape, generator=generator) * (2 / fan) ** 0.5
        elif key.endswith(("running_var", "weight")) or value.dim() > 1:
            made[key] = torch.rand(value.shape, generator=generator) * 0.5 + 0.75
        else:
            made[key] = torch.randn(value.shape, generator=generator) * 0.1
    return made


def macs_of(module: Any, inputs: tuple[Any, ...]) -> int:
    """Multiply-adds of a module for one example, counted by PyTorch while it runs."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module(*inputs)
    batch = int(inputs[0].shape[0])
    total = int(counter.get_total_flops())
    return total // (2 * batch)
