"""Guards `service/problems.py`. What an editor shows is what `check` says, and its edits give the text that was meant."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cnndsl import pipeline
from cnndsl.diagnostics.errors import CnnError, Diagnostic
from cnndsl.diagnostics.source import Source
from cnndsl.reference.error_pages import fault_pages
from cnndsl.service.analysis import Analysis
from cnndsl.service.problems import problems
from tests.mistakes.test_mistakes import CASES
from tests.service.texts import applied, of, saved


def told(text: str) -> list[tuple[str, int, str, str | None]]:
    """What building the text tells, the sizes that would do aside."""
    try:
        return [plain(d) for d in pipeline.parse_text(text).warnings]
    except CnnError as error:
        return [plain(d) for d in error.diagnostics]


def plain(diagnostic: Diagnostic) -> tuple[str, int, str, str | None]:
    return diagnostic.id, diagnostic.span.start if diagnostic.span else 0, diagnostic.message, diagnostic.help


@pytest.mark.parametrize("every", [pytest.param(9, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)])
def test_mistakes_are_told_in_the_words_of_the_command_line(every: int) -> None:
    for case in CASES[::every]:
        analysis = Analysis(Source("<text>", case.text))
        found = [(p.id, p.place.start, p.message, p.help) for p in problems(analysis, analysis.models)]
        expected = told(case.text)
        assert [one for one in found if one in expected] == expected, case.text


@pytest.mark.parametrize("every", [pytest.param(6, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)])
def test_each_page_of_an_error_gets_what_check_says(every: int, tmp_path: Path) -> None:
    for id, page in list(fault_pages().items())[::every]:
        found = re.search(r"```cnn (?:error|warning)\n(.*?)```", page, re.DOTALL)
        if found is None:
            continue
        path = saved(tmp_path, mine=found[1])["mine"]
        checked = pipeline.check(str(path))
        analysis = Analysis(Source(str(path), found[1]), path)
        seen = {p.id for p in problems(analysis, analysis.models)}
        assert {d.id for d in checked if d.span is None or d.span.source.name == str(path)} <= seen, id


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("input 3×8×8\nCov3x3(8) → ReLU", "input 3×8×8\nConv3x3(8) → ReLU"),
        ("input 3×8×8\nConv3x3(8, stide=2)", "input 3×8×8\nConv3x3(8, stride=2)"),
        ("input 3×8×8\nConv3x3(in.chanels)", "input 3×8×8\nConv3x3(in.channels)"),
        ("input 3×8×8\nConv3x3(8 → ReLU", "input 3×8×8\nConv3x3(8) → ReLU"),
        ("input 3×8×8\nadd{ Conv3x3(3) | [ReLU }", "input 3×8×8\nadd{ Conv3x3(3) | [ReLU] }"),
        ("input 3×8×8\nConv3x3(8)) → ReLU", "input 3×8×8\nConv3x3(8) → ReLU"),
        ("input 3×8×8\nConv3x3(8) => ReLU", "input 3×8×8\nConv3x3(8) → ReLU"),
        ("input 3×8×8\nConv3x3(8) ⇒ ReLU", "input 3×8×8\nConv3x3(8) → ReLU"),
        ("input 3×8×8\n[ReLU → Conv3x3(3)]x2", "input 3×8×8\n[ReLU → Conv3x3(3)]×2"),
        ("param width: = 8\ninput 3×8×8\nConv3x3(width)", "param width: int = 8\ninput 3×8×8\nConv3x3(width)"),
        ("input 3×8×8\nadd{ Conv3x3(16, stride=2) | id }", "input 3×8×8\nadd{ Conv3x3(16, stride=2) | Conv1x1(16, stride=2) }"),
        ("input 3×8×8\nadd{ id | Conv3x3(16) }", "input 3×8×8\nadd{ Conv1x1(16) | Conv3x3(16) }"),
        ("input 3×8×8\nlet x = 3\nReLU", "input 3×8×8\nReLU"),
        ("input 3×8×8\nReLU as y → Conv3x3(3)", "input 3×8×8\nReLU → Conv3x3(3)"),
        ("input 4×8×8\n(a, b) = in → Split(2)\na → ReLU", "input 4×8×8\n(a, _) = in → Split(2)\na → ReLU"),
        ("use Basic, Stage from resnet\ninput 8×8×8\nBasic(8)", "use Basic from resnet\ninput 8×8×8\nBasic(8)"),
    ],
)  # fmt: skip
def test_the_edits_of_a_problem_give_the_text_that_was_meant(text: str, mended: str) -> None:
    analysis = of(text)
    found = next(p for p in problems(analysis, analysis.models) if p.edits)
    assert applied(text, found.edits) == mended


def test_a_bound_chain_that_nobody_uses_is_not_taken_out_for_its_weights_have_names() -> None:
    analysis = of("input 3×8×8\nx = in → Conv3x3(8)\nReLU")
    assert [(p.id, p.edits) for p in problems(analysis, analysis.models)] == [("unused-name", ())]


def test_a_used_file_that_is_wrong_is_told_at_the_use(tmp_path: Path) -> None:
    paths = saved(tmp_path, parts="block A { Cov3x3(8) }\n", net='use A from "parts.cnn"\ninput 3×8×8\nA\n')
    text = paths["net"].read_text("utf-8")
    analysis = Analysis(Source(str(paths["net"]), text), paths["net"])
    (found,) = problems(analysis, analysis.models)
    assert (found.id, text[found.place.start : found.place.end]) == ("unknown-layer", '"parts.cnn"')
    assert found.remarks[0].place == replace(found.remarks[0].place, file=paths["parts"].resolve(), start=10)


def test_text_of_a_neighbour_that_is_not_saved_counts(tmp_path: Path) -> None:
    paths = saved(tmp_path, parts="block A { Cov3x3(8) }\n", net='use A from "parts.cnn"\ninput 3×8×8\nA\n')
    source = Source(str(paths["net"]), paths["net"].read_text("utf-8"))
    analysis = Analysis(source, paths["net"], {paths["parts"].resolve(): "block A { Conv3x3(8) }\n"})
    assert problems(analysis, analysis.models) == ()
