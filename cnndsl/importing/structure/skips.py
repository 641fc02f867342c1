"""Which branch of a merge is the way to it: then the others begin with tensors that have names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from cnndsl.importing.structure.elements import ID, Chain, Element, Group, Layer, Merge, Use, Word, everything
from cnndsl.ir.op import find


def skip(merge: Merge, here: tuple[int, ...], start: str) -> list[Element] | None:
    """A way to another size and back beside a shortcut, as U-Nets have it: the way, then a merge with the tensor named
    where it began: `start`, which is of size `here`."""
    word = merge.word.name
    if word not in ("cat", "add") or len(merge.branches) != 2:
        return None
    # What a sum adds on its way up, as in a pyramid, goes through a layer; else it is a residual's shortcut.
    lateral = [len(b) == 1 and b != (ID,) and isinstance(b[0], Layer | Group) for b in merge.branches]
    places = [n for n, b in enumerate(merge.branches) if (_is_short(b) if word == "cat" else lateral[n])]
    if len(places) != 1:
        return None
    long = merge.branches[1 - places[0]]
    if isinstance(long[0], Use) or _begins(long[0]) or _takes_from(long, merge.branches[: 1 - places[0]]):
        return None
    sizes = {e.leaving.size for e in _on_the_way(long) if e.leaving is not None}
    nested = any(isinstance(e, Merge) and e.word.name == "cat" for e in everything(long))
    back = min(map(prod, sizes)) < prod(here) and long[-1].leaving is not None and long[-1].leaving.size == here
    if not (back if word == "add" else nested or len(sizes) > 1):
        return None
    branches: list[Chain] = [(ID,), (ID,)]
    way = () if merge.branches[places[0]] == (ID,) else merge.branches[places[0]]
    branches[places[0]] = (Use(name=start), *way)
    return [*long, replace(merge, branches=tuple(branches), entering=long[-1].leaving)]


def longest(merge: Merge) -> list[Element] | None:
    """Where nothing arrives at a merge, the branch on which others hang is the way to it, and arrives."""
    if merge.label or not all(isinstance(branch[0], Use) and branch[0] != ID for branch in merge.branches):
        return None
    sizes = [sum(not isinstance(e, Use) for e in everything(branch)) for branch in merge.branches]
    place = max(range(len(sizes)), key=sizes.__getitem__)
    hung = any(e.tap for e in everything(merge.branches[place][:-1])) or any(
        isinstance(e, Merge) for e in everything(merge.branches[place])
    )
    if not hung or sizes.count(sizes[place]) > 1 or _takes_from(merge.branches[place], merge.branches[:place]):
        return None
    branches = tuple((ID,) if n == place else branch for n, branch in enumerate(merge.branches))
    way = merge.branches[place]
    return [*way, replace(merge, branches=branches, entering=way[-1].leaving)]


def _takes_from(way: Chain, before: tuple[Chain, ...]) -> bool:
    """Whether a branch uses tensors that branches before it make: it cannot be put in front of them."""
    made = {e.tap for branch in before for e in everything(branch) if e.tap}
    return any(isinstance(e, Use) and e.name in made for e in everything(way))


def _begins(element: Element) -> bool:
    """Whether a layer makes its tensor anew, and so begins a chain."""
    op = find(element.word.name) if isinstance(element, Layer) and isinstance(element.word, Word) else None
    return op is not None and op.begins


def _is_short(branch: Chain) -> bool:
    """Whether a branch is a shortcut: `id`, or one layer without weights, such as a crop."""
    if branch == (ID,):
        return True
    (first, *more) = branch
    return not more and isinstance(first, Layer) and not first.weighty


def _on_the_way(chain: Chain) -> Iterator[Element]:
    """The elements of a chain and of its brackets: what a gate pools on its side is not on the way."""
    for element in chain:
        yield element
        if isinstance(element, Group):
            yield from _on_the_way(element.body)
