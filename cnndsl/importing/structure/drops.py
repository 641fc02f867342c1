"""Shares of silenced branches that grow evenly over a network: `let drops = linspace(0, 0.2, 17)`, and `drops[3]`."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.structure.elements import Chain, Element, Expression, Layer, Word, everything, with_inner

_LEAST = 3
_CLOSE = 2e-7
"""Of float32, in which PyTorch computes the shares."""


def even_drops(body: Chain) -> tuple[tuple[float, int] | None, Chain]:
    """The end and length of the one `linspace` that says all shares, and the body with its elements; None and the body as it
    is where there is none."""
    shares = [
        float(e.word.get("p"))
        for e in everything(body)
        if isinstance(e, Layer) and isinstance(e.word, Word) and e.word.name == "DropPath"
    ]
    found = _even(shares)
    if found is None:
        return None, body
    most, count = found

    def change(chain: Chain) -> Chain:
        done: list[Element] = []
        for element in chain:
            element = with_inner(element, change)
            if isinstance(element, Layer) and isinstance(element.word, Word) and element.word.name == "DropPath":
                place = round(float(element.word.get("p")) * (count - 1) / most)
                element = replace(element, word=element.word.with_arguments({"p": Expression(f"drops[{place}]")}))
            done.append(element)
        return tuple(done)

    return found, change(body)


def _even(shares: list[float]) -> tuple[float, int] | None:
    """The end and length of the shortest evenly spaced list from 0 to a round number that holds all these."""
    different = sorted(set(shares))
    if len(different) < _LEAST:
        return None
    for count in range(len(different), 4 * len(different) + 64):
        for over in range(3):
            last = count - 1 - over
            if last < 1:
                continue
            most = different[-1] * (count - 1) / last
            short = float(f"{most:.2g}")
            if abs(short - most) > _CLOSE:
                continue
            if all(
                abs(s * (count - 1) / short - round(s * (count - 1) / short)) * short / (count - 1) < _CLOSE
                for s in different
            ):
                return short, count
    return None
