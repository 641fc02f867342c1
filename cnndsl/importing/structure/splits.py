"""Parts of one tensor that make up the whole of it: `Split(2) as (kept, changed)` instead of a `Slice` for each."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.structure.elements import Chain, Cut, Element, Layer, Merge, Use, Word, with_inner


def split(chain: Chain) -> Chain:
    """The chain with a cut in front of each merge whose branches begin with all equal parts of what arrives."""
    done: list[Element] = []
    for element in chain:
        element = with_inner(element, split)
        if isinstance(element, Merge) and not element.label and (parts := _parts(element)):
            names = tuple(f"{element.tap or id(element)}/{n}" for n in range(len(parts)))
            branches = list(element.branches)
            for name, place in zip(names, parts, strict=True):
                first, *rest = branches[place]
                branches[place] = (Use(name=name, leaving=first.leaving), *rest)
            done.append(Cut(names=names, entering=element.entering, leaving=element.entering))
            element = replace(element, branches=tuple(branches))
        done.append(element)
    return tuple(done)


def _parts(merge: Merge) -> list[int]:
    """The branches that begin with the parts, in their order; none where these are not equal, or not the whole."""
    found: dict[int, tuple[int, int]] = {}
    for place, branch in enumerate(merge.branches):
        first = branch[0]
        if isinstance(first, Use):
            return []
        if isinstance(first, Layer) and isinstance(first.word, Word) and first.word.name == "Slice":
            if first.label or first.tap or first.word.get("axis") is not None or first.word.get("step") is not None:
                return []
            start, stop = first.word.get("start") or 0, first.word.get("stop")
            if not isinstance(start, int) or start in found:
                return []
            found[start] = (place, merge.entering.channels if stop is None and merge.entering else stop)
    if len(found) != len(merge.branches) or merge.entering is None:
        return []
    channels, count = merge.entering.channels, len(found)
    step = channels // count
    wanted = {n * step: (n + 1) * step for n in range(count)}
    if channels % count or {start: stop for start, (_, stop) in found.items()} != wanted:
        return []
    return [found[start][0] for start in sorted(found)]
