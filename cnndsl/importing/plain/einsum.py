"""Sums of products that code says by letters, as matrix products: `einsum("bhnd,bhmd->bhnm")`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from cnndsl.importing.trace import Node, Ref, Trace


def without_einsum(trace: Trace) -> Trace:
    """The same network, each product of two tensors by letters said as turns and one matrix product."""
    if not any(node.target == "einsum" for node in trace.nodes):
        return trace
    shapes = {t.name: t.shape for t in (*trace.inputs,)}
    shapes |= {name: t.shape for name, t in (*trace.weights.items(), *trace.constants.items())}
    nodes: list[Node] = []
    still = {*trace.weights, *trace.constants}
    for node in trace.nodes:
        shapes[node.name] = node.shape
        still |= {node.name} if all(ref.name in still for ref in node.refs()) else set()
        nodes += _spelled(node, shapes, still) if node.target == "einsum" else [node]
    return replace(trace, nodes=tuple(nodes))


def _spelled(node: Node, shapes: dict[str, tuple[int, ...]], still: set[str]) -> Iterator[Node]:
    """Letters that both tensors and the result have come first, then those of one tensor, then those summed over."""
    equation = node.arguments["equation"].replace(" ", "")
    given, _, result = equation.partition("->")
    letters = given.split(",")
    tensors = node.arguments["tensors"]
    if len(tensors) != 2 or "." in equation or "->" not in equation or any(len(set(t)) != len(t) for t in letters):
        yield node
        return
    a, b = letters
    size = dict(zip(a, shapes[tensors[0].name], strict=True)) | dict(zip(b, shapes[tensors[1].name], strict=True))
    both = [c for c in result if c in a and c in b]
    if tensors[1].name in still and result[:1] == a[:1] and a[0] not in b:
        # The batch stays first: a product stretches over it what has none.
        yield from _beside_weights(node, a, b, result, size, both)
        return
    left, right = [c for c in result if c not in b], [c for c in result if c not in a]
    summed = [c for c in a if c in b and c not in result]
    if not summed or set(a) != {*both, *left, *summed} or set(b) != {*both, *right, *summed}:
        yield node
        return
    # The axes before a matrix product's are those of its result, in order.
    sides = []
    for name, ref, own, wanted, rows in (
        ("left", tensors[0], a, [*both, *left, *summed], (left, summed)),
        ("right", tensors[1], b, [*both, *summed, *right], (summed, right)),
    ):
        shape = tuple(size[c] for c in wanted)
        here = ref
        if wanted != list(own):
            turned = Node(
                f"{node.name}.{name}",
                "permute",
                {"self": ref, "dims": [own.index(c) for c in wanted]},
                shape,
                node.dtype,
                node.scope,
            )
            yield turned
            here = Ref(turned.name)
        flat = (*(size[c] for c in both), *(prod(size[c] for c in group) for group in rows))
        if flat != shape:
            laid = Node(
                f"{node.name}.{name}.flat",
                "reshape",
                {"self": here, "shape": list(flat)},
                flat,
                node.dtype,
                node.scope,
            )
            yield laid
            here = Ref(laid.name)
        sides.append(here)
    made = [*both, *left, *right]
    last = made == list(result)
    shape = (*(size[c] for c in both), prod(size[c] for c in left), prod(size[c] for c in right))
    long = tuple(size[c] for c in made)
    name = node.name if last and shape == long else f"{node.name}.product"
    yield replace(node, name=name, target="matmul", arguments={"self": sides[0], "other": sides[1]}, shape=shape)
    if shape != long:
        laid = replace(
            node,
            name=node.name if last else f"{node.name}.laid",
            target="reshape",
            arguments={"self": Ref(name), "shape": list(long)},
            shape=long,
        )
        yield laid
        name = laid.name
    if not last:
        yield replace(node, target="permute", arguments={"self": Ref(name), "dims": [made.index(c) for c in result]})


def _beside_weights(node: Node, a: str, b: str, result: str, size: dict[str, int], both: list[str]) -> Iterator[Node]:
    """A product with a tensor that does not depend on the input: the batch, then letters that both have."""
    left = [c for c in result[1:] if c not in b]
    right, summed = [c for c in result if c not in a], [c for c in a if c in b and c not in result]
    if not summed or set(b) != {*both, *right, *summed} or set(a) != {a[0], *both, *left, *summed}:
        yield node
        return
    first, second = node.arguments["tensors"]
    x = [a[0], *both, *left, *summed]
    made = [a[0], *both, *left, *right]

    def step(end: str, target: str, ref: Ref, arguments: dict[str, object], shape: tuple[int, ...]) -> Ref:
        done = Node(
            f"{node.name}.{end}" if end else node.name,
            target,
            {"self": ref, **arguments},
            shape,
            node.dtype,
            node.scope,
        )
        steps.append(done)
        return Ref(done.name)

    def turned(end: str, ref: Ref, own: list[str], wanted: list[str]) -> Ref:
        if own == wanted:
            return ref
        return step(end, "permute", ref, {"dims": [own.index(c) for c in wanted]}, tuple(size[c] for c in wanted))

    def flat(end: str, ref: Ref, *groups: list[str]) -> Ref:
        shape = tuple(prod(size[c] for c in group) for group in groups)
        if all(len(group) == 1 for group in groups):
            return ref
        return step(end, "reshape", ref, {"shape": list(shape)}, shape)

    steps: list[Node] = []
    alone = [[c] for c in both]
    rows = flat("rows", turned("left", first, list(a), x), [a[0]], *alone, left, summed)
    columns = flat("columns", turned("right", second, list(b), [*both, *summed, *right]), *alone, summed, right)
    shape = (size[a[0]], *(size[c] for c in both), prod(size[c] for c in left), prod(size[c] for c in right))
    product = step("product", "matmul", rows, {"other": columns}, shape)
    long = tuple(size[c] for c in made)
    laid = product if long == shape else step("laid", "reshape", product, {"shape": list(long)}, long)
    back = turned("turned", laid, made, list(result))
    *most, last = steps
    yield from most
    yield replace(last, name=node.name) if back == Ref(last.name) else last
