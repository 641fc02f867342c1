"""What is told of each layer: that it was added, removed, renamed, moved, changed, resized or rewired."""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.analyses.differences.document import ArgumentDifference, Kind, LayerDifference
from cnndsl.analyses.differences.matching import Matching
from cnndsl.analyses.differences.meaning import changed_arguments, commutes
from cnndsl.analyses.document import NodeReport, Summary
from cnndsl.ir.graph import Graph, Node


def layer_differences(
    old: Graph, new: Graph, matching: Matching, before: Summary, after: Summary
) -> tuple[tuple[LayerDifference, ...], int]:
    """The layers that are not as they were, in the order of the new graph; and how many are as they were."""
    telling = _Telling(old, new, matching, before, after)
    back = {b: a for a, b in matching.pairs.items()}
    found: list[LayerDifference] = []
    unchanged = 0
    gone = iter(old.nodes)
    for node in new.nodes:
        if node.name not in back:
            found.append(telling.told(None, node, ("added",)))
            continue
        before_it = old[back[node.name]]
        if back[node.name] not in matching.moved:
            # What was removed is told where it stood: before the next layer that stayed.
            for other in gone:
                if other.name == before_it.name:
                    break
                if other.name not in matching.pairs:
                    found.append(telling.told(other, None, ("removed",)))
        kinds = telling.kinds(before_it, node)
        if kinds:
            found.append(telling.told(before_it, node, kinds))
        else:
            unchanged += 1
    found += [telling.told(other, None, ("removed",)) for other in gone if other.name not in matching.pairs]
    return tuple(found), unchanged


class _Telling:
    def __init__(self, old: Graph, new: Graph, matching: Matching, before: Summary, after: Summary) -> None:
        self._old, self._new, self._matching = old, new, matching
        self._before = {report.name: report for report in before.nodes}
        self._after = {report.name: report for report in after.nodes}
        inputs = {a.name: b.name for a, b in zip(old.inputs, new.inputs, strict=False)}
        stays = {a: b for a, b in matching.pairs.items() if a not in matching.moved}
        # What is looked through to find what a layer really reads: layers that came, went or moved.
        self._anchors_old = {name: name for name in [*inputs, *stays]}
        self._anchors_new = {b: a for a, b in (inputs | stays).items()}
        self._scopes_old = whole_scopes(old, {node.name for node in old.nodes if node.name not in matching.pairs})
        there = set(matching.pairs.values())
        self._scopes_new = whole_scopes(new, {node.name for node in new.nodes if node.name not in there})

    def kinds(self, a: Node, b: Node) -> tuple[Kind, ...]:
        """What happened to a layer that is in both."""
        found: list[Kind] = []
        if a.name != b.name and self._has_weights(self._old, a):
            found.append("renamed")
        moved = a.name in self._matching.moved
        if moved and self._reads_elsewhere(a, b, whole=True):
            found.append("moved")
        if a.op.word != b.op.word or any(changed_arguments(self._old, a, self._new, b)):
            found.append("changed")
        elif str(a.type) != str(b.type) or self._shapes(self._old, a) != self._shapes(self._new, b):
            found.append("resized")
        if a.owns_weights != b.owns_weights or (not moved and self._reads_elsewhere(a, b)):
            found.append("rewired")
        return tuple(found)

    def told(self, a: Node | None, b: Node | None, kinds: tuple[Kind, ...]) -> LayerDifference:
        """The account of one layer."""
        same_word = a is not None and b is not None and a.op.word == b.op.word
        arguments = tuple(
            ArgumentDifference(name=name, old=x, new=y)
            for name, x, y in (changed_arguments(self._old, a, self._new, b) if same_word and a and b else ())
        )
        where = bool({"added", "removed", "moved", "rewired"} & {*kinds})
        before, after = _report(self._before, a), _report(self._after, b)
        return LayerDifference(
            kinds=kinds,
            old=a.name if a else None,
            new=b.name if b else None,
            old_op=a.op.text() if a else None,
            new_op=b.op.text() if b else None,
            arguments=arguments,
            old_shape=a.type.shape if a else None,
            new_shape=b.type.shape if b else None,
            old_params=before.params if before else 0,
            new_params=after.params if after else 0,
            old_macs=before.macs if before else 0,
            new_macs=after.macs if after else 0,
            scope=self._scopes_new.get(b.name)
            if a is None and b
            else self._scopes_old.get(a.name)
            if b is None and a
            else None,
            old_after=a.inputs if a and where else (),
            new_after=b.inputs if b and where else (),
        )

    def _has_weights(self, graph: Graph, node: Node) -> bool:
        return node.owns_weights and bool(graph.node_weights(node))

    def _shapes(self, graph: Graph, node: Node) -> list[tuple[int, ...]]:
        return [weight.shape for weight in graph.node_weights(node).values()]

    def _reads_elsewhere(self, a: Node, b: Node, *, whole: bool = False) -> bool:
        """Whether a layer reads other layers than before. What it reads through layers that came or went is told with those;
        with `whole` it counts, too."""
        direct_a, all_a = _sources(self._old, a, self._anchors_old)
        direct_b, all_b = _sources(self._new, b, self._anchors_new)
        if whole:
            return all_a != all_b
        if direct_a - all_b or direct_b - all_a:
            return True
        if commutes(a) or commutes(b) or len(a.reads) != len(b.reads) or len(a.reads) < 2:
            return False
        pairs = ((self._anchors_old.get(x), self._anchors_new.get(y)) for x, y in zip(a.reads, b.reads, strict=True))
        return any(x is not None and y is not None and x != y for x, y in pairs)


def _report(reports: Mapping[str, NodeReport], node: Node | None) -> NodeReport | None:
    return reports[node.name] if node else None


def _sources(graph: Graph, node: Node, anchors: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """The anchors that a layer reads itself, and with them those that it reads through layers which are none."""
    direct = {anchors[name] for name in node.reads if name in anchors}
    found, seen = set(direct), set()
    waiting = [name for name in node.reads if name not in anchors]
    inputs = {given.name for given in graph.inputs}
    while waiting:
        name = waiting.pop()
        if name in seen or name in inputs:
            continue
        seen.add(name)
        for read in graph[name].reads:
            if read in anchors:
                found.add(anchors[read])
            else:
                waiting.append(read)
    return direct, found


def whole_scopes(graph: Graph, chosen: set[str]) -> dict[str, str]:
    """For each of the chosen layers, the outermost scope all of whose layers are chosen, where there is one."""
    others = {
        ".".join(parts[:length])
        for node in graph.nodes
        if node.name not in chosen
        for parts in [node.name.split(".")]
        for length in range(1, len(parts) + 1)
    }
    found = {}
    for name in chosen:
        parts = name.split(".")
        scopes = (".".join(parts[:length]) for length in range(1, len(parts)))
        scope = next((scope for scope in scopes if scope not in others), None)
        if scope is not None:
            found[name] = scope
    return found
