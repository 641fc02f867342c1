"""Imported programs that people read: docs/importing/texts.md says what `import` gives, and none is longer than by hand."""

from __future__ import annotations

import pytest

from tests.importing.texts import NETWORKS, PAGE, imported, section

FAST = ("shufflenet_v2_x1_0", "unet")


@pytest.mark.parametrize("name", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in NETWORKS])
def test_the_page_says_what_import_gives(name: str) -> None:
    given, _ = imported(name)
    assert given.report.form == "blocks"
    assert section(name, given) in PAGE.read_text()
