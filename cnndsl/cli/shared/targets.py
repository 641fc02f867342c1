"""What is said of the processors of a package before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnndsl.cli.shared.voice import note
from cnndsl.ir.tensor import BYTES
from cnndsl.ir.written import in_bytes

if TYPE_CHECKING:
    from cnndsl.ir.graph import Graph


def say_copies(graph: Graph, target: str, *, whole: bool) -> None:
    """Says before a package for several processors is made how large it will be at the least; `whole` numbers take a byte."""
    from cnndsl.backends.tvm.target import Gpu, find_targets

    targets = find_targets(target)
    if not isinstance(targets, Gpu) and len(targets) > 1:
        size = sum(entry.weight.elements * (1 if whole else BYTES[entry.weight.dtype]) for entry in graph.weights)
        note(
            f"{len(targets)} processors, each with its own copy of the weights: at least {in_bytes(len(targets) * size)}; "
            "`--target llvm` is for this machine alone"
        )


def say_slow(target: str) -> None:
    """Says for which processors whole numbers gain no time."""
    from cnndsl.backends.tvm.emitters.quantized.kinds import without_dot_products

    if names := ", ".join(without_dot_products(target)):
        note(
            f"{names}: no instruction for products of 8-bit numbers, so that float32 is as fast or faster there; int8 takes a "
            "quarter of the memory for weights and gives the same bits. Targets that have one: llvm:icelake-server, "
            "llvm:alderlake, aarch64:neoverse-v1"
        )
