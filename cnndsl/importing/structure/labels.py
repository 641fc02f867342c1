"""Labels: runs with a common first part become brackets, and a label that says what a position says anyway goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cnndsl.importing.structure.elements import (
    ID,
    Call,
    Chain,
    Element,
    Group,
    Layer,
    Line,
    Merge,
    Output,
    Repeat,
    Tensors,
    Use,
    Word,
    inner,
    with_inner,
)
from cnndsl.ir.op import find

_MOST_PARTS = 6
"""Parts of a label that may be common to a run."""


def bracketed(chain: Chain) -> Chain:
    """Dotted labels as labelled brackets, where all elements of a first part stand in a row, or in one merge.

    What has no label and stands between two of them is inside; what follows each of several numbered brackets alike, such as
    an activation after a sum, is, too.
    """
    return _bracketed(chain, _counts((chain,)))


def parts_of(chain: Chain) -> Iterator[str]:
    """The names of a scope's parts: the first part of each label in it."""
    return _firsts(chain)


def _counts(chains: Sequence[Chain]) -> Counter[str]:
    """How many labels of a scope begin with each part, and with each several parts."""
    return Counter(first for chain in chains for count in range(1, _MOST_PARTS) for first in _firsts(chain, count))


def _firsts(chain: Chain, count: int = 1) -> Iterator[str]:
    """The first part, or so many first parts, of each label of a scope."""
    for element in chain:
        yield from _firsts_of(element, count)


def _firsts_of(element: Element, count: int = 1) -> Iterator[str]:
    if element.label:
        parts = element.label.split(".")
        if count == 1 or len(parts) >= count:
            yield ".".join(parts[:count])
        return
    for deeper in inner(element):
        yield from _firsts(deeper, count)


def _dotted(element: Element, count: int = 1) -> bool:
    """Whether each label of a scope inside an element has more parts than so many."""
    if element.label:
        return element.label.count(".") >= count
    return all(_dotted(e, count) for deeper in inner(element) for e in deeper)


def _stripped(element: Element, first: str) -> Element:
    """The element with the first part taken off the labels of its scope."""
    if element.label:
        return replace(element, label=element.label[len(first) + 1 :])
    return with_inner(element, lambda chain: tuple(_stripped(e, first) for e in chain))


def _bracketed(chain: Chain, counts: Counter[str]) -> Chain:
    done: list[Element] = []
    index = 0
    while index < len(chain):
        run = _run(chain, index, counts)
        if run is None:
            element = chain[index]
            if isinstance(element, Group):
                element = replace(element, body=bracketed(element.body))
            elif not element.label:
                element = _labelled_merge(element, counts) or with_inner(element, lambda c: _bracketed(c, counts))
            done.append(element)
            index += 1
            continue
        first, end = run
        members = chain[index:end]
        last = members[-1]
        body = (*members[:-1], replace(last, tap=""))
        done.append(
            Group(
                label=first,
                body=bracketed(tuple(_stripped(e, first) for e in body)),
                tap=last.tap,
                entering=members[0].entering,
                leaving=last.leaving,
            )
        )
        index = end
    return _absorbed(tuple(done))


def _run(chain: Chain, index: int, counts: Counter[str]) -> tuple[str, int] | None:
    """The first parts and the end of a run of labels that begins here and is all there are of these parts."""
    if isinstance(chain[index], Repeat | Line | Output):
        return None
    for count in range(1, _MOST_PARTS):
        run = _run_of(chain, index, counts, count)
        if run is not None:
            return run
    return None


def _run_of(chain: Chain, index: int, counts: Counter[str], count: int) -> tuple[str, int] | None:
    """The same for labels of which so many parts are common."""
    firsts = set(_firsts_of(chain[index], count))
    if len(firsts) != 1 or not _dotted(chain[index], count):
        return None
    (first,) = firsts
    seen, end = 0, index
    for place in range(index, len(chain)):
        here = list(_firsts_of(chain[place], count))
        if any(part != first for part in here) or not _dotted(chain[place], count):
            break
        if here:
            seen, end = seen + len(here), place + 1
    inside = chain[index:end]
    whole = seen == counts[first] and (seen > 1 or len(inside) > 1)
    only_merge = (
        len(inside) == 1 and isinstance(inside[0], Merge) and not inside[0].label and len(inside[0].branches) > 1
    )
    starts = any((isinstance(e, Use) and e.name != "id") or isinstance(e, Tensors) for e in inside)
    if only_merge and (_all_branches(inside[0]) or (not first[-1].isdigit() and _is_shortcut(inside[0]))):
        return None
    return (first, end) if whole and not starts else None


def _is_shortcut(element: Element) -> bool:
    """Whether an element is a sum of a way and what arrives: the label is then the way's."""
    return isinstance(element, Merge) and element.word.name == "add" and (ID,) in element.branches


