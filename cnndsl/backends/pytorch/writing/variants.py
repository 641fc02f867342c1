"""Which scopes are instances of one class: those that are alike, and those that only lack a submodule of the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from cnndsl.backends.pytorch.expression import Call, LayerClass, Literal
from cnndsl.backends.pytorch.writing.arguments import signature
from cnndsl.backends.pytorch.writing.regions import Scope
from cnndsl.backends.pytorch.writing.template import Instance, Template, Told
from cnndsl.ir.graph import Node


@dataclass(eq=False)
class ClassDraft:
    """A scope, or a layer that torch has no module for, on its way to become an instance of a class."""

    owner: Scope | Node
    template: Template
    told: Told = field(default_factory=dict)


@dataclass(eq=False)
class AlikeDrafts:
    """Drafts of one class; `missing` are the submodules that some of them lack."""

    template: Template
    drafts: list[ClassDraft]
    missing: dict[ClassDraft, frozenset[str]] = field(default_factory=dict)
    early: set[ClassDraft] = field(default_factory=set)
    """Those that give their result before the template's tail."""

    def instances(self, template: Template) -> list[Instance]:
        return [
            _instance(template, draft, self.missing.get(draft, frozenset()), draft in self.early)
            for draft in self.drafts
        ]


def variants(drafts: Iterable[ClassDraft]) -> list[AlikeDrafts]:
    """The drafts by class. Classes of one title follow each other; titles come in the order of their first drafts."""
    by_key: dict[object, AlikeDrafts] = {}
    for draft in _padded(list(drafts)):
        by_key.setdefault(draft.template.key, AlikeDrafts(draft.template, [])).drafts.append(draft)
    titles = dict.fromkeys(variant.template.title for variant in by_key.values())
    by_title: list[AlikeDrafts] = []
    for title in titles:
        alike = [variant for variant in by_key.values() if variant.template.title == title]
        by_title += _merged(sorted(alike, key=lambda v: -len(v.template.made)))
    return by_title


def _padded(drafts: list[ClassDraft]) -> list[ClassDraft]:
    """The drafts, with `nn.Identity` at the end of chains that only lack the activation at the end of others."""
    chains = {draft.template.key: draft.template for draft in drafts if draft.template.base == "sequential"}
    longer = {reduced.key: chain for chain in chains.values() if (reduced := _without_activation(chain)) is not None}
    padded: list[ClassDraft] = []
    for draft in drafts:
        template = longer.get(draft.template.key) if draft.template.base == "sequential" else None
        if template is not None:
            identity = replace(template.made[-1], expression=Call(Literal(LayerClass("nn.Identity")), ()))
            template = replace(template, made=(*draft.template.made, identity))
        padded.append(draft if template is None else replace(draft, template=template))
    return padded


def _without_activation(chain: Template) -> Template | None:
    last = chain.made[-1].expression
    is_activation = isinstance(last, Call) and isinstance(last.function, Literal)
    return chain.without(chain.made[-1].name) if is_activation else None


def _merged(variants: list[AlikeDrafts]) -> list[AlikeDrafts]:
    """The classes of one title, after one whose drafts only lack submodules of another has been joined with it."""
    kept: list[AlikeDrafts] = []
    for variant in variants:
        if not any(_join(larger, variant) for larger in kept):
            kept.append(variant)
    rest: list[AlikeDrafts] = []
    for variant in sorted(kept, key=lambda v: -len(v.template.steps)):
        if not any(_join_shorter(longer, variant) for longer in rest):
            rest.append(variant)
    return rest


LONGEST_TAIL = 3


def _join_shorter(longer: AlikeDrafts, shorter: AlikeDrafts) -> bool:
    """Joins a class that does all but the last steps of another, such as adding what came in."""
    if longer.template.tail or longer.template.optional or shorter.template.optional or shorter.template.tail:
        return False
    for tail in range(1, LONGEST_TAIL + 1):
        reduced = longer.template.shortened(tail)
        if reduced is None or reduced.key != shorter.template.key:
            continue
        template = replace(longer.template, tail=tail)
        missing = dict.fromkeys(shorter.drafts, template.only_in_tail)
        joined = AlikeDrafts(template, longer.drafts + shorter.drafts, missing, set(shorter.drafts))
        if signature(template, joined.instances(template)) is None:
            return False
        longer.template, longer.drafts, longer.missing, longer.early = template, joined.drafts, missing, joined.early
        return True
    return False


def _join(larger: AlikeDrafts, smaller: AlikeDrafts) -> bool:
    names = {made.name for made in smaller.template.made}
    lacking = [made.name for made in larger.template.made if made.name not in names]
    reduced: Template | None = larger.template
    for name in lacking:
        reduced = reduced.without(name) if reduced is not None else None
    if not lacking or reduced is None or larger.template.base != "module" or reduced.key != smaller.template.key:
        return False
    template = replace(larger.template, optional=larger.template.optional | frozenset(lacking))
    missing = larger.missing | dict.fromkeys(smaller.drafts, frozenset(lacking))
    joined = AlikeDrafts(template, larger.drafts + smaller.drafts, missing)
    if signature(template, joined.instances(template)) is None:
        return False
    larger.template, larger.drafts, larger.missing = template, joined.drafts, missing
    return True


def _instance(template: Template, draft: ClassDraft, missing: frozenset[str], early: bool) -> Instance:
    own = iter(constant for _, _, constant in draft.template.constants())
    constants = tuple(None if name in missing else next(own) for name, _, _ in template.constants())
    return Instance(constants, missing, draft.told, early)
