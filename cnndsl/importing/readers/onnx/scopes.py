"""The modules around ONNX operations, as PyTorch's exporters note them."""

from __future__ import annotations

import ast
import re

from cnndsl.importing.readers.onnx.model import Operation
from cnndsl.importing.trace import ModuleCall

LABEL = re.compile(r"[A-Za-z0-9_\-]+(\.[A-Za-z0-9_\-]+)*")


def scopes_of(operations: tuple[Operation, ...]) -> list[tuple[ModuleCall, ...]]:
    """The modules around each operation; where an exporter noted none, those of the next one."""
    found: list[tuple[ModuleCall, ...]] = []
    behind: tuple[ModuleCall, ...] = ()
    for operation in reversed(operations):
        known = bool(operation.metadata.get("pkg.torch.onnx.name_scopes")) or operation.name.startswith("/")
        behind = scope_of(operation) if known else behind
        found.append(behind)
    return list(reversed(found))


def scope_of(operation: Operation) -> tuple[ModuleCall, ...]:
    """The modules around an operation, as PyTorch's exporters note them: in metadata, or in the node's name."""
    paths = _listed(operation.metadata.get("pkg.torch.onnx.name_scopes", ""))
    kinds = _listed(operation.metadata.get("pkg.torch.onnx.class_hierarchy", ""))
    if len(paths) > 1 and len(paths) == len(kinds):
        pairs = zip(paths[:-1], kinds[:-1], strict=True)
        return tuple(ModuleCall(path, kind.rpartition(".")[2]) for path, kind in pairs if path)
    if not operation.name.startswith("/"):
        return ()
    found: list[ModuleCall] = []
    for piece in operation.name.split("/")[1:-1]:
        if not LABEL.fullmatch(piece):
            return ()
        above = found[-1].path if found else ""
        path = piece if not above or piece.startswith(f"{above}.") else f"{above}.{piece}"
        found.append(ModuleCall(path, ""))
    return tuple(found)


def _listed(text: str) -> list[str]:
    """A list of texts that stands in a text; nothing for any other."""
    if not text or len(text) > 20_000:
        return []
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return []
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else []
