"""Guards `analyses/valid_sizes.py`. Rules for input sizes, against building the network at each size."""

from __future__ import annotations

import pytest

from cnndsl.analyses.valid_sizes import Rule, find_rule
from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Source
from cnndsl.passes.read_program import Origin
from cnndsl.pipeline import parse_text, valid_sizes

UNET = """input image: 3×64×64
Conv3x3(8) → ReLU as e1 → MaxPool → Conv3x3(16) → ReLU as e2 → MaxPool → Conv3x3(32) → ReLU
→ Upsample → cat{ e2 | id } → Conv3x3(16) → ReLU → Upsample → cat{ e1 | id } → Conv1x1(2)
"""


def builds(text: str, shape: str) -> bool:
    try:
        parse_text(text, inputs={"": shape})
    except CnnError:
        return False
    return True


def test_a_unet_takes_multiples_of_its_downsampling() -> None:
    found = valid_sizes(Origin(Source("unet.cnn", UNET), None, "unet", None))
    assert [(r.input, r.axis, r.rule) for r in found] == [
        ("image", "height", Rule(4, 4, 0)),
        ("image", "width", Rule(4, 4, 0)),
    ]
    for size in range(1, 40):
        assert builds(UNET, f"3x{size}x64") == (size % 4 == 0 and size >= 4)


@pytest.mark.parametrize(("least", "step", "offset"), [(1, 1, 0), (7, 1, 0), (32, 32, 0), (21, 8, 5), (64, 64, 0)])
def test_a_rule_is_recovered_from_what_fits(least: int, step: int, offset: int) -> None:
    rule = find_rule(lambda size: (size >= least and size % step == offset, 1), 100)
    assert rule == Rule(least, step, offset)


def test_sizes_without_a_rule_get_none() -> None:
    assert find_rule(lambda size: (size in (100, 101, 105), 1), 100) is None
    assert find_rule(lambda size: (False, 1), 100) is None


def test_sizes_are_tried_for_so_many_steps_and_no_clock_is_read() -> None:
    """A busy machine must tell what an idle one tells: a page once lost its note because the search had a second."""
    assert find_rule(lambda size: (size % 8 == 0, 10), 100, 1280) == Rule(8, 8, 0)
    assert find_rule(lambda size: (size % 8 == 0, 10), 100, 1200) is None


def test_the_nearest_sizes_lie_on_both_sides() -> None:
    assert Rule(32, 32, 0).nearest(225) == (224, 256)
    assert Rule(32, 32, 0).nearest(5) == (32, 32)
    assert Rule(21, 8, 5).nearest(30) == (29, 37)


def test_an_error_of_size_tells_the_sizes_that_would_do_and_where_the_paths_part() -> None:
    with pytest.raises(CnnError) as caught:
        parse_text(UNET.replace("64×64", "65×65"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "shape-mismatch"
    assert diagnostic.notes == (
        "both paths start from `ReLU` in line 2, 8×65×65",
        "the first: unchanged",
        "the other: MaxPool → 8×32×32, Conv → 16×32×32, cat → 48×32×32, Conv → 16×32×32, Upsample → 16×64×64",
        "sizes of `image` that can be built: a multiple of 4, from 4; near 65: 64 and 68",
    )
