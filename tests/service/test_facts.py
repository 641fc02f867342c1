"""Guards `service/facts.py`. Figures at the ends of lines are those of `summary`, and stay through edits, marked."""

from __future__ import annotations

import pytest

from cnndsl import pipeline
from cnndsl.analyses.summary import summarize
from cnndsl.passes.walk.findings import Cancelled
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Fact, short
from cnndsl.service.facts import facts, kept
from tests.service.texts import built_in, of


def lines(analysis: Analysis, found: tuple[Fact, ...]) -> dict[str, Fact]:
    """Facts by the text of their line."""
    return {analysis.source.line(analysis.source.line_and_column(f.offset)[0]).strip(): f for f in found}


def test_each_line_of_resnet50_says_what_the_published_figures_say() -> None:
    analysis = built_in("resnet")
    found = lines(analysis, facts(analysis, ["resnet50"]))
    assert found["→ avgpool: GlobalAvgPool → fc: FC(classes)"].text() == "1000"
    layer2 = found["→ layer2: Stage(unit, 128, counts[1], stride=2)"]
    rows = [node for node in summarize(pipeline.load("resnet50").graph).nodes if node.name.startswith("layer2.")]
    whole = sum(row.params for row in rows), sum(row.macs for row in rows)
    assert (layer2.shapes, layer2.field, layer2.params, layer2.macs) == (("512×28×28",), "91 /8", *whole)
    conv = found["conv1: Conv1x1(middle) → bn1: norm → ReLU"]
    assert conv.text(("shape", "rf")) == "64×56×56 … 512×7×7 (16×)  rf 363 /32"
    unit = found["unit(channels, stride) → unit(channels)×(count - 1)"]
    assert unit.params == 25557032 - 2049000 - 9408 - 128


def test_the_last_line_of_a_network_has_the_receptive_field_and_the_figures_of_its_summary() -> None:
    text = "input 3×32×32\nConv3x3(8, stride=2) → ReLU\n→ MaxPool\n→ Conv5x5(4)"
    analysis = of(text)
    found = facts(analysis, analysis.models)
    summary = summarize(pipeline.parse_text(text).graph)
    assert [f.shapes for f in found] == [("3×32×32",), ("8×16×16",), ("8×8×8",), ("4×8×8",)]
    assert (sum(f.params for f in found), sum(f.macs for f in found)) == (summary.totals.params, summary.totals.macs)
    assert found[-1].field == "21 /4"


def test_a_text_with_a_mistake_keeps_what_comes_before_it_and_old_facts_behind_it() -> None:
    old = "input 3×32×32\nConv3x3(8)\n→ MaxPool\n→ Conv5x5(4)\n"
    new = "input 3×32×32\n# a line\nConv3x3(16)\n→ MaxPol\n→ Conv5x5(4)\n"
    before, analysis = of(old), of(new)
    now = facts(analysis, analysis.models)
    found = kept(facts(before, before.models), old, new, now, whole=False)
    assert [(f.text(), f.stale) for f in found] == [
        ("3×32×32", False), ("16×32×32", False), ("8×16×16", True), ("4×16×16", True),
    ]  # fmt: skip
    assert [new[: f.offset].count("\n") for f in found] == [0, 2, 3, 4]
    assert kept(found, new, new, now, whole=True) == now


def test_a_hole_leaves_the_facts_of_other_lines() -> None:
    text = "input 3×32×32\nlet n = \nlet m = 8\nConv3x3(m)\n→ Conv3x3(n)\nblock A { Conv3x3( }\n"
    analysis = of(text)
    assert [f.text() for f in facts(analysis, analysis.models)] == ["3×32×32", "8×32×32"]
    assert not analysis.checked(None).whole


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("input 3×8×8\n", ["3×8×8"]),
        ("input 3×8×8\nConv3x3(8) → BN → \n", ["3×8×8", "8×8×8"]),
        ("input 3×8×8\nConv3x3(8) → [BN → \n", ["3×8×8", "8×8×8"]),
        ("input 3×8×8\nConv3x3(8) → BM → ReLU\n", ["3×8×8"]),
    ],
)
def test_what_has_arrived_is_seen_at_the_end_of_what_is_being_typed(text: str, found: list[str]) -> None:
    analysis = of(text)
    assert [f.text() for f in facts(analysis, analysis.models)] == found


def test_lines_that_were_taken_out_take_their_facts_with_them() -> None:
    old = "input 3×8×8\nReLU\n→ Conv3x3(4)\n→ Conv3x3(5)\n"
    new = "input 3×8×8\nReLU\n→ Conv3x3(5)\n"
    before = of(old)
    found = kept(facts(before, before.models), old, new, (), whole=False)
    assert [new[: f.offset].count("\n") for f in found] == [0, 1, 2]


def test_building_stops_when_nobody_waits_any_more() -> None:
    analysis = built_in("resnet")
    asked = iter([False] * 50 + [True] * 1000)
    stopped = Analysis(analysis.source, None, None, lambda: next(asked))
    with pytest.raises(Cancelled):
        stopped.checked("resnet50")


@pytest.mark.parametrize(
    ("number", "text"), [(7, "7"), (999, "999"), (1000, "1K"), (25557032, "25.6M"), (4089184256, "4.09G")]
)
def test_counts_are_short(number: int, text: str) -> None:
    assert short(number) == text
