"""In which order classes become blocks: inner ones first. A class that stands inside of itself is one for each depth."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.structure.elements import Chain, Element, Group, inner, with_inner

CONTAINERS = {"", "Sequential", "ModuleList", "ModuleDict", "Network"}
"""Classes of modules that only hold others."""


def inner_first(body: Chain) -> list[str]:
    """Classes, inner ones first."""
    inside = _insides(body)
    done: list[str] = []
    while True:
        ready = [k for k, needs in inside.items() if k not in done and needs <= {*done}]
        if not ready:
            return done
        done += ready


def unnested(body: Chain) -> Chain:
    """The body with classes that stand in themselves, as the trees of a DLA do, told apart by how many of them are inside."""
    inside = _insides(body)
    nested = {kind for kind in inside if kind in _reached(inside, kind)}
    return tuple(_numbered(element, nested)[0] for element in body) if nested else body


def _numbered(element: Element, nested: set[str]) -> tuple[Element, int]:
    """The element with its classes told apart, and how many nested ones stand in each other there."""
    deepest = 0

    def change(chain: Chain) -> Chain:
        nonlocal deepest
        done = []
        for deeper in chain:
            made, depth = _numbered(deeper, nested)
            deepest = max(deepest, depth)
            done.append(made)
        return tuple(done)

    element = with_inner(element, change)
    if isinstance(element, Group) and element.kind in nested:
        deepest += 1
        if deepest > 1:
            element = replace(element, kind=f"{element.kind}{deepest}")
    return element, deepest


def _reached(inside: dict[str, set[str]], kind: str) -> set[str]:
    """All classes that stand inside of one, however deep."""
    found: set[str] = set()
    pending = [kind]
    while pending:
        for deeper in inside[pending.pop()] - found:
            found.add(deeper)
            pending.append(deeper)
    return found


def _insides(body: Chain) -> dict[str, set[str]]:
    """The classes inside of each class."""
    inside: dict[str, set[str]] = {}

    def visit(chain: Chain, above: tuple[str, ...]) -> None:
        for element in chain:
            here = above
            if isinstance(element, Group) and element.kind not in CONTAINERS:
                inside.setdefault(element.kind, set())
                for outer in above:
                    inside[outer].add(element.kind)
                here = (*above, element.kind)
            for deeper in inner(element):
                visit(deeper, here)

    visit(body, ())
    return inside
