"""The levels of a U: how deep each place of a row lies under the skips of an encoder and its decoder."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cnndsl.backends.drawing.figures.stages import Skip, Stage


def levels(places: Sequence[Stage], skips: Sequence[Skip]) -> list[int]:
    """The level of each place, 0 at the top; all 0 where the row is no U.

    It is a U where two skips or more lie one within the other, and maps get smaller on the way down and larger on the way
    up. A place lies as many levels down as there are skips over it that carry a map of much longer sides than its own:
    a decoder without padding has maps somewhat smaller than those that its skips bring.
    """
    flat = [0] * len(places)
    nested = sorted(skips)
    if len(nested) < 2 or any(one[0] == other[0] or one[1] <= other[1] for one, other in pairwise(nested)):
        return flat
    side = [max(place.size, default=1) for place in places]
    found = [sum(a < n < b and 5 * side[n] < 3 * side[a] for a, b in nested) for n in range(len(places))]
    lowest = found.index(max(found))
    down, up = found[: lowest + 1], found[lowest:]
    steps = max((abs(a - b) for a, b in pairwise(found)), default=0)
    even = all(found[a] == found[b] for a, b in nested)
    if found[lowest] < 2 or steps > 1 or not even or down != sorted(down) or up != sorted(up, reverse=True):
        return flat
    return found