def _all_branches(merge: Element) -> bool:
    """Whether each branch of a merge has a label: its label may then stand on the merge itself."""
    return isinstance(merge, Merge) and all(any(True for _ in _firsts(branch)) for branch in merge.branches)


def _labelled_merge(element: Element, counts: Counter[str]) -> Element | None:
    """A merge whose branches hold all labels of one first part has it for its own label."""
    if not isinstance(element, Merge) or not _all_branches(element) or not _dotted(element):
        return None
    firsts = Counter(first for branch in element.branches for first in _firsts(branch))
    if len(firsts) != 1:
        return None
    ((first, count),) = firsts.items()
    if count != counts[first] or count < 2:
        return None
    stripped = [tuple(_stripped(e, first) for e in branch) for branch in element.branches]
    inner_counts = _counts(stripped)
    return replace(element, label=first, branches=tuple(_bracketed(branch, inner_counts) for branch in stripped))


def _absorbed(chain: Chain) -> Chain:
    """Numbered brackets that are all followed by the same layers without labels take these in."""
    places = [n for n, e in enumerate(chain) if isinstance(e, Group) and not e.kind and e.label.isdigit()]
    if len(places) < 2 or any(chain[n].tap for n in places):
        return chain
    tails = []
    for place, following in zip(places, [*places[1:], len(chain)], strict=True):
        tail: list[Element] = []
        for element in chain[place + 1 : following]:
            if not isinstance(element, Layer) or element.label or element.tap:
                break
            tail.append(element)
        tails.append(tuple(tail))
    shortest = min(tails, key=len)
    if not shortest or any(tail[: len(shortest)] != shortest for tail in tails):
        return chain
    done: list[Element] = []
    skip = 0
    for number, element in enumerate(chain):
        if skip:
            skip -= 1
            continue
        if number in places and isinstance(element, Group):
            taken = chain[number + 1 : number + 1 + len(shortest)]
            done.append(replace(element, body=(*element.body, *taken), leaving=taken[-1].leaving))
            skip = len(shortest)
        else:
            done.append(element)
    return tuple(done)


def positioned(chain: Chain) -> Chain:
    """Without the labels that are the element's own position in its scope."""
    return _Positions((chain,)).chain(chain)


class _Positions:
    """Counts a scope's elements as the language does: layers, blocks and labelled brackets, in reading order.

    Where numbers do not rise in reading order, one that is a position is so by chance, and stays.
    """

    def __init__(self, chains: Sequence[Chain]) -> None:
        self.count = 0
        numbers = [int(first) for chain in chains for first in _firsts(chain) if first.isdigit()]
        self.rising = numbers == sorted(numbers)

    def chain(self, chain: Chain) -> Chain:
        return tuple(self.element(element) for element in chain)

    def element(self, element: Element) -> Element:
        if isinstance(element, Layer):
            op = find(element.word.name) if hasattr(element.word, "name") else None
            return self.counted(element) if op is None or op.takes_position else element
        if isinstance(element, Call):
            return self.counted(element)
        if isinstance(element, Group) and element.label:
            element = self.counted(element)
            return replace(element, body=positioned(element.body)) if isinstance(element, Group) else element
        if isinstance(element, Line) and element.share:
            self.count += 1
            return replace(element, body=tuple(with_inner(e, positioned) for e in element.body))
        if isinstance(element, Merge) and element.label:
            scope = _Positions(element.branches)
            return replace(element, branches=tuple(map(scope.chain, element.branches)))
        if isinstance(element, Repeat) and not element.names:
            return element
        return with_inner(element, self.chain)

    def counted(self, element: Element) -> Element:
        place, self.count = str(self.count), self.count + 1
        # A bracket needs a label to open a scope.
        by_position = self.rising and element.label == place and not isinstance(element, Group)
        return replace(element, label="") if by_position else element


def without_idle_labels(chain: Chain) -> Chain:
    """Names of layers without weights that the word says as well, `flatten: Flatten`, or that nobody counts: numbers in a scope
    where what has weights has names, and what stands outside of its bracket."""
    counted = any(first.isdigit() for first in _weighty(chain))

    def change(element: Element) -> Element:
        opens = isinstance(element, Group) or (isinstance(element, Merge) and bool(element.label))
        within = without_idle_labels if opens else lambda deeper: tuple(map(change, deeper))
        element = with_inner(element, within)
        if not isinstance(element, Layer) or not isinstance(element.word, Word) or element.weighty:
            return element
        same = element.label.replace("_", "").lower() == element.word.name.lower()
        idle = "." in element.label or (element.label.isdigit() and not counted)
        return replace(element, label="") if same or idle else element

    return tuple(map(change, chain))


def _weighty(chain: Chain) -> Iterator[str]:
    """The first part of each label of a scope that names something with weights."""
    for element in chain:
        if element.label and (not isinstance(element, Layer) or element.weighty):
            yield element.label.partition(".")[0]
        elif not element.label:
            for deeper in inner(element):
                yield from _weighty(deeper)
