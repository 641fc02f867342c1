"""Guards `passes/walk/inputs.py` and `passes/walk/statements.py`. What is said where a chain starts from an input that
is not there, not yet there, or one of several.
"""

from __future__ import annotations

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import parse_text
from tests.passes.reading import wrong


def test_a_network_without_an_input() -> None:
    assert wrong("Conv3x3(8) → ReLU") == [("missing-input", 1, 1)]


def test_an_input_that_comes_later_is_shown() -> None:
    with pytest.raises(CnnError) as caught:
        parse_text("stem = Conv3x3(8)\ninput 3×8×8\nstem → ReLU")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "nothing-arrives"
    assert [label.span.text for label in diagnostic.labels] == ["Conv3x3(8)", "input 3×8×8"]


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("input left: 3×8×8\ninput right: 3×8×8\nConv3x3(8)", "`left → …`"),
        ("input 3×8×8\ninput 3×8×8\nConv3x3(8)", "`input left: 3×32×32`"),
        ("block B takes x, y { Conv3x3(8) }\ninput 3×8×8\na = ReLU\n(a, a) → B", "`x → …`"),
    ],
)
def test_one_of_several_inputs_is_named_in_the_help(text: str, help: str) -> None:
    with pytest.raises(CnnError) as caught:
        parse_text(text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "ambiguous-in"
    assert help in (diagnostic.help or "")


def test_a_file_of_blocks_is_pointed_at_by_its_first_block() -> None:
    assert wrong("block A { Conv3x3(8) }\nblock B { A }\n") == [("nothing-to-build", 1, 7)]
