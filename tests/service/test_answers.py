"""Guards `service/hover.py`, `service/completion.py`, `service/signature.py` and `service/lenses.py`. What stands at a place, and what could."""

from __future__ import annotations

import pytest

from cnndsl.disk import shelf
from cnndsl.ir.op import registry
from cnndsl.pipeline import parse_text
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Completion
from cnndsl.service.completion import completions
from cnndsl.service.hover import hover
from cnndsl.service.lenses import lenses
from cnndsl.service.signature import signature
from tests.service.texts import at, built_in, of


def page(analysis: Analysis, offset: int) -> str:
    analysis.checked(analysis.default)
    found = hover(analysis, offset)
    return found.text if found is not None else ""


def offered(text: str) -> dict[str, Completion]:
    return {item.label: item for item in completions(*at(text))}


def test_a_layer_shows_the_shapes_and_figures_of_each_call_and_what_it_is() -> None:
    analysis = built_in("resnet")
    analysis.checked("resnet50")
    found = hover(analysis, analysis.source.text.index("Conv3x3(middle"))
    assert found is not None
    assert "`128×56×56` → `128×28×28`" in found.text
    assert "`64×56×56` → `64×56×56` (3×)" in found.text
    assert "11.3M parameters, 1.85G MACs, receptive field 19 /4 … 427 /32" in found.text
    assert "Slide a window of weights" in found.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("input 3×8×8\nlet ‸k = 2 + 2\nConv3x3(k)", ("let k = 2 + 2", "= `4`")),
        ("input 3×8×8\nConv3x3(4) as e → ReLU → cat{ ‸e | id }", ("`e`", "= `4×8×8`")),
        ("# Two of them.\n# Or more.\nblock A(c) { Conv3x3(c) }\ninput 3×8×8\n‸A(4)", ("block A(c)", "Two of them.\nOr more.", "`3×8×8` → `4×8×8`")),
        ("block A(‸c) { Conv3x3(c) }\ninput 3×8×8\nA(4) → A(5)", ("parameter of `A`", "= `4`, `5`")),
        ("input 3×8×8\nConv3x3(8, ‸groups=1)", ("**groups** = 1",)),
        ("input 3×8×8\n‸stem: Conv3x3(8)", ("`stem.weight` 8×3×3×3", "`stem.bias` 8")),
        ("input 3×8×8\nlet x = ‸round_to(10, 8)\nConv3x3(x)", ("`round_to(",)),
        ("‸input 3×8×8\nReLU", ("channels first",)),
        ("input 3×8×8\n‸add{ id | ReLU }", ("`3×8×8` → `3×8×8`", "Add the branches")),
        ("input 3×8×8\nMaxPol ‸", ()),
    ],
)  # fmt: skip
def test_a_hover_says_what_stands_there(text: str, words: tuple[str, ...]) -> None:
    found = page(*at(text))
    assert [word for word in words if word not in found] == []
    assert bool(found) == bool(words)


def test_an_element_may_be_a_layer_a_block_a_merge_or_a_tensor() -> None:
    found = offered("block Unit(c) { Conv3x3(c) }\ninput x: 3×8×8\nReLU → ‸\n→ ReLU")
    assert {"Unit", "x", "Conv", "add", "id"} <= found.keys()
    assert found["Unit"].text == "Unit($1)"
    assert found["Conv"].text == "Conv${1:3x3}(${2:channels})"
    assert found["ReLU"].text == "ReLU"
    assert set(registry()) <= found.keys()
    assert "let" not in found


def test_what_is_offered_takes_the_place_of_the_word_that_was_begun() -> None:
    item = offered("input 3×8×8\nCo‸")["Conv"]
    assert (item.place.start, item.place.end) == (12, 14)
    assert "let" in offered("input 3×8×8\nl‸")


@pytest.mark.parametrize(
    ("text", "there", "not_there"),
    [
        ("input 3×8×8\nConv3x3(8, ‸)", {"stride=", "pad=", "groups="}, {"ReLU"}),
        ("input 3×8×8\nConv3x3(8, stride=2, ‸)", {"pad="}, {"stride="}),
        ("input 3×8×8\nConv3x3(8, pad=‸)", {"same", "valid", "causal"}, {"stride="}),
        ("block A(c, act=ReLU) { act }\ninput 3×8×8\nA(‸)", {"c=", "act=", "min"}, {"stride="}),
        ("let x = in.‸", {"channels", "height", "shape"}, {"ReLU", "x"}),
        ("param x: ‸", {"int", "float", "block"}, {"ReLU"}),
        ("use ‸ from resnet", {"Basic", "Bottleneck", "resnet50"}, {"Conv"}),
        ("use SE from ‸", {"resnet", "squeeze_excitation"}, {"Conv"}),
        ("input 3×8×8\nReLU\nassert ‸", {"params", "macs", "rf"}, {"Conv"}),
        ("let ab = 1\nlet c = ‸", {"ab", "max", "true"}, {"stride="}),
    ],
)
def test_a_value_may_be_what_its_place_takes(text: str, there: set[str], not_there: set[str]) -> None:
    found = offered(text).keys()
    assert there <= found
    assert not not_there & found


@pytest.mark.parametrize("text", ["# Con‸", 'use A from "x‸y"', "input 32‸", "let ‸", "input 3×8×8\nReLU as ‸"])
def test_nothing_is_offered_where_nothing_is_known(text: str) -> None:
    assert [label for label in offered(text) if not label.endswith(".cnn")] == []


def test_a_call_says_which_argument_is_being_written() -> None:
    found = signature(*at("input 3×8×8\nConv3x3(8, groups=‸"))
    assert found is not None
    assert found.label.startswith("Conv3x3(channels, stride=1, pad=same")
    assert found.arguments[found.active or 0][0] == "groups=1"
    own = signature(*at("# It is one.\nblock A(c, stride=1) { ReLU }\ninput 3×8×8\nA(max(1, 2), ‸)"))
    assert own is not None
    assert (own.label, own.doc, own.active) == ("A(c, stride=1)", "It is one.", 1)
    inner = signature(*at("block A(c) { ReLU }\ninput 3×8×8\nA(max(1, ‸"))
    assert inner is not None
    assert (inner.label, inner.active) == ("max(a, b, …) or max(list)", 1)
    assert signature(*at("input 3×8×8\n[ReLU ‸]")) is None


def test_a_model_has_its_figures_above_it_and_a_block_its_uses() -> None:
    analysis = built_in("resnet")
    found = {
        analysis.source.text[lens.place.start : lens.place.end]: lens.text for lens in lenses(analysis, ["resnet18"])
    }
    assert found == {
        "Basic": "2 uses", "Bottleneck": "8 uses", "Stage": "4 uses",
        "resnet18": "11.7M parameters · 1.81G MACs · receptive field 435 /32 · 53.8MB in inference · → 1000",
    }  # fmt: skip
    assert lenses(of("input 3×8×8\nReLU → Cov"), [None]) == ()


def test_what_is_offered_at_the_end_of_a_chain_builds() -> None:
    for word in ("Conv", "MaxPool", "BN", "FC"):
        text = offered("input 3×8×8\nReLU → ‸")[word].text
        plain = (
            text.replace("${1:3x3}", "3x3").replace("${2:channels}", "8").replace("${2:units}", "8").replace("$1", "")
        )
        assert parse_text(f"input 3×8×8\nReLU → {plain}").graph.nodes


def test_the_files_of_the_shelf_are_offered_by_name() -> None:
    stems = {source.name.removeprefix("architectures/").removesuffix(".cnn") for source in shelf.sources()}
    assert stems <= offered("use A from ‸").keys()
