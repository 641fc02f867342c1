"""Guards `service/bindings.py`. Each name is bound to what the walk finds under it, in all programs of the shelf."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnndsl.diagnostics.source import Source
from cnndsl.disk import shelf
from cnndsl.passes.values import evaluate
from cnndsl.service.analysis import Analysis
from cnndsl.service.bindings import bind
from cnndsl.service.names.calls import incoming, outgoing
from cnndsl.service.names.definition import definition, highlights, references
from cnndsl.service.names.rename import CannotRename, renamable, rename
from cnndsl.syntax import tree
from cnndsl.syntax.parser import parse
from tests.service.texts import applied, at, built_in, of, saved

IN_THE_FAST_TESTS = {"resnet", "densenet", "hrnet", "mobilenet_v3", "retinanet", "shufflenet_v2", "unet"}


def shelved() -> list[Any]:
    """The files of the shelf by name; a few of them in the fast tests."""
    slow = {s.name: [] if Path(s.name).stem in IN_THE_FAST_TESTS else [pytest.mark.slow] for s in shelf.sources()}
    return [pytest.param(s, id=Path(s.name).stem, marks=slow[s.name]) for s in shelf.sources()]


@pytest.mark.parametrize("source", shelved())
def test_a_walk_looks_up_no_name_that_is_not_bound(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: set[tuple[str, int]] = set()
    real = evaluate.look_up

    def look_up(name: str, value: Any, scope: Any) -> Any:
        if value.span.source == source and name in scope.visible():
            looked.add((name, value.span.start))
        return real(name, value, scope)

    monkeypatch.setattr(evaluate, "look_up", look_up)
    monkeypatch.setattr("cnndsl.passes.walk.chains.look_up", look_up)
    analysis = Analysis(source)
    for model in analysis.models[:2]:
        assert analysis.checked(model).whole
    bound = {(symbol.name, use.start) for symbol in analysis.bindings.symbols for use in symbol.uses}
    assert looked - bound == set()


def test_a_name_leads_to_where_it_is_set() -> None:
    text = "input x: 3×8×8\nlet k = 4\nblock A(c, k=2) { Conv3x3(c, stride=k) }\nx → A(k, k=1) as y → Conv3x3(k)\noutput ‸y\n"
    analysis, offset = at(text)
    place = definition(analysis, offset)
    assert place is not None
    assert analysis.source.text[: place.start].endswith("k=1) as ")
    seen = {
        word: analysis.source.text[(definition(analysis, analysis.source.text.index(word) + shift) or place).start :][
            :5
        ]
        for word, shift in (("c, stride", 0), ("stride=k", 7), ("A(k, k=1)", 2), ("k=1", 0), ("x → A", 0))
    }
    assert seen == {"c, stride": "c, k=", "stride=k": "k=2) ", "A(k, k=1)": "k = 4", "k=1": "k=2) ", "x → A": "x: 3×"}


def test_names_of_rounds_and_what_is_gathered_over_them_have_their_scopes() -> None:
    program = parse(
        Source(
            "n",
            "input 3×8×8\n[Conv3x3(i) as t → ReLU as all[]] for i in 1..3\ncat{ all[k] → t for k, t in [(0, ReLU)] }\n",
        )
    )
    symbols = {(s.name, s.kind): (len(s.definitions), len(s.uses)) for s in bind(program).symbols}
    assert symbols == {
        ("all", "tensor"): (1, 1),
        ("i", "loop"): (1, 1),
        ("t", "tensor"): (1, 0),
        ("k", "loop"): (1, 1),
        ("t", "loop"): (1, 1),
    }


def test_references_and_highlights_are_every_place_of_a_name() -> None:
    analysis = built_in("resnet")
    text = analysis.source.text
    found = references(analysis, text.index("Basic"))
    assert [text[p.start : p.end] for p in found] == ["Basic"] * 3
    assert references(analysis, text.index("Basic"), declaration=False) == found[1:]
    marked = highlights(analysis, text.index("middle ="))
    assert [written for _, written in marked] == [True, False, False]


def test_what_is_used_from_another_file_leads_there(tmp_path: Path) -> None:
    paths = saved(
        tmp_path,
        parts="# parts\nblock A { ReLU }\n",
        net='use A as B from "parts.cnn"\nuse SE from squeeze_excitation\ninput 3×8×8\nB → SE(2)\n',
    )
    text = paths["net"].read_text("utf-8")
    analysis = Analysis(Source(str(paths["net"]), text), paths["net"])
    analysis.checked(None)
    there = definition(analysis, text.index("B →"))
    assert there is not None
    assert (there.file, there.start) == (paths["parts"].resolve(), 14)
    shelved = definition(analysis, text.index("SE(2)"))
    assert shelved is not None
    assert shelved.file == "architectures/squeeze_excitation.cnn"
    assert definition(analysis, text.index("parts.cnn")) == type(there)(0, 0, paths["parts"].resolve())


def test_a_rename_changes_every_place_and_nothing_else() -> None:
    analysis, offset = at("block A(‸c, k=2) { let d = c * 2\nConv3x3(d, stride=k) }\ninput 3×8×8\nA(c=4) → A(5)\n")
    text = applied(analysis.source.text, rename(analysis, offset, "width"))
    assert text == "block A(width, k=2) { let d = width * 2\nConv3x3(d, stride=k) }\ninput 3×8×8\nA(width=4) → A(5)\n"
    graphs = [of(one).checked(None).graph for one in (analysis.source.text, text)]
    assert [graph.nodes[0].op if graph else None for graph in graphs] == [graphs[0].nodes[0].op if graphs[0] else 0] * 2


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        ("let ‸a = 1\nlet b = a\ninput 3×8×8\nConv3x3(b)", "b", "taken"),
        ("let ‸a = 1\ninput 3×8×8\nConv3x3(a)", "ReLU", "layer"),
        ("let ‸a = 1\ninput 3×8×8\nConv3x3(a)", "for", "word of the language"),
        ("let ‸a = 1\ninput 3×8×8\nConv3x3(a)", "3x", "no name"),
        ("let ‸a = \ninput 3×8×8\nConv3x3(a)", "b", "mistakes"),
        ("block A(‸c) { Conv3x3(c) }\nblock B(unit) { unit(c=3) }\ninput 3×8×8\nB(A)", "d", "only building"),
        ("use ‸SE from squeeze_excitation\ninput 8×8×8\nSE(2)", "S", "another file"),
        ("input 3×8×8\n‸ReLU", "x", "no name stands"),
    ],
)  # fmt: skip
def test_a_rename_that_would_change_the_meaning_is_refused(text: str, name: str, why: str) -> None:
    with pytest.raises(CannotRename, match=why):
        rename(*at(text), name)


def test_a_rename_reaches_into_the_files_that_use_the_block(tmp_path: Path) -> None:
    paths = saved(tmp_path, parts="block A { ReLU }\n", net='use A from "parts.cnn"\ninput 3×8×8\nA → A\n')
    analysis = Analysis(Source(str(paths["parts"]), "block A { ReLU }\n"), paths["parts"])
    net = paths["net"].read_text("utf-8")
    edits = rename(analysis, 6, "Unit", {paths["net"]: net})
    assert applied(net, tuple(e for e in edits if e.file == paths["net"])) == net.replace("A", "Unit")
    assert [e for e in edits if e.file is None] == [type(edits[0])(6, 7, "Unit")]


def test_only_names_of_this_text_can_be_renamed() -> None:
    assert renamable(*at("use ‸SE from squeeze_excitation\n")) is None
    place = renamable(*at("use SE as G‸ate from squeeze_excitation\n"))
    assert place is not None
    assert (place.start, place.end) == (10, 14)


def test_calls_go_both_ways() -> None:
    analysis = built_in("resnet")
    assert [call.name for call in incoming(analysis, "Stage")] == ["ResNet"]
    assert [len(call.calls) for call in incoming(analysis, "Stage")] == [4]
    assert [call.name for call in outgoing(analysis, "resnet50")] == ["Bottleneck", "ResNet"]


def test_a_tree_with_holes_has_names_too() -> None:
    text = "block A(c) {\n  let d = c\n  let e = \n  let f = d +\n  Conv3x3(e"
    found = bind(of(text).program)
    assert {s.name: len(s.uses) for s in found.symbols} == {"A": 0, "c": 1, "d": 1, "e": 1, "f": 0}
    assert not isinstance(of(text).program.statements[0], tree.ChainStatement)
