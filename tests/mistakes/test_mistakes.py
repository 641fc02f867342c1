"""Mistakes as people make them who come from elsewhere: each is told at its place, names what was meant, and where a mended
text is offered, it builds the network that was meant. The cases are the text files beside this one, whose head says how to read
them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cnndsl.diagnostics.errors import CnnError, Diagnostic
from cnndsl.diagnostics.mending import mended
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import parse_text

FOLDER = Path(__file__).parent
MOST_STEPS = 8
"""Mends until a text builds; one mistake may hide another."""


class Mistake(NamedTuple):
    """A wrong text, where and as what it is told, words that must be said, and the text that was meant, if one is offered."""

    text: str
    place: str
    id: str
    words: tuple[str, ...]
    meant: str | None


def mistakes() -> list[Mistake]:
    """Every case of every file."""
    found = []
    for file in sorted(FOLDER.glob("*.txt")):
        for paragraph in re.split(r"\n\s*\n", file.read_text(encoding="utf-8")):
            lines = [line for line in paragraph.split("\n") if line and not line.startswith("#")]
            if lines:
                found.append(_mistake(lines))
    return found


def _mistake(lines: list[str]) -> Mistake:
    parts: dict[str, list[str]] = {"<": [], ">": [], "@": []}
    for line in lines:
        parts[line[0]].append(line[2:])
    place, id, words = parts["@"][0].split(" ", 2)
    meant = "\n".join(parts[">"]) if parts[">"] else None
    return Mistake("\n".join(parts["<"]), place, id, tuple(re.findall(r"`([^`]+)`", words)), meant)


CASES = mistakes()


def told(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(CnnError) as caught:
        parse_text(text)
    return caught.value.diagnostics


def network(graph: Graph) -> Any:
    """What a graph is, but for its places: a window of 3 and one of 3×3 are the same."""
    nodes = [(n.name, _plain(n.op), n.inputs, n.type) for n in graph.nodes]
    return nodes, [(i.name, i.type) for i in graph.inputs], [(o.name, o.node, o.training) for o in graph.outputs]


def _plain(op: Any) -> Any:
    window: Any = getattr(op, "window", None)
    same = isinstance(window, tuple) and len(set(window)) == 1
    return op.model_copy(update={"window": window[0]}) if same else op


@pytest.mark.parametrize("case", CASES, ids=lambda case: " / ".join(case.text.split("\n"))[-60:])
def test_a_mistake_is_told_and_its_mend_builds_what_was_meant(case: Mistake) -> None:
    first = told(case.text)[0]
    assert first.span is not None
    line, column = first.span.source.line_and_column(first.span.start)
    assert (f"{line}:{column}", first.id) == (case.place, case.id)
    said = " ".join([first.message, *(label.text for label in first.labels), *first.notes, first.help or ""])
    assert not [word for word in case.words if word not in said], said
    assert first.help
    text = case.text
    for _ in range(MOST_STEPS):
        try:
            built = parse_text(text).graph
        except CnnError as error:
            after = mended(text, [d for d in error.diagnostics if d.fixes][:1])
            if after == text:
                break
            text = after
        else:
            assert case.meant is not None, f"what is offered builds: {text}"
            assert network(built) == network(parse_text(case.meant).graph)
            return
    assert case.meant is None, f"nothing more is offered for {text}"


def test_there_are_enough_of_them_and_no_two_are_the_same() -> None:
    assert len({case.text for case in CASES}) == len(CASES) >= 250
    assert sum(case.meant is not None for case in CASES) >= 200


NEVER = re.compile(r"something else|stands here\b.*delete|write a statement here")


@pytest.mark.parametrize("case", CASES, ids=lambda case: " / ".join(case.text.split("\n"))[-60:])
def test_no_help_is_a_shrug(case: Mistake) -> None:
    for diagnostic in told(case.text):
        assert not NEVER.search(diagnostic.help or ""), diagnostic.help
