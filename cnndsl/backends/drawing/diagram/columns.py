"""A long diagram in columns side by side, as a page has them: where it is cut, a numbered port says where it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnndsl.backends.drawing.diagram.diagram import Cluster, Diagram, Edge, Item, Port, leaves

CROSSING = 3
"""The most tensors that may pass from one column to later ones at a cut."""


@dataclass(frozen=True)
class _Piece:
    """What is not cut: a box, or frames that stand for several rounds, with the frames around it."""

    item: Item
    around: tuple[Cluster, ...]

    @property
    def height(self) -> int:
        """About how high it is drawn, in boxes."""
        return sum(1 for _ in leaves((self.item,)))


def columns(picture: Diagram, count: int) -> Diagram:
    """The diagram in at most `count` columns of about the same height; in fewer where it cannot be cut so often.

    Frames that are cut appear in both columns. A tensor that passes a cut leaves by the port `to N` and comes back by the
    port `from N` of a later column.
    """
    pieces = list(_pieces(picture.items, ()))
    runs = _runs(pieces, picture.edges, count)
    if len(runs) < 2:
        return picture
    where = {box.key: n for n, run in enumerate(runs) for piece in run for box in leaves((piece.item,))}
    where |= {
        port.key: min((where[e.head] for e in picture.edges if e.tail == port.key), default=0)
        for port in picture.inputs
    }
    where |= {
        port.key: max((where[e.tail] for e in picture.edges if e.head == port.key), default=0)
        for port in picture.outputs
    }
    numbers: dict[str, int] = {}
    ins: dict[str, Port] = {}
    outs: dict[str, Port] = {}
    edges: dict[Edge, None] = {}
    for edge in picture.edges:
        tail, head = where[edge.tail], where[edge.head]
        if tail == head:
            edges[edge] = None
            continue
        number = numbers.setdefault(edge.tensor, len(numbers) + 1)
        leave, enter = f"to:{number}:{tail}", f"from:{number}:{head}"
        outs[leave] = Port(leave, f"to {number}", edge.tensor)
        ins[enter] = Port(enter, f"from {number}", edge.tensor)
        edges[Edge(edge.tail, leave, edge.tensor, "", edge.skip)] = None
        edges[Edge(enter, edge.head, edge.tensor, "", edge.skip)] = None
    items = tuple(item for number, run in enumerate(runs) for item in _rebuilt(run, 0, number))
    return replace(
        picture,
        inputs=(*picture.inputs, *ins.values()),
        outputs=(*picture.outputs, *outs.values()),
        items=items,
        edges=tuple(edges),
    )


def _pieces(items: Sequence[Item], around: tuple[Cluster, ...]) -> list[_Piece]:
    found = []
    for item in items:
        if isinstance(item, Cluster) and item.times == 1 and not item.shared:
            found += _pieces(item.children, (*around, item))
        else:
            found.append(_Piece(item, around))
    return found


def _runs(pieces: list[_Piece], edges: tuple[Edge, ...], count: int) -> list[list[_Piece]]:
    """The pieces in `count` runs; the highest run is as low as cuts allow that few tensors pass."""
    place = {box.key: n for n, piece in enumerate(pieces) for box in leaves((piece.item,))}
    spans = {(place[e.tail], place[e.head], e.tensor) for e in edges if e.tail in place and e.head in place}
    free = [n for n in range(1, len(pieces)) if len({t for a, b, t in spans if a < n <= b}) <= CROSSING]
    heights = [piece.height for piece in pieces]
    # best[end] is, for runs that end before `end`, the highest run and where each run begins.
    best: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    for _ in range(count):
        following = dict(best)
        for start, (highest, starts) in best.items():
            for end in (*free, len(pieces)):
                if end > start and len(starts) < count:
                    reached = max(highest, sum(heights[start:end]))
                    if end not in following or (reached, len(starts) + 1) < (following[end][0], len(following[end][1])):
                        following[end] = reached, (*starts, start)
        best = following
    starts = best[len(pieces)][1] if pieces else ()
    return [pieces[a:b] for a, b in zip(starts, (*starts[1:], len(pieces)), strict=True)]


def _rebuilt(run: Sequence[_Piece], level: int, number: int) -> list[Item]:
    """The pieces of a run in their frames again; a frame has another key in each column."""
    made: list[Item] = []
    start = 0
    while start < len(run):
        piece = run[start]
        if len(piece.around) == level:
            made.append(piece.item)
            start += 1
            continue
        frame = piece.around[level]
        end = start
        while end < len(run) and len(run[end].around) > level and run[end].around[level] is frame:
            end += 1
        children = tuple(_rebuilt(run[start:end], level + 1, number))
        whole = sum(1 for _ in leaves(frame.children)) == sum(1 for _ in leaves(children))
        made.append(replace(frame, children=children, key=frame.key if whole else f"{frame.key}:column{number + 1}"))
        start = end
    return made
