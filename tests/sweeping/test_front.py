"""Guards `sweeping/front.py`: which variants none beats, and a plot in which every one is a dot."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cnndsl.backends.drawing.figures.canvas import Line, Text, figure_svg
from cnndsl.sweeping.front import Point, front, plot

points = st.lists(
    st.builds(Point, st.floats(1, 1e9), st.floats(1, 1e9), st.sampled_from("abc")), min_size=1, max_size=40
)


@given(points)
def test_no_point_of_the_front_is_beaten_and_every_other_is(found: list[Point]) -> None:
    best = front(found)
    for point in best:
        assert not any(p.x <= point.x and p.y >= point.y and (p.x, p.y) != (point.x, point.y) for p in found)
    for point in found:
        assert any(p.x <= point.x and p.y >= point.y for p in best)
    assert [p.x for p in best] == sorted(p.x for p in best)


@given(points)
def test_every_variant_is_a_dot_inside_the_plot(found: list[Point]) -> None:
    figure = plot(found, "title", "macs", "params")
    dots = [group for group in figure.groups if group.facts]
    assert len(dots) == len(found)
    for group in figure.groups:
        for shape in group.shapes:
            if isinstance(shape, Line):
                assert all(0 <= x <= figure.width and 0 <= y <= figure.height for x, y in shape.points)


def test_an_axis_over_decades_is_logarithmic_with_round_numbers() -> None:
    figure = plot([Point(1e6, 1, "a"), Point(1e9, 2, "b"), Point(1e8, 1.5, "c")], "title", "macs", "rf")
    texts = [shape.text for group in figure.groups for shape in group.shapes if isinstance(shape, Text)]
    assert [text for text in texts if text.endswith("M")][:6] == ["1M", "2M", "5M", "10M", "20M", "50M"]
    assert {"a", "b", "c", "1.2", "1.8"} <= set(texts)


def test_what_a_parameter_holds_stays_text_in_the_plot() -> None:
    svg = figure_svg(plot([Point(1, 1, "act=</text><script>"), Point(2, 2, "b")], "title", "macs", "rf")).decode()
    assert "<script>" not in svg
