"""Sentences about a difference: how much of the layers stayed, and what becomes of a checkpoint."""

from __future__ import annotations

from cnndsl.analyses.differences.document import Difference
from cnndsl.analyses.differences.gathered import resized

LITTLE = 0.3
"""Share of the layers in both networks below which they are told to have little in common."""


def title(difference: Difference) -> str:
    """`resnet18 → resnet34`; two networks of one name by their files."""
    old, new = difference.old, difference.new
    if old.model != new.model:
        return f"{old.model} → {new.model}"
    if old.file != new.file and old.file and new.file:
        return f"{old.model}: {old.file} → {new.file}"
    return new.model


def same(difference: Difference) -> str:
    """What is said where nothing differs."""
    totals = difference.new.totals
    names = dict.fromkeys((difference.old.model, difference.new.model))
    who = (
        f"{' and '.join(names)} are the same network" if len(names) > 1 else f"{next(iter(names))} is the same network"
    )
    return f"{who}: {totals.params:,} parameters, {totals.macs:,} MACs"


def layers(difference: Difference) -> str:
    """How many layers stayed, and what became of the others, in numbers."""
    told = [f"{difference.unchanged} as they were" if difference.unchanged != 1 else "1 as it was"]
    for kind in ("changed", "renamed", "moved", "rewired", "added", "removed"):
        count = sum(kind in layer.kinds for layer in difference.layers)
        if count:
            told.append(f"{count} {kind}")
    if following := len(resized(difference)):
        told.append(f"{following} {'take' if following > 1 else 'takes'} other shapes because of it")
    common = difference.old.layers - sum("removed" in layer.kinds for layer in difference.layers)
    most = max(difference.old.layers, difference.new.layers)
    little = "; the two have little in common" if common < LITTLE * most else ""
    return ", ".join(told) + little


def weights(difference: Difference) -> str:
    """What becomes of a checkpoint of the old network."""
    told = difference.weights
    if not told.total and not told.left_over:
        return "neither network has weights"
    if told.loads == "as it is":
        other = any({"changed", "rewired", "moved", "added", "removed"} & {*x.kinds} for x in difference.layers)
        return "the old checkpoint loads as it is" + (
            ", but what changed computes something else with it" if other else ""
        )
    if told.loads == "renamed":
        clash = {key.old for key in told.renamed} & {key.new for key in told.renamed}
        more = "; loaded without that, some would land in other layers than their own" if clash else ""
        return f"the old checkpoint loads once {_tensors(len(told.renamed))} renamed{more}"
    if told.loads == "not at all":
        return "nothing of the old checkpoint fits"
    if told.carried == told.total:
        renamed = f", {len(told.renamed)} of them by another key" if told.renamed else ""
        return f"the old checkpoint has all {told.total} tensors of the new network{renamed}, and {len(told.left_over)} more"
    renamed = f", {len(told.renamed)} of them by another key" if told.renamed else ""
    return (
        f"the old checkpoint does not load whole: {told.carried} of {told.total} tensors fit{renamed}, "
        f"{_share(told.carried_elements, told.total_elements)} of the elements"
    )


def _tensors(count: int) -> str:
    return "1 tensor is" if count == 1 else f"{count} tensors are"


def _share(part: int, whole: int) -> str:
    """A share in percent, which is 100 or 0 only where it is all or nothing."""
    if part in (0, whole):
        return f"{100 if part else 0} %"
    share = 100 * part / whole
    return "less than 0.1 %" if share < 0.1 else f"{min(share, 99.9):.3g} %"
