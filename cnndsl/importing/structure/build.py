"""From a network of layers to a program, as readable as it can be, or flat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from cnndsl.importing.match import Net
from cnndsl.importing.structure.blocks.make import with_blocks
from cnndsl.importing.structure.chains import body_of
from cnndsl.importing.structure.drops import even_drops
from cnndsl.importing.structure.elements import Chain, Element, Layer, Program, Word, with_inner
from cnndsl.importing.structure.labels import bracketed, positioned, without_idle_labels
from cnndsl.importing.structure.regions import regions, unstructured
from cnndsl.importing.structure.repeats import folded
from cnndsl.importing.structure.splits import split
from cnndsl.importing.trace import UNREAD
from cnndsl.passes.values.functions import FUNCTIONS
from cnndsl.passes.values.visible import is_layer
from cnndsl.syntax.vocabulary import RESERVED


def renamed(net: Net) -> Net:
    """The network with names of inputs and outputs that the language can say."""
    taken: set[str] = set()
    names: dict[str, str] = {}
    for name, _ in net.inputs:
        names[name] = _said(name, "input", taken)
    pieces = tuple(replace(p, inputs=tuple(names.get(n, n) for n in p.inputs)) for p in net.pieces)
    outputs = tuple(
        (label if label == UNREAD or label.isidentifier() else _said(label, "output", taken), names.get(value, value))
        for label, value in net.outputs
    )
    return replace(net, inputs=tuple((names[n], t) for n, t in net.inputs), pieces=pieces, outputs=outputs)


def _said(name: str, role: str, taken: set[str]) -> str:
    """A name like this one that the language can say, and that is not taken."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
    plain = plain if plain[:1].isalpha() or plain[:1] == "_" else f"{role}_{plain}"
    while plain in taken or plain in RESERVED or is_layer(plain) or plain in FUNCTIONS:
        plain += "_"
    taken.add(plain)
    return plain


def flat(net: Net) -> Program:
    """Chains with dotted labels and no brackets: right wherever the layers are."""
    return Program(net.inputs, body_of(net, unstructured(net)), net.outputs)


def bracketed_program(net: Net) -> Program:
    """Brackets and repeats, and no blocks."""
    body = without_idle_labels(bracketed(without_flattening(body_of(net, regions(net, several=False, shares=False)))))
    return Program(net.inputs, folded(positioned(body)), net.outputs)


def blocked(net: Net, *, several: bool = True, mixed: bool = True) -> Program:
    """Blocks for the classes of modules, rows of a table for their calls."""
    body = without_flattening(body_of(net, regions(net, several=several)))
    body = bracketed(split(body) if several else body)
    drops, even = even_drops(positioned(without_idle_labels(body)))
    blocks, done = with_blocks(even, mixed=mixed)
    return Program(net.inputs, done, net.outputs, blocks, drops)


def narrow(net: Net) -> Program:
    """The same, and each block takes one tensor and gives one."""
    return blocked(net, several=False)


def plain(net: Net) -> Program:
    """The same, and no part of a block is there only if."""
    return blocked(net, several=False, mixed=False)


def without_flattening(chain: Chain) -> Chain:
    """Without the `Flatten` that `FC` brings along."""
    done: list[Element] = []
    for element in chain:
        element = with_inner(element, without_flattening)
        if (
            done
            and _is(element, "FC")
            and _is(done[-1], "Flatten")
            and done[-1].label in ("", "flatten")
            and not done[-1].tap
            and (done[-1].entering is None or done[-1].entering.kind != "tokens")
        ):
            flatten = done.pop()
            element = replace(element, entering=flatten.entering)
        done.append(element)
    return tuple(done)


def _is(element: Element, word: str) -> bool:
    return isinstance(element, Layer) and isinstance(element.word, Word) and element.word.name == word


FORMS: Mapping[str, Callable[[Net], Program]] = {
    "blocks": blocked,
    "narrow blocks": narrow,
    "plain blocks": plain,
    "brackets": bracketed_program,
    "flat": flat,
}
"""The forms of a program, the most readable first."""
