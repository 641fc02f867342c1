"""Drafts become classes of the generated file, and each draft a call of its class."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cnndsl.backends.pytorch.expression import Expression
from cnndsl.backends.pytorch.writing.arguments import signature
from cnndsl.backends.pytorch.writing.layout import class_name, unused
from cnndsl.backends.pytorch.writing.regions import Scope
from cnndsl.backends.pytorch.writing.template import Path, Signature, Template
from cnndsl.backends.pytorch.writing.variants import AlikeDrafts, ClassDraft, variants
from cnndsl.ir.graph import Node

Reach = Callable[[ClassDraft], Mapping[Path, str]]
"""How the submodules that a draft's `forward` names are written there, by their paths."""


@dataclass(frozen=True, eq=False)
class Class:
    """A class of the generated file.

    `members` says how the submodules that its `forward` calls are written there, by their paths from the module.
    """

    name: str
    template: Template
    signature: Signature
    members: Mapping[Path, str]


def instances(
    drafts: Iterable[ClassDraft], taken: Collection[str], reach: Reach
) -> tuple[tuple[Class, ...], dict[Scope | Node, Expression]]:
    """The classes of these drafts, under names that are not `taken`, and the call that makes each draft's owner."""
    classes: list[Class] = []
    calls: dict[Scope | Node, Expression] = {}
    found = variants(drafts)
    for variant in found:
        arguments = signature(variant.template, variant.instances(variant.template))
        assert arguments is not None
        used = {*taken, *(known.name for known in classes)}
        name = unused(
            title_of(variant, [each for each in found if each.template.title == variant.template.title]), used
        )
        classes.append(Class(name, variant.template, arguments, reach(variant.drafts[0])))
        calls |= {draft.owner: arguments.call(name, index) for index, draft in enumerate(variant.drafts)}
    return tuple(classes), calls


# -- titles


def title_of(variant: AlikeDrafts, alike: Sequence[AlikeDrafts]) -> str:
    """The title that tells a class from the others of its block, `alike`, among which it is."""
    title = variant.template.title
    if len(alike) == 1:
        return title
    labels = [_label(each) for each in alike]
    label = _label(variant)
    if label is not None and None not in labels and len(set(labels)) == len(labels):
        # All of them have a label of their own, such as `classification_head` and `regression_head`.
        return class_name(label)
    most = max(alike, key=lambda each: len(each.drafts))
    return title if variant is most else title + _difference(variant, [each for each in alike if each is not variant])


def _label(variant: AlikeDrafts) -> str | None:
    """The label that all instances have; None where there is none, or several."""
    found = set()
    for draft in variant.drafts:
        if not isinstance(draft.owner, Scope):
            return None
        found.add(next((part for part in reversed(draft.owner.path) if not part.isdigit()), None))
    return found.pop() if len(found) == 1 else None


def _difference(variant: AlikeDrafts, others: Sequence[AlikeDrafts]) -> str:
    """A parameter of the block whose value no other class has, as a word: `Expansion1`. Of several, the parameter with
    the fewest values."""
    theirs = [draft.told for other in others for draft in other.drafts]
    mine = [draft.told for draft in variant.drafts]
    found: list[tuple[int, str]] = []
    for name, value in mine[0].items():
        same = all(told.get(name) == value for told in mine)
        if not same or isinstance(value, float) or any(told.get(name, value) == value for told in theirs):
            continue
        text = str(value) if not isinstance(value, bool) else "" if value else "False"
        word = class_name(f"{name} {text}".strip())
        found.append((len({told.get(name) for told in [*mine, *theirs]}), word))
    return min(found, key=lambda pair: pair[0])[1] if found else ""
