"""What stands several times in a row becomes a repeat: `[…]×3`, `denselayer{i}: … for i in 1..6`, rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cnndsl.importing.structure.elements import (
    Call,
    Chain,
    Choice,
    Element,
    Expression,
    Merge,
    Repeat,
    has_tap,
    inner,
    with_inner,
)

_MOST_PERIOD = 8
_LEAST_ROWS = 4
_LEAST_ROUNDS = 3


def folded(chain: Chain) -> Chain:
    """The chain with equal neighbours folded, inside and out."""
    chain = tuple(with_inner(element, folded) for element in chain)
    return _numbered(_equal(chain))


def _equal(chain: Chain) -> Chain:
    """Unlabelled equal neighbours, one or several together."""
    done: list[Element] = []
    index = 0
    while index < len(chain):
        best = (1, 1)
        for period in range(1, min(_MOST_PERIOD, (len(chain) - index) // 2) + 1):
            piece = chain[index : index + period]
            if any(e.label for e in piece) or has_tap(piece):
                continue
            rounds = 1
            while chain[index + rounds * period : index + (rounds + 1) * period] == piece:
                rounds += 1
            if rounds > 1 and (rounds - 1) * period > (best[1] - 1) * best[0]:
                best = (period, rounds)
        period, rounds = best
        piece = chain[index : index + period]
        if rounds > 1:
            last = chain[index + rounds * period - 1]
            done.append(Repeat(body=piece, count=rounds, entering=piece[0].entering, leaving=last.leaving))
        else:
            done += piece
        index += period * rounds
    return tuple(done)


def _numbered(chain: Chain) -> Chain:
    """Neighbours that differ in one number of their labels, which counts."""
    done: list[Element] = []
    index = 0
    while index < len(chain):
        end, first = index, _number(chain[index])
        if first is not None and not has_tap((chain[index],)):
            plain = _counted(chain[index], first, "{i}")
            while end + 1 < len(chain) and _counted(chain[end + 1], first + end + 1 - index, "{i}") == plain:
                end += 1
        if end - index >= _LEAST_ROUNDS - 1 and first is not None:
            done.append(
                Repeat(
                    body=(_counted(chain[index], first, "{i}"),),
                    names=("i",),
                    span=(first, first + end - index),
                    entering=chain[index].entering,
                    leaving=chain[end].leaving,
                )
            )
        else:
            done += chain[index : end + 1]
        index = end + 1
    return tuple(done)


def _labels(element: Element) -> Iterator[str]:
    """The labels of an element and of what stands in the same scope inside of it."""
    if element.label:
        yield element.label
    elif isinstance(element, Merge | Choice):
        for chain in inner(element):
            for deeper in chain:
                yield from _labels(deeper)


def _number(element: Element) -> int | None:
    """The number that labels of an element may count by: the last one of the first of them."""
    label = next(_labels(element), "")
    parts = label_parts(label)
    return parts[1] if parts is not None else None


def _counted(element: Element, number: int, mark: str) -> Element:
    """The element with a mark where its labels have this number."""
    if element.label:
        parts = label_parts(element.label)
        return (
            replace(element, label=f"{parts[0]}{mark}{parts[2]}")
            if parts is not None and parts[1] == number
            else element
        )
    if isinstance(element, Merge | Choice):
        return with_inner(element, lambda chain: tuple(_counted(deeper, number, mark) for deeper in chain))
    return element


def label_parts(label: str) -> tuple[str, int, str] | None:
    """A label around its last number."""
    digits = [n for n, c in enumerate(label) if c.isdigit()]
    if not digits or not label:
        return None
    end = digits[-1] + 1
    start = end
    while start > 0 and label[start - 1].isdigit():
        start -= 1
    number = label[start:end]
    return None if (number != "0" and number.startswith("0")) else (label[:start], int(number), label[end:])


def tabled(chain: Chain) -> Chain:
    """Runs of one block with other arguments each time, as rows of a table."""
    chain = tuple(with_inner(element, tabled) for element in chain)
    done: list[Element] = []
    index = 0
    while index < len(chain):
        end = index
        while end < len(chain) and _calls(chain[end], chain[index]):
            end += 1
        run = chain[index:end]
        rounds = [call for element in run for call in _unfolded(element)]
        differing = [n for n in _names(rounds) if len({repr(dict(c.arguments).get(n)) for c in rounds}) > 1]
        if len(run) >= (_LEAST_ROWS if len(differing) > 1 else _LEAST_ROUNDS) and differing:
            first = rounds[0]
            done.append(
                Repeat(
                    body=(replace(first, arguments=tuple((n, n) for n in _names(rounds))),),
                    names=tuple(differing),
                    rows=tuple(tuple(dict(call.arguments).get(n) for n in differing) for call in rounds),
                    entering=run[0].entering,
                    leaving=run[-1].leaving,
                )
            )
            done[-1] = _with_constants(done[-1], rounds, differing)
        else:
            done += run or chain[index : index + 1]
        index = max(end, index + 1)
    return tuple(done)


def _with_constants(element: Element, rounds: list[Call], differing: list[str]) -> Element:
    assert isinstance(element, Repeat)
    (call,) = element.body
    assert isinstance(call, Call)
    arguments = tuple(
        (name, Expression(name) if name in differing else dict(rounds[0].arguments)[name]) for name, _ in call.arguments
    )
    return replace(element, body=(replace(call, arguments=arguments),))


def _names(rounds: list[Call]) -> list[str]:
    return list(dict.fromkeys(name for call in rounds for name, _ in call.arguments))


def _calls(element: Element, first: Element) -> bool:
    """Whether an element is a call of the same block as the first, or that several times; unlabelled."""
    calls, others = _unfolded(element), _unfolded(first)
    return bool(calls and others) and calls[0].block == others[0].block and not element.label and not element.tap


def _unfolded(element: Element) -> list[Call]:
    if isinstance(element, Call):
        return [] if element.label or element.tap else [element]
    if isinstance(element, Repeat) and isinstance(element.count, int) and len(element.body) == 1:
        (call,) = element.body
        if isinstance(call, Call) and not call.label:
            return [call] * element.count
    return []
