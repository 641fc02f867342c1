"""Which layer of a parsed program is which operation of the network it was written from: both walked from their outputs."""

from __future__ import annotations

from cnndsl.importing.match import Net, Piece
from cnndsl.importing.refuse import Unproved
from cnndsl.ir.graph import Graph


def paired(graph: Graph, net: Net) -> dict[str, Piece]:
    """The piece for each node by name. Raises `Unproved` where the two are not the same graph.

    The `Flatten` that `FC` brings may stand on either side alone.
    """
    pieces = {piece.name: piece for piece in net.pieces}
    found: dict[str, Piece] = {}
    pending = [(o.node, name) for o, (_, name) in zip(graph.outputs, net.outputs, strict=True)]
    entering = {i.name: name for i, (name, _) in zip(graph.inputs, net.inputs, strict=True)}
    while pending:
        ours, theirs = pending.pop()
        if ours in entering or theirs not in pieces:
            if entering.get(ours) != theirs:
                raise Unproved("the program's layers are joined in another way")
            continue
        node, piece = graph[ours], pieces[theirs]
        if node.name in found:
            if found[node.name] is not piece:
                raise Unproved("the program's layers are joined in another way")
            continue
        if node.op.word != piece.op.word or len(node.inputs) != len(piece.inputs) or node.type != piece.type:
            if node.op.word == "Flatten" and len(node.inputs) == 1:
                pending.append((node.inputs[0], theirs))
                continue
            raise Unproved(f"`{node.op.word}` stands where the source has `{piece.op.word}`")
        found[node.name] = piece
        if node.op.begins:
            # It makes its tensor anew, whatever arrives.
            continue
        pending += zip(node.inputs, piece.inputs, strict=True)
    if len({id(piece) for piece in found.values()}) != len(net.pieces):
        missing = {piece.op.word for piece in net.pieces} - {piece.op.word for piece in found.values()}
        if missing - {"Flatten"}:
            raise Unproved(f"the program has no {', '.join(sorted(missing))}")
    return found
