"""Drafts become classes of the generated file, and each draft a call of its class."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from cnndsl.backends.pytorch.expression import Expression
from cnndsl.backends.pytorch.writing.arguments import signature
from cnndsl.backends.pytorch.writing.layout import unused
from cnndsl.backends.pytorch.writing.regions import Scope
from cnndsl.backends.pytorch.writing.template import Path, Signature, Template
from cnndsl.backends.pytorch.writing.variants import ClassDraft, variants
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
    for variant in variants(drafts):
        arguments = signature(variant.template, variant.instances(variant.template))
        assert arguments is not None
        name = unused(variant.template.title, {*taken, *(known.name for known in classes)})
        classes.append(Class(name, variant.template, arguments, reach(variant.drafts[0])))
        calls |= {draft.owner: arguments.call(name, index) for index, draft in enumerate(variant.drafts)}
    return tuple(classes), calls
