"""Guards `architectures/checks.py`. The page of what the built-in networks were compared with is what its data say."""

from __future__ import annotations

from tests.architectures import checks


def test_the_page_is_written_from_the_data() -> None:
    data = checks.read()
    text = checks.PAGE.read_text("utf-8")
    assert text == checks.page(data)
    assert data["networks"]["resnet50"]["keys"] == "equal"
    assert "| `resnet50` | 25,557,032 | 4,089,184,256 |" in text


def test_an_entry_is_made_again_when_the_network_changes_and_not_when_its_text_does() -> None:
    data = checks.read()["networks"]
    for name in ("lenet5", "resnet18", "unet"):
        assert data[name]["mark"] == checks.mark(name)
