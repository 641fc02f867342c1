"""What becomes of a checkpoint: which tensors fit into the other network, under which keys."""

from __future__ import annotations

from typing import Literal

from cnndsl.analyses.differences.document import KeyDifference, WeightsDifference
from cnndsl.ir.graph import Entry, Graph


def carried(old: Graph, new: Graph, pairs: dict[str, str]) -> tuple[WeightsDifference, dict[str, str]]:
    """The weights of `old` in `new`, by layers that are matched; and the new key of each tensor that fits, by its old key."""
    waiting = {(entry.node, entry.slot): entry for entry in new.weights}
    key_map: dict[str, str] = {}
    elements = 0
    renamed, reshaped, left_over = [], [], []
    for entry in old.weights:
        other = waiting.pop((pairs.get(entry.node, ""), entry.slot), None)
        if other is None:
            left_over.append(_key(entry, None))
        elif (entry.weight.shape, entry.weight.dtype) != (other.weight.shape, other.weight.dtype):
            reshaped.append(_key(entry, other))
        else:
            key_map[entry.key] = other.key
            elements += entry.weight.elements
            if entry.key != other.key:
                renamed.append(_key(entry, other))
    missing = [_key(None, entry) for entry in new.weights if (entry.node, entry.slot) in waiting]
    loads: Literal["as it is", "renamed", "in part", "not at all"] = (
        "in part"
        if (reshaped or missing or left_over) and key_map
        else "not at all"
        if reshaped or missing or left_over
        else "renamed"
        if renamed
        else "as it is"
    )
    told = WeightsDifference(
        loads=loads,
        carried=len(key_map),
        carried_elements=elements,
        total=len(new.weights),
        total_elements=sum(entry.weight.elements for entry in new.weights),
        renamed=tuple(renamed),
        reshaped=tuple(reshaped),
        missing=tuple(missing),
        left_over=tuple(left_over),
    )
    return told, key_map


def _key(old: Entry | None, new: Entry | None) -> KeyDifference:
    return KeyDifference(
        old=old.key if old else None,
        new=new.key if new else None,
        old_shape=old.weight.shape if old else None,
        new_shape=new.weight.shape if new else None,
    )
