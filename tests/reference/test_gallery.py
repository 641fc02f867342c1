"""Guards `reference/gallery.py`. The page of built-in networks is that of the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.reference.gallery import diagrams, page, rows, short

PAGE = Path(__file__).parents[2] / "docs" / "architectures" / "README.md"


@pytest.mark.slow  # all networks are summed up
def test_the_gallery_is_fresh_and_every_family_has_its_diagram() -> None:
    found = rows()
    assert PAGE.read_text("utf-8") == page(found), "run `make docs`"
    assert {path.stem for path in PAGE.parent.glob("*.svg")} == set(diagrams(found))
    assert all(row.paper and row.year for row in found if row.family != "fully_connected")


def test_numbers_are_shown_with_three_digits() -> None:
    assert [short(n) for n in (7, 61_706, 25_557_032, 4_089_184_256)] == ["7", "61.7K", "25.6M", "4.09G"]
